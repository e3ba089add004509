/**
 * Applies one batch of a partition to the view: read, evolve, forward, snapshot, write. Each step may happen twice, and the effect is
 * exact:
 *
 * - The write succeeds only at the place that the read found. So when two projectors hold a partition for a moment, one of them applies a
 *   batch.
 * - The projector forwards a guest's change to its user's log *before* the watermark passes the change. A projector that is killed in
 *   between forwards it again, and a second GuestJoined of the same offset changes nothing.
 * - A record below the watermark, or below the position of its cart (restored from a snapshot), is skipped without being decoded.
 * - A record that cannot be decoded throws before anything of its batch is applied. The event log then hands the batch over record by
 *   record, and only this record goes to the dead-letter topic.
 * - A loaded cart is never changed, because the view may hand out the same one again. The batch changes its own copies in place (OwnMaps),
 *   and they are gone with the batch, also when it is refused.
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
import { type Applied, applyOrMark, applyRecord, isIncomplete, newCart } from './apply-record.ts';
import { offsetIn, OwnMaps, pruneDead, type Joined, type LogOffset } from '../model/cart.ts';
import type { CarriedCarts } from './carried-carts.ts';
import { samePlace, ViewUnavailable, type Place } from './cart.view.ts';
import { encodeEvent, type CartRecord } from '../model/codec.ts';
import { guestJoins, recordsProjected } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { isSnapshotDue, writeSnapshots } from './snapshots.ts';
import { copiedFrom, heardEverywhereMs, isTorn, nextIn, offsetsOf, placeAfter, placeBeforeGap, redriveOf } from './two-logs.ts';

export type Projected =
  /** `next` is the offset of the next record in the log of the batch. */
  | { readonly outcome: 'applied'; readonly next: bigint; readonly place: Place }
  /** The view stands elsewhere: the batch is not the next one. */
  | { readonly outcome: 'elsewhere' };

/**
 * @param carried the carts that this member has just written; undefined: each batch is loaded
 * @throws UndecodableRecord; RetryLater when the view or the log is down
 */
export function projectBatch(parts: CartParts, logId: string, batch: RecordBatch, carried?: CarriedCarts): Promise<Projected> {
  return inBatchSpan(`project ${batch.topic}`, batch, {}, (seen) => project(parts, logId, seen, carried));
}

async function project(parts: CartParts, logId: string, batch: RecordBatch, carried: CarriedCarts | undefined): Promise<Projected> {
  const found = await find(parts, batch, carried);
  const projected = await projectOn(parts, logId, batch, { ...found, carried });
  if (projected.outcome !== 'elsewhere') return projected;
  carried?.drop(batch.partition);
  return found.isCarried ? projectOn(parts, logId, batch, { ...(await load(parts, batch)), carried }) : projected;
}

interface Found {
  readonly place: Place | undefined;
  readonly carts: ReadonlyMap<string, CartRecord>;
  /** Whether this is, in part, what this member carries. Then nothing but the write at its place shows that it is still right. */
  readonly isCarried: boolean;
}

/** Loads only the carts that this member does not carry. */
async function find(parts: CartParts, batch: RecordBatch, carried: CarriedCarts | undefined): Promise<Found> {
  const cartIds = cartsOf(batch);
  const stand = carried?.of(batch.partition, cartIds);
  const unknown = cartIds.filter((cartId) => stand?.carts.has(cartId) !== true);
  if (stand === undefined || unknown.length === cartIds.length) return load(parts, batch);
  if (unknown.length === 0) return { ...stand, isCarried: true };
  const { place, carts } = await orRetryLater(parts.view.load(batch.partition, unknown));
  if (samePlace(place, stand.place)) return { place: stand.place, carts: new Map([...stand.carts, ...carts]), isCarried: true };
  carried?.drop(batch.partition);
  return load(parts, batch);
}

async function load({ view }: CartParts, batch: RecordBatch): Promise<Found> {
  return { ...(await orRetryLater(view.load(batch.partition, cartsOf(batch)))), isCarried: false };
}

