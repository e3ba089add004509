/** What one record of the log makes of its cart. Pure, but for what it counts; the projector, a replay and `history` share it. */
import { recordHeaders } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import { emptyCart, type evolve } from '../model/cart.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { claims } from '../metrics.ts';

/** The rules of model/cart.ts. */
export type Evolve = typeof evolve;

export const newCart = (cartId: string): CartRecord => ({
  state: emptyCart(cartId),
  position: 0n,
  missing: new Set(),
  eventsSinceSnapshot: 0,
  oldestUnsnapshottedAtMs: 0,
});

/** @throws UndecodableRecord */
export function applyRecord(cart: CartRecord, record: LogRecord, rules: Evolve): CartRecord {
  const position = record.offset + 1n;
  // A copy of what this cart does not wait for: it was applied, or read in its own place by a newer build. Whatever it made may have died and
  // been forgotten since, so it must not come a second time.
  const redriven = redriveOf(record);
  if (redriven !== undefined && !cart.missing.has(redriven)) return { ...cart, position };
  const event = decodeEvent(record);
  const state = rules(cart.state, event);
  if (event.type === 'GuestCartClaimed') claims.inc({ outcome: outcomeOfClaim(cart, state.claimedBy, event.userCartId) });
  return {
    ...cart,
    state,
    position,
    missing: withoutRedriven(cart.missing, record),
    eventsSinceSnapshot: cart.eventsSinceSnapshot + 1,
    oldestUnsnapshottedAtMs: cart.oldestUnsnapshottedAtMs || record.timestampMs,
  };
}

/** Of a record that cannot be applied: the cart says that it may lack something, in its snapshots too, until the record is redriven. */
export function markMissing(cart: CartRecord, record: Pick<LogRecord, 'offset' | 'headers' | 'timestampMs'>): CartRecord {
  return {
    ...cart,
    position: record.offset + 1n,
    // Buried again: its earlier mark gives way to this one.
    missing: new Set(withoutRedriven(cart.missing, record)).add(record.offset),
    // Retention takes the record, and must not take the mark with it.
    oldestUnsnapshottedAtMs: cart.oldestUnsnapshottedAtMs || record.timestampMs,
  };
}

/**
 * For who reads what a projector has read before: whatever that buried is in the dead-letter topic already. Both steps are pure, so whatever
 * they throw is the record's fault.
 */
export function applyOrMark(cart: CartRecord, record: LogRecord, rules: Evolve): CartRecord {
  try {
    const after = applyRecord(cart, record, rules);
    // What cannot be kept is buried as well.
    if (after.state !== cart.state) encodeCart(after);
    return after;
  } catch {
    return markMissing(cart, record);
  }
}

/** A redriven record clears the mark that its first burial left. */
function withoutRedriven(missing: ReadonlySet<bigint>, record: Pick<LogRecord, 'headers'>): ReadonlySet<bigint> {
  const redriven = redriveOf(record);
  if (redriven === undefined || !missing.has(redriven)) return missing;
  return new Set([...missing].filter((offset) => offset !== redriven));
}

function redriveOf({ headers }: Pick<LogRecord, 'headers'>): bigint | undefined {
  const text = headers[recordHeaders.redriveOf]?.toString() ?? '';
  return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

function outcomeOfClaim(before: CartRecord, claimedBy: string | undefined, userCartId: string): string {
  if (claimedBy !== userCartId) return 'refused_other_user';
  return before.state.claimedBy === userCartId ? 'repeated' : 'claimed';
}
