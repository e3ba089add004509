/**
 * The rules of a cart. Pure: no I/O, no clock, no randomness.
 *
 * A command is known by its id and counts once, however often it is repeated, and in whichever of a person's carts. It lives until a
 * command that saw it kills it. A dead command never lives again. So events commute, and delivering an event twice changes nothing. A kill
 * names the dots that its sender observed, so a concurrent add survives a removal. Other shops use union, sum, maximum or last writer wins,
 * and lose or resurrect items: docs/carts.md.
 *
 * With several regions a cart has a log in each, and no order is the same for every reader of two logs. So nothing here depends on the order
 * of commands. When two commands have one id and different payloads, which is a fault of the sender, their content decides (`Draft`). Only
 * claims depend on order: the first user keeps a guest cart. They stand in one log alone, that of the guest's home.
 */
import { isGuestSubject, isUserSubject } from '@cloakroom/contracts';
import {
  cartOfDot,
  commandOfDot,
  couponScope,
  dotIn,
  Draft,
  furthestOffsets,
  offsetIn,
  type CartState,
  type CommandId,
  type Dot,
  type Joined,
  type Live,
  type LogOffset,
  type Origins,
  type OwnMaps,
  type Scope,
} from './cart.state.ts';
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
      /** As in the guest's cart: a command without an entry was made there alone. */
      readonly origins: Origins;
      readonly guestOffsets?: readonly LogOffset[];
    }
);

/** @returns the very same object when the event changes nothing, so a caller recognises a repeated event by identity */
export function evolve(state: CartState, event: CartEvent): CartState {
  return evolveInBatch(state, event);
}

/**
 * As `evolve`, for one event of a batch. It may change the maps of `state` that this batch made. So the caller keeps only the newest state,
 * and drops all of them when an event fails.
 */
export function evolveInBatch(state: CartState, event: CartEvent, own?: OwnMaps): CartState {
  switch (event.type) {
    case 'ItemAdded': {
      const draft = new Draft(state, own);
      draft.live(commandOfDot(event.dot), cartOfDot(event.dot), { line: event.line, quantity: event.quantity, kind: 'add' });
      return draft.done();
    }
    case 'CouponApplied': {
      const draft = new Draft(state, own);
      draft.note(commandOfDot(event.dot), cartOfDot(event.dot), event.code);
      return draft.done();
    }
    case 'QuantitySet': {
      const draft = new Draft(state, own);
      // The kills count even when the set itself is dead already: its killer may not have seen the dots that the set replaced.
      draft.killAll(observedOf(event), event.atMs, event.line);
      draft.live(commandOfDot(event.dot), cartOfDot(event.dot), { line: event.line, quantity: event.quantity, kind: 'set' });
      return draft.done();
    }
    case 'ItemRemoved':
    case 'CouponRemoved':
    case 'CartCleared': {
      const draft = new Draft(state, own);
      draft.killAll(observedOf(event), event.atMs, scopeOf(event));
      // A removal's own dot is dead from the start, so its command id can never become an add.
      draft.killAll([event.dot], event.atMs, undefined);
      return draft.done();
    }
    case 'OrderPlaced': {
      // Orders has given these dots to one order for ever. They are dead from now on, even those that have not arrived yet.
      const draft = new Draft(state, own);
      draft.killAll(event.dots, event.atMs, undefined);
      return draft.done();
    }
    case 'GuestCartClaimed':
      return mayClaim(state, event.userCartId) ? { ...state, claimedBy: event.userCartId } : state;
    case 'GuestJoined':
      return joinGuest(state, event, own);
  }
}

function scopeOf(event: Extract<CartEvent, { type: 'ItemRemoved' | 'CouponRemoved' | 'CartCleared' }>): Scope | undefined {
  if (event.type === 'CartCleared') return undefined;
  return event.type === 'ItemRemoved' ? event.line : couponScope(event.code);
}

/** A command cannot have observed itself under any of its names. If it could, it would kill itself. */
function observedOf(event: { readonly dot: Dot; readonly observed: readonly Dot[] }): Dot[] {
  const own = commandOfDot(event.dot);
  return event.observed.filter((dot) => commandOfDot(dot) !== own);
}

/** A guest cart belongs to one user for ever, and only guest carts are claimed. So claims form no chains and no cycles. */
function mayClaim(state: CartState, userCartId: string): boolean {
  return state.claimedBy === undefined && isGuestSubject(state.cartId) && isUserSubject(userCartId);
}

/**
 * Adds the guest's dots under the same command ids. Each GuestJoined carries the guest's whole state at its offset. So a join that is not
 * newer than the last one holds nothing new, and is skipped. The skip also keeps a replay, weeks later, from reviving dots whose death has
 * been pruned. In a shop of several regions a guest has an offset in each log. Either of two joins may hold what the other lacks.
 */
