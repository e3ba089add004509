/**
 * What a cart is. Pure: no I/O, no clock, no randomness.
 *
 * A command counts once, known by its id: whichever of a person's carts took it, and however often. It lives until something that saw it kills
 * it, and what is dead never lives again; so events commute, and delivering one twice changes nothing. Kills name what was observed: a
 * concurrent add survives a removal. What other shops do instead (union, sum, maximum, last writer wins) loses or resurrects items:
 * docs/carts.md.
 *
 * Only two things depend on the order in the cart's own log: of two commands with one id and different payloads the first stands, and so
 * does the first of two claims of a guest cart. Both are faults of the sender; the log's order is the same for every reader.
 */
import { isGuestSubject, isUserSubject } from '@cloakroom/contracts';
import {
  cartOfDot,
  commandOfDot,
  couponScope,
  dotIn,
  type CartState,
  type CommandId,
  type Dot,
  type Live,
  type LogOffset,
  type Origins,
  type Scope,
} from './cart.state.ts';
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
      readonly dots: ReadonlyMap<CommandId, Live>;
      readonly coupons: ReadonlyMap<CommandId, string>;
      readonly dead: ReadonlyMap<CommandId, number>;
      /** As in the guest's cart: what is missing was made there alone. */
      readonly origins: Origins;
      readonly guestOffsets?: readonly LogOffset[];
    }
);

/** Returns the very same object when the event changes nothing: a repeated event is told by identity. */
export function evolve(state: CartState, event: CartEvent): CartState {
  switch (event.type) {
    case 'ItemAdded': {
      const draft = new Draft(state);
      draft.live(commandOfDot(event.dot), cartOfDot(event.dot), { line: event.line, quantity: event.quantity, kind: 'add' });
      return draft.done();
    }
    case 'CouponApplied': {
      const draft = new Draft(state);
      draft.note(commandOfDot(event.dot), cartOfDot(event.dot), event.code);
      return draft.done();
    }
    case 'QuantitySet': {
      const live: Live = { line: event.line, quantity: event.quantity, kind: 'set' };
      const id = commandOfDot(event.dot);
      if (isOtherCommand(state, id, live)) return state;
      const draft = new Draft(state);
      // The kills count even when the set itself is dead already: whoever killed it may not have seen what it replaced.
      draft.killAll(observedOf(event), event.atMs, event.line);
      draft.live(id, cartOfDot(event.dot), live);
      return draft.done();
    }
    case 'ItemRemoved':
    case 'CouponRemoved':
    case 'CartCleared': {
      if (isLive(state, commandOfDot(event.dot))) return state;
      const draft = new Draft(state);
      draft.killAll(observedOf(event), event.atMs, scopeOf(event));
      // A removal's own dot is born dead: its command id can never be an add later.
      draft.killAll([event.dot], event.atMs, undefined);
      return draft.done();
    }
    case 'OrderPlaced': {
      // Orders has made these dots one order's for ever: also those that are not here yet are dead from now on.
      const draft = new Draft(state);
      draft.killAll(event.dots, event.atMs, undefined);
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

const isLive = (state: CartState, id: CommandId): boolean => state.dots.has(id) || state.coupons.has(id);

/** A command cannot have observed itself, under whichever name: that would kill it at birth. */
function observedOf(event: { readonly dot: Dot; readonly observed: readonly Dot[] }): Dot[] {
  const own = commandOfDot(event.dot);
  return event.observed.filter((dot) => commandOfDot(dot) !== own);
}

/** One user only, ever; only a guest's cart; so no chains and no cycles. */
function mayClaim(state: CartState, userCartId: string): boolean {
  return state.claimedBy === undefined && isGuestSubject(state.cartId) && isUserSubject(userCartId);
}

/**
 * A union under the same commands. Each GuestJoined carries the guest's whole state at its offset, so one that is not newer than what is
 * joined holds nothing new and is skipped: that also keeps a replay, weeks later, from reviving dots whose death has been pruned.
 */
function joinGuest(state: CartState, event: Extract<CartEvent, { type: 'GuestJoined' }>): CartState {
  if (!isGuestSubject(event.guestCartId) || !isUserSubject(state.cartId)) return state;
  const before = state.joined.get(event.guestCartId);
  const newer = before === undefined || event.guestOffset > before.guestOffset;
  if (!newer && event.atMs >= before.atMs) return state;
  const draft = new Draft(state);
  if (newer) {
    for (const [id, killedAtMs] of event.dead) draft.kill(id, event.guestCartId, killedAtMs, undefined);
    for (const [id, live] of event.dots) draft.live(id, event.guestCartId, live);
    for (const [id, code] of event.coupons) draft.note(id, event.guestCartId, code);
    draft.alsoMadeIn(event.origins);
  }
  const { guestOffset, guestOffsets } = newer ? event : before;
  const atMs = Math.min(before?.atMs ?? event.atMs, event.atMs);
  const joined = new Map(state.joined).set(event.guestCartId, { guestOffset, atMs, ...(guestOffsets && { guestOffsets }) });
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
  for (const [id, { line, quantity, kind }] of state.dots) {
    const sum = lines.get(line) ?? { set: 0, added: 0, dots: [] };
    if (kind === 'set') sum.set = Math.max(sum.set, quantity);
    else sum.added += quantity;
    sum.dots.push(dotIn(state, id));
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
export function isOtherCommand(state: CartState, id: CommandId, made: Made): boolean {
  const code = state.coupons.get(id);
  if (code !== undefined) return made !== code;
  const known = state.dots.get(id);
  if (known === undefined) return false;
  if (made === undefined || typeof made === 'string') return true;
  return known.line !== made.line || known.quantity !== made.quantity || known.kind !== made.kind;
}

export interface CouponView {
  readonly code: string;
  readonly dots: readonly Dot[];
}

/** By code: an order that no command changes. One that was applied twice is one. */
export function couponsOf(state: CartState): CouponView[] {
  return [...Map.groupBy(state.coupons, ([, code]) => code)]
    .map(([code, its]) => ({ code, dots: its.map(([id]) => dotIn(state, id)) }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

const dayMs = 24 * 60 * 60 * 1000;
/**
 * Longer than a death can still be met. A command may be repeated for 7 days, ids are made up to a day ahead, and by a guest whose session goes on for
 * 30 days before its person signs in (libs/session). A week is for a claim that is late.
 */
export const deadKeptMs = 45 * dayMs;

/**
 * Forgets deaths that nothing can meet any more. One of a command that was made in another cart too is never forgotten: a record of that guest, or
 * its claim, may be redriven after any time, and a guest always sends its whole state, in which what was removed or ordered here still lives.
 * Of a cart with a record in the dead-letter topic nothing at all is forgotten: project-batch.ts does not ask.
 */
export function pruneDead(state: CartState, nowMs: number): CartState {
  const isKept = (id: CommandId, killedAtMs: number): boolean => killedAtMs > nowMs - deadKeptMs || state.origins.has(id);
  const dead = [...state.dead].filter(([id, killedAtMs]) => isKept(id, killedAtMs));
  const doomed = [...state.doomed].filter(([id, scopes]) => isKept(id, Math.max(...scopes.values())));
  if (dead.length === state.dead.size && doomed.length === state.doomed.size) return state;
  return { ...state, dead: new Map(dead), doomed: new Map(doomed) };
}
