/**
 * How far each reader of the event log is behind, as its own deliveries show it. This needs no question to the broker. Its limit: a reader that
 * receives nothing, because its broker is away, keeps its last value. Lease and projector freshness show that case.
 */
import { Counter, Gauge } from 'prom-client';
import { metrics } from '@cloakroom/platform';
import type { RecordBatch } from './event-log.ts';

const registers = [metrics];
const labelNames = ['group', 'topic'] as const;

interface Partition {
  readonly labels: { readonly group: string; readonly topic: string };
  records: number;
  /** When the log took the oldest record that is not done, by the broker's clock. */
  oldestMs: number;
}

/** By full group name, topic and partition: bounded by this process's partitions. */
const behind = new Map<string, Partition>();
/** Assignments that will forget their partitions when they end. */
const heeded = new WeakSet<AbortSignal>();

export const consumerLagRecords = new Gauge({
  name: 'event_log_consumer_lag_records',
  help: 'Records that the log holds and this reader has not done with, as of its last fetch.',
  labelNames,
  registers,
  collect() {
    collect(
      this,
      ({ records }) => records,
      (sum, one) => sum + one,
    );
  },
});

export const consumerLagSeconds = new Gauge({
  name: 'event_log_consumer_lag_seconds',
  help: 'Age of the oldest record that this reader has not done with: the clock here minus that of the log.',
  labelNames,
  registers,
  collect() {
    const nowMs = Date.now();
    collect(this, ({ records, oldestMs }) => (records > 0 ? Math.max(0, nowMs - oldestMs) / 1000 : 0), Math.max);
  },
});

export const deadLetters = new Counter({
  name: 'event_log_dead_letters_total',
  help: 'Records that went to a dead-letter topic.',
  labelNames,
  registers,
});

/** Called for every batch before its handler; `reached` after it, with the next offset. The partition is forgotten when it is lost. */
export function noteDelivery(group: string, batch: RecordBatch, lost: AbortSignal): { reached(next: bigint): void } {
  const { topic, partition, records, highWatermark } = batch;
  const key = `${group}\n${topic}\n${partition}`;
  const [first] = records;
  const entry: Partition = {
    labels: { group: groupLabel(group), topic },
    records: Number(highWatermark - first!.offset),
    oldestMs: first!.timestampMs,
  };
  if (!lost.aborted) behind.set(key, entry);
  if (!heeded.has(lost)) {
    heeded.add(lost);
    lost.addEventListener('abort', () => forget(group), { once: true });
  }
  return {
    reached(next) {
      entry.records = Number(highWatermark - next);
      // The next record has not been seen yet. It is no older than the last one seen.
      entry.oldestMs = (records.find(({ offset }) => offset >= next) ?? records.at(-1)!).timestampMs;
    },
  };
}

/** Rebalancing is eager: a member loses all of its partitions at once. */
function forget(group: string): void {
  for (const key of behind.keys()) if (key.startsWith(`${group}\n`)) behind.delete(key);
}

/** A fresh group has a random end, which would make a new label at each start. So `gateway-1-<uuid>` becomes `gateway-1`. */
export function groupLabel(group: string): string {
  return group.replace(/-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, '');
}

function collect(gauge: Gauge<'group' | 'topic'>, valueOf: (of: Partition) => number, join: (a: number, b: number) => number): void {
  gauge.reset();
  const values = new Map<string, { readonly labels: Partition['labels']; readonly value: number }>();
  for (const of of behind.values()) {
    const name = `${of.labels.group}\n${of.labels.topic}`;
    const known = values.get(name);
    values.set(name, { labels: of.labels, value: known === undefined ? valueOf(of) : join(known.value, valueOf(of)) });
  }
  for (const { labels, value } of values.values()) gauge.set(labels, value);
}