const cartsOf = ({ records }: RecordBatch): string[] => [...new Set(records.map(({ key }) => key))];

async function projectOn(
  parts: CartParts,
  logId: string,
  batch: RecordBatch,
  { place, carts, isCarried, carried }: Found & { readonly carried: CarriedCarts | undefined },
): Promise<Projected> {
  const { partition, records } = batch;
  const region = copiedFrom(parts.topics, batch.topic);
  const next = place && nextIn(place, region);
  if (place === undefined || next === undefined || place.logId !== logId) return { outcome: 'elsewhere' };
  const fresh = records.filter(({ offset }) => offset >= next);
  // The predecessor rule: the batch must begin exactly where the view ends.
  if (fresh[0]?.offset !== next) return { outcome: 'elsewhere' };
  if (isTorn(place, region)) return { outcome: 'elsewhere' };
  const beforeGap = region === undefined ? undefined : placeBeforeGap(place, region, fresh);
  if (beforeGap !== undefined) {
    parts.log.error({ partition, region }, 'records are missing before the next one of a copied log; the copy is read again');
    await orRetryLater(parts.view.apply(partition, { expected: place, place: beforeGap, carts: [] }));
    return { outcome: 'elsewhere' };
  }

  // A replay forwards nothing and writes no snapshot: the projector of the serving view has done so.
  const tells = parts.replays !== true;
  // A replay goes on after a record that fails, with the cart as it was before. So it changes no map in place.
  const own = tells ? new OwnMaps() : undefined;
  const apply = tells ? applyRecord : applyOrMark;
  const applied = applyRecords(carts, fresh, (cart, record) => apply(cart, record, parts.evolve, own, region));
  // The view must confirm the place before others hear of this batch.
  if (tells && isCarried && isTold(applied, region) && !(await standsAt(parts, partition, place))) return { outcome: 'elsewhere' };
  // Forward before forgetting: a batch may have waited for weeks. An old removal of a guest in it must still reach the user's cart.
  if (tells) await forwardGuests(parts, place, applied, region);
  forgetTheDead(applied, heardEverywhereMs(place, fresh.at(-1)!.timestampMs));
  if (tells) await writeSnapshots(parts, applied);
  const after = placeAfter(place, region, fresh);
  const written = [...applied.values()].map(({ cart }) => cart);
  const change = { expected: place, place: after, carts: written, traces: tracesOf(applied) };
  if (!(await orRetryLater(parts.view.apply(partition, change)))) return { outcome: 'elsewhere' };
  carried?.keep(partition, place, after, written);
  recordsProjected.inc(fresh.length);
  return { outcome: 'applied', next: fresh.at(-1)!.offset + 1n, place: after };
}

async function standsAt({ view }: CartParts, partition: number, place: Place): Promise<boolean> {
  return samePlace((await orRetryLater(view.places([partition]))).get(partition), place);
}

/** Whether the batch writes anything besides the view. */
function isTold(applied: ReadonlyMap<string, Applied>, region: string | undefined): boolean {
  return [...applied.values()].some((one) => isForwarded(one, region) || isSnapshotDue(one.cart));
}

/**
 * The region where a record was appended forwards it, and no other does. A copied claim is one exception: what the guest did in this region
 * before the claim was known here has not been forwarded by any region.
 */
function isForwarded({ cart: { state, position }, changed, claimed }: Applied, region: string | undefined): boolean {
  if (changed === undefined || state.claimedBy === undefined || !isGuestSubject(state.cartId)) return false;
  return region === undefined || (claimed && position > 0n);
}

/** A cart's notice belongs to the trace of its newest change. */
function tracesOf(applied: ReadonlyMap<string, Applied>): ReadonlyMap<string, string> {
  return new Map(
    [...applied].flatMap(([cartId, { changed }]) => {
      const { traceparent } = changed === undefined ? { traceparent: null } : traceOfRecord(changed);
      return traceparent === null ? [] : [[cartId, traceparent] as const];
    }),
  );
}

