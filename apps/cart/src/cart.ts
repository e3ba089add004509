/**
 * What a cart is. Pure: no I/O, no clock, no randomness.
 *
 * One dot per command. A dot lives until something that saw it kills it, and a dead dot never lives again; so events commute, and
 * delivering one twice changes nothing. Kills name what was observed: a concurrent add survives a removal. What other shops do instead
 * (union, sum, maximum, last writer wins) loses or resurrects items: docs/carts.md.
 *
 * Only one thing depends on the order in the cart's own log: of two commands with one id and different payloads the first one stands, and
 * of two claims of a guest cart. Both are faults of the sender; the log's order is the same for every reader.
 */
import { isGuestSubject, isUserSubject } from '@cloakroom/contracts';
import { cartOfDot, couponScope, type CartState, type Dot, type Live, type Scope } from './cart.state.ts';
import { Draft } from './draft.ts';
import type { LineId } from './lines.ts';

export * from './cart.state.ts';

export type CartEvent = { readonly cartId: string; readonly atMs: number } & (
  | { readonly type: 'ItemAdded'; readonly dot: Dot; readonly line: LineId; readonly quantity: number }
  | { readonly type: 'QuantitySet'; readonly dot: Dot; readonly line: LineId; readonly quantity: number; readonly observed: readonly Dot[] }
  | { readonly type: 'ItemRemoved'; readonly dot: Dot; readonly line: LineId; readonly observed: readonly Dot[] }
  | { readonly type: 'CartCleared'; readonly dot: Dot; readonly observed: readonly Dot[] }
  | { readonly type: 'CouponApplied'; readonly dot: Dot; readonly code: string }
  | { readonly type: 'CouponRemoved'; readonly dot: Dot; readonly code: string; readonly observed: readonly Dot[] }
  | { readonly type: 'OrderPlaced'; readonly orderId: string; readonly dots: readonly Dot[] }
  | { readonly type: 'GuestCartClaimed'; readonly userCartId: string; readonly claimEventId: string }
  | {
      readonly type: 'GuestJoined';
      readonly guestCartId: string;
      readonly guestOffset: bigint;
      readonly dots: ReadonlyMap<Dot, Live>;
      readonly coupons: ReadonlyMap<Dot, string>;
      readonly dead: ReadonlyMap<Dot, number>;
    }
);

/** Returns the very same object when the event changes nothing: a repeated event is told by identity. */
export function evolve(state: CartState, event: CartEvent): CartState {
  switch (event.type) {
    case 'ItemAdded': {
      const draft = new Draft(state);
      draft.live(event.dot, { line: event.line, quantity: event.quantity, kind: 'add' });
      return draft.done();
    }
    case 'CouponApplied': {
      const draft = new Draft(state);
      draft.note(event.dot, event.code);
      return draft.done();
    }
    case 'QuantitySet': {
      const dot: Live = { line: event.line, quantity: event.quantity, kind: 'set' };
      if (isOtherCommand(state, event.dot, dot)) return state;
      const draft = new Draft(state);
      // The kills count even when the set itself is dead already: whoever killed it may not have seen what it replaced.
      draft.kill(observedOf(event), event.atMs, event.line);
      draft.live(event.dot, dot);
      return draft.done();
    }
    case 'ItemRemoved':
    case 'CouponRemoved':
    case 'CartCleared': {
      if (isLive(state, event.dot)) return state;
      const draft = new Draft(state);
      draft.kill(observedOf(event), event.atMs, scopeOf(event));
      // A removal's own dot is born dead: its command id can never be an add later.
      draft.kill([event.dot], event.atMs, undefined);
      return draft.done();
    }
    case 'OrderPlaced': {
      // Orders has made these dots one order's for ever: also those that are not here yet are dead from now on.
      const draft = new Draft(state);
      draft.kill(event.dots, event.atMs, undefined);
      return draft.done();
    }
    case 'GuestCartClaimed':
      return mayClaim(state, event.userCartId) ? { ...state, claimedBy: event.userCartId } : state;
    case 'GuestJoined':
      return joinGuest(state, event);
  }
}

function scopeOf(event: Extract<CartEvent, { type: 'ItemRemoved' | 'CouponRemoved' | 'CartCleared' }>): Scope | undefined {
  if (event.type === 'CartCleared') return undefined;
  return event.type === 'ItemRemoved' ? event.line : couponScope(event.code);
}

const isLive = (state: CartState, dot: Dot): boolean => state.dots.has(dot) || state.coupons.has(dot);

/** A command cannot have observed itself: that would kill it at birth. */
function observedOf(event: { readonly dot: Dot; readonly observed: readonly Dot[] }): Dot[] {
  return event.observed.filter((dot) => dot !== event.dot);
}

