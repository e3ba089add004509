/**
 * Applies one batch of a partition to the view: read, evolve, forward, snapshot, write. At-least-once everywhere, exact in effect:
 *
 * - the write needs the place that the read found, so of two projectors that hold a partition for a moment only one applies a batch;
 * - a guest's change is forwarded to its user's log *before* the watermark passes it: killed in between, it is forwarded again, and a second
 *   GuestJoined of the same offset changes nothing;
 * - what is below a cart's own position (it was restored from a snapshot) or below the watermark is skipped, not even decoded;
 * - a record that cannot be decoded is thrown before anything of its batch is applied. The event log then hands the batch over record by record
 *   and buries the poison alone.
 */
import { isGuestSubject, partitionOf } from '@cloakroom/contracts';
import {
  EventLogError,
  inBatchSpan,
  publishInParts,
  RetryLater,
  traceHeaders,
  traceOfRecord,
  type LogRecord,
  type RecordBatch,
} from '@cloakroom/event-log';
import { applyOrMark, applyRecord, newCart } from './apply-record.ts';
import { pruneDead } from '../model/cart.ts';
import type { Place } from './cart.view.ts';
import { ViewUnavailable } from './cart.view.ts';
import { encodeEvent, type CartRecord } from '../model/codec.ts';
import { guestJoins, recordsProjected } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { writeSnapshots } from './snapshots.ts';

export type Projected =
  | { readonly outcome: 'applied'; readonly next: bigint }
  /** The view stands elsewhere: the batch is not the next one. */
  | { readonly outcome: 'elsewhere' };

/** @throws UndecodableRecord; RetryLater when the view or the log is down */
export function projectBatch(parts: CartParts, logId: string, batch: RecordBatch): Promise<Projected> {
  return inBatchSpan(`project ${batch.topic}`, batch, {}, (seen) => project(parts, logId, seen));
}

async function project(parts: CartParts, logId: string, batch: RecordBatch): Promise<Projected> {
  const { partition, records } = batch;
  const { place, carts } = await orRetryLater(parts.view.load(partition, [...new Set(records.map(({ key }) => key))]));
  if (place === undefined || place.logId !== logId) return { outcome: 'elsewhere' };
  const fresh = records.filter(({ offset }) => offset >= place.next);
  // The predecessor rule: what is applied begins exactly where the view ends.
  if (fresh[0]?.offset !== place.next) return { outcome: 'elsewhere' };

  // A replay beside the serving view tells nobody: the serving one has.
  const tells = parts.replays !== true;
  const apply = tells ? applyRecord : applyOrMark;
  const applied = applyRecords(carts, fresh, (cart, record) => apply(cart, record, parts.evolve));
  // Before anything is forgotten: in a batch that was not projected for weeks a guest's removal may be old already, and must still arrive.
  if (tells) await forwardGuests(parts, place, applied);
  forgetTheDead(applied, fresh.at(-1)!.timestampMs);
  if (tells) await writeSnapshots(parts, applied);
  const next = fresh.at(-1)!.offset + 1n;
  const written = await orRetryLater(
    parts.view.apply(partition, {
      expected: place,
      place: { ...place, next },
      carts: [...applied.values()].map(({ cart }) => cart),
      traces: tracesOf(applied),
    }),
  );
  if (!written) return { outcome: 'elsewhere' };
  recordsProjected.inc(fresh.length);
  return { outcome: 'applied', next };
}

/** A cart's notice is of the trace of the newest change that it tells of. */
function tracesOf(applied: ReadonlyMap<string, Applied>): ReadonlyMap<string, string> {
  return new Map(
    [...applied].flatMap(([cartId, { changed }]) => {
      const { traceparent } = changed === undefined ? { traceparent: null } : traceOfRecord(changed);
      return traceparent === null ? [] : [[cartId, traceparent] as const];
    }),
  );
}

/** A cart that the batch touched. */
export interface Applied {
  cart: CartRecord;
  /** Offset and time of the newest record that changed it; undefined when none did. */
  changed: LogRecord | undefined;
}

function applyRecords(
  carts: ReadonlyMap<string, CartRecord>,
  records: readonly LogRecord[],
  apply: (cart: CartRecord, record: LogRecord) => CartRecord,
): Map<string, Applied> {
  const touched = new Map<string, Applied>();
  for (const record of records) {
    const before = touched.get(record.key) ?? { cart: carts.get(record.key) ?? newCart(record.key), changed: undefined };
    if (record.offset < before.cart.position) continue;
    const after = apply(before.cart, record);
    touched.set(record.key, { cart: after, changed: after.state === before.cart.state ? before.changed : record });
  }
  return touched;
}

function forgetTheDead(touched: ReadonlyMap<string, Applied>, nowMs: number): void {
  for (const applied of touched.values()) {
    // A cart that waits for a redrive forgets nothing: the redriven add may be long dead.
    if (applied.cart.missing.size > 0) continue;
    applied.cart = { ...applied.cart, state: pruneDead(applied.cart.state, nowMs) };
  }
}

/**
 * Copies what changed in claimed guest carts into their users' logs: the guest's whole state, at the offset of the newest change. Several
 * changes in one batch are one copy.
 */
async function forwardGuests(parts: CartParts, place: Place, applied: ReadonlyMap<string, Applied>): Promise<void> {
  const joins = [];
  for (const { cart, changed } of applied.values()) {
    const { cartId, claimedBy, dots, coupons, dead, origins } = cart.state;
    if (changed === undefined || claimedBy === undefined || !isGuestSubject(cartId)) continue;
    // Replayed after a wipe: it was forwarded in its first life.
    if (changed.offset < place.forwardedTo) continue;
    if (await hasJoined(parts, claimedBy, cartId, changed.offset)) continue;
    const atMs = parts.clock.nowMs();
    // Of the newest change: the sign-in itself, or what the guest did after it.
    const trace = traceHeaders(traceOfRecord(changed));
    const event = encodeEvent({
      type: 'GuestJoined',
      cartId: claimedBy,
      atMs,
      guestCartId: cartId,
      guestOffset: changed.offset,
      dots,
      coupons,
      dead,
      origins,
    });
    joins.push({ key: claimedBy, value: event.value, headers: { ...event.headers, ...trace } });
  }
  await orRetryLater(publishInParts(parts.eventLog, parts.topics.events, joins));
  guestJoins.inc(joins.length);
}

/** Saves a second copy after a crash between append and apply; being wrong would only cost that copy. */
async function hasJoined(parts: CartParts, userCartId: string, guestCartId: string, guestOffset: bigint): Promise<boolean> {
  const { carts } = await orRetryLater(parts.view.load(partitionOf(userCartId, parts.topics.events), [userCartId]));
  const joined = carts.get(userCartId)?.state.joined.get(guestCartId);
  return joined !== undefined && joined.guestOffset >= guestOffset;
}

/** Blames the dependency, so that no record is buried because a store or a broker was away. */
export async function orRetryLater<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const away = error instanceof ViewUnavailable || (error instanceof EventLogError && error.kind !== 'fatal');
    if (away) throw new RetryLater(error.message, { cause: error });
    throw error;
  }
}
