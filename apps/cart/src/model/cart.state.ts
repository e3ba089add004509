/** The state of a cart. Pure data; cart.ts holds the rules that change it. */
import type { LineId } from './lines.ts';

/**
 * `<cart that it was made in>/<command id>`: events, `seen` and orders name a command by its dot. A client that repeats a command after it
 * signed in or out makes a second dot with the same id: an alias.
 */
export type Dot = string;
/** Within one cart the id alone identifies a command. So its aliases count once together, and a kill of one alias kills the command. */
export type CommandId = string;
export const dotOf = (cartId: string, commandId: string): Dot => `${cartId}/${commandId}`;
export const cartOfDot = (dot: Dot): string => dot.slice(0, dot.indexOf('/'));
export const commandOfDot = (dot: Dot): string => dot.slice(dot.indexOf('/') + 1);

/** Where a command may kill: in a line, by its id, or in a coupon, as `coupon:<code>`. No line id looks like a coupon. */
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

/** An offset in the log of one region. Reserved for several regions: this build carries it along and never reads it. */
export interface LogOffset {
  readonly region: string;
  readonly logId: string;
  readonly offset: bigint;
}

export interface Joined {
  /** The offset, in the guest's partition, of the newest guest event that this cart holds. */
  readonly guestOffset: bigint;
  /** When this cart first held the guest's dots. */
  readonly atMs: number;
  readonly guestOffsets?: readonly LogOffset[];
}

export interface CartState {
  readonly cartId: string;
  readonly dots: ReadonlyMap<CommandId, Live>;
  /** The code of each noted coupon: an observed-remove set. Orders decides at check-out which one counts. */
  readonly coupons: ReadonlyMap<CommandId, string>;
  /** When each was killed, in milliseconds since 1970. When several commands killed it, the latest time. */
  readonly dead: ReadonlyMap<CommandId, number>;
  /** For commands that have not arrived yet: the scopes in which each was killed, and when. A command that arrives in such a scope dies. */
  readonly doomed: ReadonlyMap<CommandId, ReadonlyMap<Scope, number>>;
  /** The carts in which each command was made, as far as events have named them, sorted. A command without an entry was made here alone. */
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
 * The origin that names a command outside of its cart. It depends on the set of origins, never on their order of arrival. It is the cart
 * itself when that is one of them, because a cart always accepts its own dots. Otherwise it is the smallest.
 */
export function originIn({ cartId, origins }: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): string {
  const its = origins.get(id);
  return its === undefined || its.includes(cartId) ? cartId : its[0]!;
}

export const dotIn = (of: Pick<CartState, 'cartId' | 'origins'>, id: CommandId): Dot => dotOf(originIn(of, id), id);