/** One user only, ever; only a guest's cart; so no chains and no cycles. */
function mayClaim(state: CartState, userCartId: string): boolean {
  return state.claimedBy === undefined && isGuestSubject(state.cartId) && isUserSubject(userCartId);
}

/**
 * A union under the same dots. Each GuestJoined carries the guest's whole state at its offset, so one that is not newer than what is
 * joined holds nothing new and is skipped: that also keeps a replay, weeks later, from reviving dots whose death has been pruned.
 */
function joinGuest(state: CartState, event: Extract<CartEvent, { type: 'GuestJoined' }>): CartState {
  if (!isGuestSubject(event.guestCartId) || !isUserSubject(state.cartId)) return state;
  const before = state.joined.get(event.guestCartId);
  const newer = before === undefined || event.guestOffset > before.guestOffset;
  if (!newer && event.atMs >= before.atMs) return state;
  const draft = new Draft(state);
  if (newer) {
    for (const [dot, killedAtMs] of event.dead) draft.kill([dot], killedAtMs, undefined);
    for (const [dot, live] of event.dots) draft.live(dot, live);
    for (const [dot, code] of event.coupons) draft.note(dot, code);
  }
  const joined = new Map(state.joined).set(event.guestCartId, {
    guestOffset: newer ? event.guestOffset : before.guestOffset,
    atMs: Math.min(before?.atMs ?? event.atMs, event.atMs),
  });
  return { ...draft.done(), joined };
}

export interface LineView {
  readonly lineId: LineId;
  readonly quantity: number;
  readonly dots: readonly Dot[];
}

/** The lines that a person sees, by line id: an order that no command changes. `quantity = max(live sets) + sum(live adds)`. */
export function linesOf(state: CartState): LineView[] {
  const lines = new Map<LineId, { set: number; added: number; dots: Dot[] }>();
  for (const [dot, { line, quantity, kind }] of state.dots) {
    const sum = lines.get(line) ?? { set: 0, added: 0, dots: [] };
    if (kind === 'set') sum.set = Math.max(sum.set, quantity);
    else sum.added += quantity;
    sum.dots.push(dot);
    lines.set(line, sum);
  }
  return [...lines]
    .map(([lineId, { set, added, dots }]) => ({ lineId, quantity: set + added, dots }))
    .filter(({ quantity }) => quantity > 0)
    .sort((a, b) => (a.lineId < b.lineId ? -1 : 1));
}

/** Of a command that makes a dot: what it puts into the cart. A string is a coupon's code; undefined, as a removal, nothing. */
export type Made = Live | string | undefined;

/** Whether this command id already stands in the cart for something else. Best effort at the command; the log decides. */
export function isOtherCommand(state: CartState, dot: Dot, made: Made): boolean {
  const code = state.coupons.get(dot);
  if (code !== undefined) return made !== code;
  const known = state.dots.get(dot);
  if (known === undefined) return false;
  if (made === undefined || typeof made === 'string') return true;
  return known.line !== made.line || known.quantity !== made.quantity || known.kind !== made.kind;
}

export interface CouponView {
  readonly code: string;
  readonly dots: readonly Dot[];
}

/** By code: an order that no command changes. One that was applied twice is one. */
export function couponsOf({ coupons }: CartState): CouponView[] {
  return [...Map.groupBy(coupons, ([, code]) => code)]
    .map(([code, its]) => ({ code, dots: its.map(([dot]) => dot) }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

const dayMs = 24 * 60 * 60 * 1000;
/** Twice the age at which a command id is refused: no late command can meet a forgotten death. */
export const deadKeptMs = 14 * dayMs;

/**
 * Forgets deaths that nothing can meet any more. One of a dot that was made in another cart is never forgotten: a record of that guest, or its
 * claim, may be redriven after any time, and a guest always sends its whole state, in which what was removed or ordered here still lives.
 * Of a cart with a record in the dead-letter topic nothing at all is forgotten: project-batch.ts does not ask.
 */
export function pruneDead(state: CartState, nowMs: number): CartState {
  const isKept = (dot: Dot, killedAtMs: number): boolean => killedAtMs > nowMs - deadKeptMs || cartOfDot(dot) !== state.cartId;
  const dead = [...state.dead].filter(([dot, killedAtMs]) => isKept(dot, killedAtMs));
  const doomed = [...state.doomed].filter(([dot, scopes]) => isKept(dot, Math.max(...scopes.values())));
  if (dead.length === state.dead.size && doomed.length === state.doomed.size) return state;
  return { ...state, dead: new Map(dead), doomed: new Map(doomed) };
}