function applyRecords(
  carts: ReadonlyMap<string, CartRecord>,
  records: readonly LogRecord[],
  apply: (cart: CartRecord, record: LogRecord) => CartRecord,
): Map<string, Applied> {
  const touched = new Map<string, Applied>();
  for (const record of records) {
    const before = touched.get(record.key) ?? { cart: carts.get(record.key) ?? newCart(record.key), changed: undefined, claimed: false };
    const after = apply(before.cart, record);
    // The cart held it.
    if (after === before.cart) continue;
    // A redriven record that a guest's cart has read in its own place may be missing at the user's (redrive.ts).
    const isNews = after.state !== before.cart.state || redriveOf(record) !== undefined;
    const changed = isNews ? record : before.changed;
    touched.set(record.key, { cart: after, changed, claimed: before.claimed || after.state.claimedBy !== before.cart.state.claimedBy });
  }
  return touched;
}

function forgetTheDead(touched: ReadonlyMap<string, Applied>, nowMs: number): void {
  for (const applied of touched.values()) {
    // A cart that waits for a redrive forgets nothing: a death of the redriven add may be old.
    if (isIncomplete(applied.cart)) continue;
    applied.cart = { ...applied.cart, state: pruneDead(applied.cart.state, nowMs) };
  }
}

/**
 * Copies changed guest carts that are claimed into their users' logs: the guest's whole state, at the offset of the newest change. Several
 * changes in one batch make one copy.
 */
async function forwardGuests(
  parts: CartParts,
  place: Place,
  applied: ReadonlyMap<string, Applied>,
  region: string | undefined,
): Promise<void> {
  const joins = [];
  for (const one of applied.values()) {
    const { cart, changed } = one;
    const { cartId, claimedBy, dots, coupons, dead, origins } = cart.state;
    if (changed === undefined || claimedBy === undefined || !isForwarded(one, region)) continue;
    const guestOffset = region === undefined ? changed.offset : cart.position - 1n;
    // A replay after a wipe: the change was forwarded before the view was lost. With two logs it may have been passed before its claim came.
    if (place.mirrors === undefined && guestOffset < place.forwardedTo) continue;
    const own = { region: parts.region, logId: place.logId, offset: guestOffset };
    const joined = await joinedOf(parts, claimedBy, cartId);
    if (isWithin(joined, own)) continue;
    // A join that has offsets of several regions is followed only by joins that have them, also once the others are given up.
    const isOfRegions = place.mirrors !== undefined || joined?.guestOffsets !== undefined;
    const atMs = parts.clock.nowMs();
    // The trace of the newest change: the sign-in itself, or a later command of the guest.
    const trace = traceHeaders(traceOfRecord(changed));
    const event = encodeEvent({
      type: 'GuestJoined',
      cartId: claimedBy,
      atMs,
      guestCartId: cartId,
      guestOffset,
      dots,
      coupons,
      dead,
      origins,
      ...(isOfRegions && { guestOffsets: offsetsOf(cart, own) }),
    });
    joins.push({ key: claimedBy, value: event.value, headers: { ...event.headers, ...trace } });
  }
  await orRetryLater(publishInParts(parts.eventLog, parts.topics.events, joins));
  guestJoins.inc(joins.length);
}

async function joinedOf(parts: CartParts, userCartId: string, guestCartId: string): Promise<Joined | undefined> {
  const { carts } = await orRetryLater(parts.view.load(partitionOf(userCartId, parts.topics.events), [userCartId]));
  return carts.get(userCartId)?.state.joined.get(guestCartId);
}

/** Saves a second copy after a crash between append and apply. A wrong answer only costs that copy. */
function isWithin(joined: Joined | undefined, own: LogOffset): boolean {
  if (joined?.guestOffsets !== undefined) return (offsetIn(joined.guestOffsets, own) ?? -1n) >= own.offset;
  return joined !== undefined && joined.guestOffset >= own.offset;
}

/** Turns a failure of the store or the broker into RetryLater, so that no record is buried for it. */
export async function orRetryLater<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const away = error instanceof ViewUnavailable || (error instanceof EventLogError && error.kind !== 'fatal');
    if (away) throw new RetryLater(error.message, { cause: error });
    throw error;
  }
}
