/** What a cart holds. Pure data; cart.ts says what changes it. */
import type { LineId } from './lines.ts';

/**
 * `<cart that it was made in>/<command id>`: how events, `seen` and orders name a command. A client that repeats a command after it signed in or
 * out makes a second dot of the same id: an alias.
 */
export type Dot = string;
/** Within one cart a command is known by its id alone, so an alias counts or kills for all of them. */
export type CommandId = string;
export const dotOf = (cartId: string, commandId: string): Dot => `${cartId}/${commandId}`;
export const cartOfDot = (dot: Dot): string => dot.slice(0, dot.indexOf('/'));
export const commandOfDot = (dot: Dot): string => dot.slice(dot.indexOf('/') + 1);

/** What a command may kill in: a line id, or a coupon as `coupon:<code>`, which no line id looks like. */
export type Scope = string;
const couponPrefix = 'coupon:';
export const couponScope = (code: string): Scope => `${couponPrefix}${code}`;
export const couponOfScope = (scope: Scope): string | undefined =>
  scope.startsWith(couponPrefix) ? scope.slice(couponPrefix.length) : undefined;

export interface Live {
  readonly line: LineId;
  readonly quantity: number;
  readonly kind: 'add' | 'set';
}

export type Origins = ReadonlyMap<CommandId, readonly string[]>;

/** Reserved for several regions: an offset in the log of one. Carried along, and read by nothing. */
export interface LogOffset {
  readonly region: string;
  readonly logId: string;
  readonly offset: bigint;
}

export interface Joined {
  /** The offset, in the guest's partition, of the newest guest event that this cart holds. */
  readonly guestOffset: bigint;
  /** When this cart first held the guest's. */
  readonly atMs: number;
  readonly guestOffsets?: readonly LogOffset[];
}

export interface CartState {
  readonly cartId: string;
  readonly dots: ReadonlyMap<CommandId, Live>;
  /** The code of each coupon that is noted: an observed-remove set. Which one counts is judged at check-out. */
  readonly coupons: ReadonlyMap<CommandId, string>;
  /** When each was killed, in milliseconds since 1970; the latest, where several killed it. */
  readonly dead: ReadonlyMap<CommandId, number>;
  /** Of commands that are not known yet: the places in which each was killed, and when. It dies if it turns out to be there, else it lives. */
  readonly doomed: ReadonlyMap<CommandId, ReadonlyMap<Scope, number>>;
  /** The carts in which each command was made, as far as any event named it, sorted. One that is missing was made in this cart alone. */
  readonly origins: Origins;
  readonly joined: ReadonlyMap<string, Joined>;
  /** The user's cart that this guest cart belongs to, once claimed. */
  readonly claimedBy: string | undefined;
}

export function emptyCart(cartId: string): CartState {
  const nothing = { dots: new Map(), coupons: new Map(), dead: new Map(), doomed: new Map(), origins: new Map(), joined: new Map() };
  return { cartId, ...nothing, claimedBy: undefined };
}

/**
 * Which origin names a command outside of its cart. It depends on the set of origins, never on their order of arrival: the cart itself where that
 * is one of them, since a cart always takes its own dots; else the smallest.
 */
export function originIn({ cartId, origins }: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): string {
  const its = origins.get(id);
  return its === undefined || its.includes(cartId) ? cartId : its[0]!;
}

export const dotIn = (of: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): Dot => dotOf(originIn(of, id), id);
