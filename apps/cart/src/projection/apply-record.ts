/** Applies one record of the log to its cart. Pure, apart from a counter. The projector, a replay and `history` share it. */
import { recordHeaders } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import { emptyCart, type evolveInBatch, type OwnMaps } from '../model/cart.ts';
import { decodeEvent, encodeCart, type CartRecord } from '../model/codec.ts';
import { claims } from '../metrics.ts';

/** The rules of model/cart.ts. */
export type Evolve = typeof evolveInBatch;

/** A cart that a batch touched. */
export interface Applied {
  cart: CartRecord;
  /** The newest record that changed it; undefined when none did. */
  changed: LogRecord | undefined;
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
 * @throws UndecodableRecord
 */
export function applyRecord(cart: CartRecord, record: LogRecord, rules: Evolve, own?: OwnMaps): CartRecord {
  const position = record.offset + 1n;
  // A redriven copy of a record that this cart does not wait for: the cart applied it already, or a newer build read it in its own place.
  // Its
  // dots may have died and been forgotten since, so the cart must not take it a second time.
  const redriven = redriveOf(record);
  if (redriven !== undefined && !cart.missing.has(redriven)) return { ...cart, position };
  const event = decodeEvent(record);
  const state = rules(cart.state, event, own);
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

/** Marks the cart of a record that cannot be applied. The cart counts as incomplete, in its snapshots too, until the record is redriven. */
export function markMissing(cart: CartRecord, record: Pick<LogRecord, 'offset' | 'headers' | 'timestampMs'>): CartRecord {
  return {
    ...cart,
    position: record.offset + 1n,
    // A redriven record that is buried again: this mark replaces its earlier one.
    missing: new Set(withoutRedriven(cart.missing, record)).add(record.offset),
    // Retention will take the record. A snapshot before that keeps the mark.
    oldestUnsnapshottedAtMs: cart.oldestUnsnapshottedAtMs || record.timestampMs,
  };
}

/**
 * For readers that follow a projector: a record that the projector could not read is in the dead-letter topic already, so they only mark the cart.
 * Both steps are pure, so an error is the record's fault.
 */
export function applyOrMark(cart: CartRecord, record: LogRecord, rules: Evolve): CartRecord {
  try {
    const after = applyRecord(cart, record, rules);
    // The projector also buries a record whose cart cannot be encoded.
    if (after.state !== cart.state) encodeCart(after);
    return after;
  } catch {
    return markMissing(cart, record);
  }
}

/** A redriven record clears the mark of its first burial. */
function withoutRedriven(missing: ReadonlySet<bigint>, record: Pick<LogRecord, 'headers'>): ReadonlySet<bigint> {
  const redriven = redriveOf(record);
  if (redriven === undefined || !missing.has(redriven)) return missing;
  return new Set([...missing].filter((offset) => offset !== redriven));
}

function redriveOf({ headers }: Pick<LogRecord, 'headers'>): bigint | undefined {
  const header = headers[recordHeaders.redriveOf];
  if (header === undefined) return undefined;
  const text = header.toString();
  return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

function outcomeOfClaim(before: CartRecord, claimedBy: string | undefined, userCartId: string): string {
  if (claimedBy !== userCartId) return 'refused_other_user';
  return before.state.claimedBy === userCartId ? 'repeated' : 'claimed';
}
