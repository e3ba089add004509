/**
 * How far the view of each partition that is held here is behind its log, as the projector's own batches show it. What it cannot show: a projector
 * that is handed nothing, because its broker is away, keeps its last word; reads then say `silent_log`.
 */
import { metrics } from '@cloakroom/platform';
import { Gauge } from 'prom-client';

interface Partition {
  /** The offset of the next record to apply. */
  readonly next: bigint;
  /** The offset of the next record that the log will get, as it was last heard. */
  readonly end: bigint;
  /** When the log took the oldest record that is not applied; where that record has not been seen, a moment that is not later. */
  readonly oldestMs: number;
}

/** 24 at most: of one topic. */
const partitions = new Map<number, Partition>();

const nextOffset = new Gauge({
  name: 'cart_projector_next_offset',
  help: 'Watermark of each partition held here: the offset of the next record to apply. 24 partitions, one holder each.',
  labelNames: ['partition'],
  registers: [metrics],
  collect() {
    collect(this, ({ next }) => Number(next));
  },
});

const lagRecords = new Gauge({
  name: 'cart_projector_lag_records',
  help: 'Records of each partition held here that the log holds and the view does not, as of the last fetch.',
  labelNames: ['partition'],
  registers: [metrics],
  collect() {
    collect(this, recordsBehind);
  },
});

const lagSeconds = new Gauge({
  name: 'cart_projector_lag_seconds',
  help: 'Age of the oldest record of each partition held here that the view does not hold: the clock here minus that of the log.',
  labelNames: ['partition'],
  registers: [metrics],
  collect() {
    const nowMs = Date.now();
    collect(this, (of) => (recordsBehind(of) > 0 ? Math.max(0, nowMs - of.oldestMs) / 1000 : 0));
  },
});

const recordsBehind = ({ next, end }: Partition): number => (end > next ? Number(end - next) : 0);

function collect(gauge: Gauge<'partition'>, valueOf: (of: Partition) => number): void {
  gauge.reset();
  for (const [partition, of] of partitions) gauge.set({ partition: String(partition) }, valueOf(of));
}

/** A batch has come that is not applied yet, or the log was found to end here. */
export function noteWaiting(partition: number, waiting: { readonly end: bigint; readonly oldestMs: number; readonly next?: bigint }): void {
  const { end, oldestMs, next = partitions.get(partition)?.next ?? end } = waiting;
  partitions.set(partition, { next, end, oldestMs });
}

/** @param newestMs when the log took the newest record that is applied: whatever comes after it is younger */
export function noteApplied(partition: number, next: bigint, newestMs?: number): void {
  const known = partitions.get(partition);
  const end = known !== undefined && known.end > next ? known.end : next;
  partitions.set(partition, { next, end, oldestMs: newestMs ?? known?.oldestMs ?? Date.now() });
}

export function forgetPartition(partition: number): void {
  partitions.delete(partition);
}

/** For tests: what a scrape would show. */
export async function lagOf(partition: number): Promise<{ next: number; records: number; seconds: number } | undefined> {
  const [next, records, seconds] = await Promise.all(
    [nextOffset, lagRecords, lagSeconds].map(
      async (gauge) => (await gauge.get()).values.find(({ labels }) => labels.partition === String(partition))?.value,
    ),
  );
  return next === undefined ? undefined : { next, records: records!, seconds: seconds! };
}