function joinGuest(state: CartState, event: Extract<CartEvent, { type: 'GuestJoined' }>, own: OwnMaps | undefined): CartState {
  if (!isGuestSubject(event.guestCartId) || !isUserSubject(state.cartId)) return state;
  const before = state.joined.get(event.guestCartId);
  const newer = before === undefined || holdsMore(event, before);
  if (!newer && event.atMs >= before.atMs) return state;
  const draft = new Draft(state, own);
  if (newer) {
    for (const [id, killedAtMs] of event.dead) draft.kill(id, event.guestCartId, killedAtMs, undefined);
    for (const [id, live] of event.dots) draft.live(id, event.guestCartId, live);
    for (const [id, code] of event.coupons) draft.note(id, event.guestCartId, code);
    draft.alsoMadeIn(event.origins);
  }
  const joined = new Map(state.joined).set(event.guestCartId, furthest(event, before));
  return { ...draft.done(), joined };
}

/** Whether the user's cart holds all that the guest did. It still knows everything that came from a guest, because the death of such an item is never forgotten. */
export function holdsGuest(user: CartState, { cartId: guestCartId, dots, coupons, dead, origins }: CartState): boolean {
  const join = { type: 'GuestJoined', cartId: user.cartId, atMs: 0, guestCartId, guestOffset: 0n, dots, coupons, dead, origins } as const;
  const joined = evolve({ ...user, joined: new Map() }, join);
  return (['dots', 'coupons', 'dead', 'origins'] as const).every((what) => joined[what] === user[what]);
}

/** Offsets of several regions are compared region by region. An offset of one log says nothing about another. */
function holdsMore(join: Omit<Joined, 'atMs'>, before: Omit<Joined, 'atMs'>): boolean {
  if (join.guestOffsets === undefined) return before.guestOffsets === undefined && join.guestOffset > before.guestOffset;
  return join.guestOffsets.some((of) => of.offset > (offsetIn(before.guestOffsets, of) ?? -1n));
}

function furthest({ guestOffset: offset, guestOffsets: offsets, atMs }: Joined, before: Joined | undefined): Joined {
  const guestOffsets = furthestOffsets(before?.guestOffsets, offsets);
  // With offsets of several regions this one follows from them: which joins a cart has passed over depends on their order.
  const all = guestOffsets?.map((of) => of.offset) ?? [offset, before?.guestOffset ?? 0n];
  const guestOffset = all.reduce((one, other) => (other > one ? other : one));
  return { guestOffset, atMs: Math.min(before?.atMs ?? atMs, atMs), ...(guestOffsets && { guestOffsets }) };
}

export interface LineView {
  readonly lineId: LineId;
  readonly quantity: number;
  readonly dots: readonly Dot[];
}

/** The lines that a person sees, sorted by line id so that no command changes their order. `quantity = max(live sets) + sum(live adds)`. */
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

/** The part that a command puts into the cart: a live dot, or a coupon's code. Undefined for a removal, which puts in nothing. */
export type Made = Live | string | undefined;

/** Whether the cart already holds this command id with another payload. A command checks it as a best effort; the log decides. */
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

/** Sorted by code, so that no command changes the order. A coupon that was applied twice counts once. */
export function couponsOf(state: CartState): CouponView[] {
  return [...Map.groupBy(state.coupons, ([, code]) => code)]
    .map(([code, its]) => ({ code, dots: its.map(([id]) => dotIn(state, id)) }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

const dayMs = 24 * 60 * 60 * 1000;
/**
 * Deaths are kept longer than a repeat can arrive. A command may be repeated for 7 days, and its id may be made up to a day ahead. A
 * guest's session may last 30 days before its person signs in (libs/session). A week is left for a late claim.
 */
export const deadKeptMs = 45 * dayMs;

/**
 * Forgets deaths that no late repeat can meet any more. The death of a command that was also made in another cart is never forgotten. An
 * operator may redrive a record of that guest, or its claim, after any time. A guest always sends its whole state, in which a line that was
 * removed or ordered here is still alive. A cart with a record in the dead-letter topic forgets nothing: project-batch.ts does not call
 * this.
 */
export function pruneDead(state: CartState, nowMs: number): CartState {
  const isKept = (id: CommandId, killedAtMs: number): boolean => killedAtMs > nowMs - deadKeptMs || state.origins.has(id);
  const isDoomKept = (id: CommandId, scopes: ReadonlyMap<Scope, number>): boolean => isKept(id, Math.max(...scopes.values()));
  // Most batches forget nothing. Then no list is made of thousands of deaths.
  if (isEach(state.dead, isKept) && isEach(state.doomed, isDoomKept)) return state;
  const dead = [...state.dead].filter(([id, killedAtMs]) => isKept(id, killedAtMs));
  const doomed = [...state.doomed].filter(([id, scopes]) => isDoomKept(id, scopes));
  return { ...state, dead: new Map(dead), doomed: new Map(doomed) };
}

function isEach<Key, Value>(map: ReadonlyMap<Key, Value>, is: (key: Key, value: Value) => boolean): boolean {
  for (const [key, value] of map) if (!is(key, value)) return false;
  return true;
}
