/** Applies one record of the log to its cart. Pure, apart from a counter. The projector, a replay and `history` share it. */
import type { LogRecord } from '@cloakroom/event-log';
import { emptyCart, type evolveInBatch, type LogOffset, type OwnMaps } from '../model/cart.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { claims } from '../metrics.ts';
import { holds, homeOf, positionsAfter, redriveOf } from './two-logs.ts';

/** The rules of model/cart.ts. */
export type Evolve = typeof evolveInBatch;

/** A cart that a batch touched. */
export interface Applied {
  cart: CartRecord;
  /** The newest record that changed it, or was redriven; undefined when none did. */
  changed: LogRecord | undefined;
  /** Whether the batch brought the claim of this guest's cart. */
  claimed: boolean;
}

export const newCart = (cartId: string): CartRecord => ({
  state: emptyCart(cartId),
  position: 0n,
  missing: new Set(),
  eventsSinceSnapshot: 0,
  oldestUnsnapshottedAtMs: 0,
});

/**
 * @param own the maps of the batch, which may be changed in place. A caller that gives them drops `cart`, and the whole batch when this throws.
 * @param region whose log the record was copied from; undefined for this region's own
 * @returns the very same cart when it holds the record already
 * @throws UndecodableRecord
 */
export function applyRecord(cart: CartRecord, record: LogRecord, rules: Evolve, own?: OwnMaps, region?: string): CartRecord {
  if (holds(cart, record, region)) return cart;
  const reached = { ...cart, ...positionsAfter(cart, record, region) };
  // A redriven copy of a record that this cart does not wait for: the cart applied it already, or a newer build read it in its own place.
  // Its
  // dots may have died and been forgotten since, so the cart must not take it a second time.
  const redriven = redriveOf(record);
  if (redriven !== undefined && !isMissing(cart, redriven, record, region)) return reached;
  const event = decodeEvent(record);
  const state = rules(cart.state, event, own);
  if (event.type === 'GuestCartClaimed') claims.inc({ outcome: outcomeOfClaim(cart, state.claimedBy, event.userCartId) });
  return {
    ...withoutRedriven(reached, record, region),
    state,
    eventsSinceSnapshot: cart.eventsSinceSnapshot + 1,
    oldestUnsnapshottedAtMs: cart.oldestUnsnapshottedAtMs || record.timestampMs,
  };
}

/** Marks the cart of a record that cannot be applied. The cart counts as incomplete, in its snapshots too, until the record is redriven. */
export function markMissing(cart: CartRecord, record: Pick<LogRecord, 'offset' | 'headers' | 'timestampMs'>, region?: string): CartRecord {
  // A redriven record that is buried again: this mark replaces its earlier one.
  const reached = withoutRedriven({ ...cart, ...positionsAfter(cart, record, region) }, record, region);
  return {
    ...reached,
    ...withMissing(reached, record, region),
    // Retention will take the record. A snapshot before that keeps the mark.
    oldestUnsnapshottedAtMs: cart.oldestUnsnapshottedAtMs || record.timestampMs,
  };
}

/**
 * For readers that follow a projector: a record that the projector could not read is in the dead-letter topic already, so they only mark the cart.
 * Both steps are pure, so an error is the record's fault.
 */
export function applyOrMark(cart: CartRecord, record: LogRecord, rules: Evolve, _own?: OwnMaps, region?: string): CartRecord {
  try {
    const after = applyRecord(cart, record, rules, undefined, region);
    // The projector also buries a record whose cart cannot be encoded.
    if (after.state !== cart.state) encodeCart(after);
    return after;
  } catch {
    return markMissing(cart, record, region);
  }
}

/** Whether a record of this cart, of any region, waits in a dead-letter topic. */
export const isIncomplete = ({ missing, inRegions }: CartRecord): boolean => missing.size + (inRegions?.missing.length ?? 0) > 0;

/** Whether the cart carries the mark of the record that stood at this offset, in the log that `record` names. */
export function isMissing(cart: CartRecord, offset: bigint, record: Pick<LogRecord, 'headers'>, region: string | undefined): boolean {
  if (region === undefined) return cart.missing.has(offset);
  const origin = homeOf(record, region);
  return cart.inRegions?.missing.some((of) => isIn(of, origin) && of.offset === offset) === true;
}

const isIn = (of: LogOffset, log: LogOffset | undefined): boolean => of.region === log?.region && of.logId === log.logId;

function withMissing(cart: CartRecord, record: Pick<LogRecord, 'offset' | 'headers'>, region: string | undefined): Partial<CartRecord> {
  if (region === undefined) return { missing: new Set(cart.missing).add(record.offset) };
  const { positions, missing } = cart.inRegions ?? { positions: [], missing: [] };
  // A record that does not say where it came from still leaves its cart incomplete.
  return { inRegions: { positions, missing: [...missing, homeOf(record, region) ?? { region, logId: '', offset: record.offset }] } };
}

/** A redriven record clears the mark of its first burial. */
function withoutRedriven(cart: CartRecord, record: Pick<LogRecord, 'headers'>, region: string | undefined): CartRecord {
  const redriven = redriveOf(record);
  if (redriven === undefined || !isMissing(cart, redriven, record, region)) return cart;
  if (region === undefined) return { ...cart, missing: new Set([...cart.missing].filter((offset) => offset !== redriven)) };
  const origin = homeOf(record, region);
  const missing = cart.inRegions!.missing.filter((of) => !isIn(of, origin) || of.offset !== redriven);
  return { ...cart, inRegions: { ...cart.inRegions!, missing } };
}

function outcomeOfClaim(before: CartRecord, claimedBy: string | undefined, userCartId: string): string {
  if (claimedBy !== userCartId) return 'refused_other_user';
  return before.state.claimedBy === userCartId ? 'repeated' : 'claimed';
}
