/**
 * Measures how far the view is behind the log, for each partition that this process holds. The projector's own batches tell it. While the
 * broker is down the projector gets no batches, so these figures keep their last value; reads then say `silent_log`.
 */
import { metrics } from '@cloakroom/platform';
import { Gauge } from 'prom-client';

interface Partition {
  /** The offset of the next record to apply. */
  readonly next: bigint;
  /** The offset of the next record that the log will get, as this process last heard it. */
  readonly end: bigint;
  /** When the log took the oldest record that is not applied. An estimate while this process has not seen that record. */
  readonly oldestMs: number;
}

/** At most 24, the partitions of one topic. */
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

/** Called when a batch has arrived that is not applied yet, or when the log was found to end here. */
export function noteWaiting(partition: number, waiting: { readonly end: bigint; readonly oldestMs: number; readonly next?: bigint }): void {
  const { end, oldestMs, next = partitions.get(partition)?.next ?? end } = waiting;
  partitions.set(partition, { next, end, oldestMs });
}

/** @param newestMs when the log took the newest applied record. Later records are younger. */
export function noteApplied(partition: number, next: bigint, newestMs?: number): void {
  const known = partitions.get(partition);
  const end = known !== undefined && known.end > next ? known.end : next;
  partitions.set(partition, { next, end, oldestMs: newestMs ?? known?.oldestMs ?? Date.now() });
}

export function forgetPartition(partition: number): void {
  partitions.delete(partition);
}

/** For tests: the values that a scrape would show. */
export async function lagOf(partition: number): Promise<{ next: number; records: number; seconds: number } | undefined> {
  const [next, records, seconds] = await Promise.all(
    [nextOffset, lagRecords, lagSeconds].map(
      async (gauge) => (await gauge.get()).values.find(({ labels }) => labels.partition === String(partition))?.value,
    ),
  );
  return next === undefined ? undefined : { next, records: records!, seconds: seconds! };
}
