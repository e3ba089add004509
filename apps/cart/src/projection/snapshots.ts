/**
 * Writes a cart's whole state to a compacted topic, every 100 events, and before retention takes the events behind it. A snapshot is
 * appended before the watermark passes its events. It carries its position, so a snapshot that is written twice, or restored beside newer
 * events, is harmless.
 */
import { randomUUID } from 'node:crypto';
import { publishInParts, type OutgoingRecord } from '@cloakroom/event-log';
import { decodeCart, encodeCart, type CartRecord } from '../model/codec.ts';
import { snapshotsWritten } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import type { Applied } from './apply-record.ts';

/** Akka's default; a replay of 100 events takes well below a millisecond. */
const eventsPerSnapshot = 100;
/** How many carts one sweep of a partition takes. It bounds the batch that is appended. */
const sweepCountMax = 100;
/** As much as one publish can carry, less its keys and headers. */
const snapshotBytesMax = 800_000;
/** A healthy broker hands over 24 partitions of snapshots in seconds. Without progress for this long, the read has failed. */
const silenceMaxMs = 10_000;

export const isSnapshotDue = ({ eventsSinceSnapshot }: CartRecord): boolean => eventsSinceSnapshot >= eventsPerSnapshot;
const recordOf = (cart: CartRecord): OutgoingRecord => ({ key: cart.state.cartId, value: encodeCart(cart) });
const settled = (cart: CartRecord): CartRecord => ({ ...cart, eventsSinceSnapshot: 0, oldestUnsnapshottedAtMs: 0 });

/** Appends snapshots and marks their carts. A failure does not fail the batch: the next event tries again. */
export async function writeSnapshots(parts: CartParts, applied: ReadonlyMap<string, Applied>): Promise<void> {
  const due = [...applied.values()].filter(({ cart }) => isSnapshotDue(cart));
  if (due.length === 0) return;
  const carts = due.map(({ cart }) => settled(cart));
  let appended: ReadonlySet<CartRecord>;
  try {
    appended = await appendAll(parts, carts);
  } catch (error) {
    parts.log.warn({ err: error, carts: carts.length }, 'snapshots could not be appended');
    return;
  }
  for (const [index, one] of due.entries()) if (appended.has(carts[index]!)) one.cart = carts[index]!;
}

/** Snapshots the partition's carts whose events retention will soon take. @returns how many */
export async function sweepPartition(parts: CartParts, partition: number): Promise<number> {
  const { view, topics, clock } = parts;
  if (topics.events.retentionMs < 0) return 0;
  const cartIds = await view.due(partition, clock.nowMs() - topics.events.retentionMs / 2, sweepCountMax);
  if (cartIds.length === 0) return 0;
  const { place, carts } = await view.load(partition, cartIds);
  if (place === undefined) return 0;
  const written = [...(await appendAll(parts, [...carts.values()].map(settled)))];
  // When the projector was faster, the marks stay and the next sweep tries again.
  await view.apply(partition, { expected: place, place: undefined, carts: written });
  return written.length;
}

/** @returns the carts with an appended snapshot. A cart that is too large for a record gets none, and does not hold up the others. */
async function appendAll(parts: CartParts, carts: readonly CartRecord[]): Promise<ReadonlySet<CartRecord>> {
  const appended = new Map<CartRecord, OutgoingRecord>();
  for (const cart of carts) {
    const record = recordOf(cart);
    const bytes = record.value!.length;
    if (bytes <= snapshotBytesMax) appended.set(cart, record);
    else parts.log.error({ bytes }, 'a cart is too large for a snapshot');
  }
  await publishInParts(parts.eventLog, parts.topics.snapshots, [...appended.values()]);
  snapshotsWritten.inc(appended.size);
  return new Set(appended.keys());
}

/**
 * Hands over the current snapshots of these partitions, a batch at a time, so that they are never all in memory.
 * @throws when the log does not answer
 */
export async function readSnapshots(
  { eventLog, topics, clock, log }: CartParts,
  partitions: ReadonlySet<number>,
  take: (partition: number, carts: readonly CartRecord[]) => Promise<void>,
): Promise<void> {
  const bounds = await eventLog.bounds(topics.snapshots);
  const open = new Map([...bounds].filter(([partition, { first, next }]) => partitions.has(partition) && next > first));
  if (open.size === 0) return;
  const finished = Promise.withResolvers<void>();
  let progressMs = clock.monotonicMs();
  const reader = await eventLog.subscribe({
    // A new group for each call: it reads everything, and leaves no member for which a restart would have to wait.
    group: `cart-snapshots-${randomUUID()}`,
    topics: [topics.snapshots],
    from: 'earliest',
    handler: async ({ partition, records }) => {
      progressMs = clock.monotonicMs();
      const end = open.get(partition)?.next;
      if (end === undefined) return;
      const carts = records.flatMap(({ value, offset }) => {
        try {
          return value === null ? [] : [decodeCart(value)];
        } catch (error) {
          // Mostly no loss, because the events are still there. If they are not, an operator must hear of it.
          log.error({ partition, offset: String(offset), err: error }, 'a snapshot cannot be decoded');
          return [];
        }
      });
      await take(partition, carts);
      if (records.at(-1)!.offset + 1n >= end) open.delete(partition);
      if (open.size === 0) finished.resolve();
    },
  });
  const watchdog = setInterval(() => {
    if (clock.monotonicMs() - progressMs > silenceMaxMs) finished.reject(new Error('the snapshots cannot be read: the log is silent'));
  }, 500);
  try {
    await finished.promise;
  } finally {
    clearInterval(watchdog);
    await reader.stop();
  }
}
