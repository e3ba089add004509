/** What a cart holds. Pure data; cart.ts says what changes it. */
import type { LineId } from './lines.ts';

/** `<cart that it was made in>/<command id>`: names one command for ever. */
export type Dot = string;
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

export interface Joined {
  /** The offset, in the guest's partition, of the newest guest event that this cart holds. */
  readonly guestOffset: bigint;
  /** When this cart first held the guest's. */
  readonly atMs: number;
}

export interface CartState {
  readonly cartId: string;
  readonly dots: ReadonlyMap<Dot, Live>;
  /** The code of each coupon that is noted: an observed-remove set. Which one counts is judged at check-out. */
  readonly coupons: ReadonlyMap<Dot, string>;
  /** When each was killed, in milliseconds since 1970; the latest, where several killed it. */
  readonly dead: ReadonlyMap<Dot, number>;
  /** Of dots that are not known yet: the places in which each was killed, and when. It dies if it turns out to be there, else it lives. */
  readonly doomed: ReadonlyMap<Dot, ReadonlyMap<Scope, number>>;
  readonly joined: ReadonlyMap<string, Joined>;
  /** The user's cart that this guest cart belongs to, once claimed. */
  readonly claimedBy: string | undefined;
}

export function emptyCart(cartId: string): CartState {
  return { cartId, dots: new Map(), coupons: new Map(), dead: new Map(), doomed: new Map(), joined: new Map(), claimedBy: undefined };
}
