/**
 * A cart's whole state on a compacted topic: every 100 events, and before retention takes the events that it is made of. A snapshot is appended
 * before the watermark passes the events it holds; it carries its position, so one that is written twice, or restored beside newer
 * events, is harmless.
 */
import { randomUUID } from 'node:crypto';
import { publishInParts, type OutgoingRecord } from '@cloakroom/event-log';
import { decodeCart, encodeCart, type CartRecord } from '../model/codec.ts';
import { snapshotsWritten } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import type { Applied } from './project-batch.ts';

/** Akka's default; a replay of 100 events takes well below a millisecond. */
const eventsPerSnapshot = 100;
/** Carts looked at in one sweep of a partition: bounds the batch that is appended. */
const sweepCountMax = 100;
/** What one publish takes, less its keys and headers. */
const snapshotBytesMax = 800_000;
/** A broker that answers hands over 24 partitions of snapshots in seconds; without progress for so long the read has failed. */
const silenceMaxMs = 10_000;

const recordOf = (cart: CartRecord): OutgoingRecord => ({ key: cart.state.cartId, value: encodeCart(cart) });
const settled = (cart: CartRecord): CartRecord => ({ ...cart, eventsSinceSnapshot: 0, oldestUnsnapshottedAtMs: 0 });

/** Marks the carts that it appended a snapshot of. A failure is not the batch's: the next event tries again. */
export async function writeSnapshots(parts: CartParts, applied: ReadonlyMap<string, Applied>): Promise<void> {
  const due = [...applied.values()].filter(({ cart }) => cart.eventsSinceSnapshot >= eventsPerSnapshot);
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

/** Snapshots the partition's carts with events that retention will take. @returns how many */
export async function sweepPartition(parts: CartParts, partition: number): Promise<number> {
  const { view, topics, clock } = parts;
  if (topics.events.retentionMs < 0) return 0;
  const cartIds = await view.due(partition, clock.nowMs() - topics.events.retentionMs / 2, sweepCountMax);
  if (cartIds.length === 0) return 0;
  const { place, carts } = await view.load(partition, cartIds);
  if (place === undefined) return 0;
  const written = [...(await appendAll(parts, [...carts.values()].map(settled)))];
  // Where the projector was faster the marks stay, and the next sweep comes again.
  await view.apply(partition, { expected: place, place: undefined, carts: written });
  return written.length;
}

/** @returns those that it appended: all but what is too large for a record, which must not keep the others from theirs */
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
 * Hands over the snapshots of these partitions, as they are now, a batch at a time: never all of them in memory.
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
    // Alone in a group of its own: reads everything, and leaves nothing that a restart would have to wait for.
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
          // Not a loss: the events are there, or this snapshot would have been needed by no one but the operator who must hear of it.
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
