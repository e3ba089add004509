/**
 * How a cart takes its events: the one seam at which an exercise puts a wrong rule in the place of the right one. Without a model the rules are
 * those of cart.ts. See docs/exercises/cart.md.
 */
import type { CartEvent, CartState, Dot } from '../model/cart.ts';

/** The right one first. The others are how shops get it wrong, each in a file of its own. */
export const modelNames = ['dots', 'lww', 'union', 'sum-merge', 'overwrite-merge', 'read-modify-write'] as const;
export type ModelName = (typeof modelNames)[number];

export interface CartModel {
  /** As evolve in cart.ts: the very same object when nothing changes. */
  readonly evolve: (state: CartState, event: CartEvent) => CartState;
  /** What a command appends in place of its own event: of those that decide from what they read. */
  readonly write?: (decided: Decided) => Promise<CartEvent>;
}

export interface Decided {
  readonly event: CartEvent;
  /** What the client had seen, as it came. */
  readonly seen: readonly Dot[];
  /** The cart as a store shows it to a request that brings its own writes' token. */
  readonly read: () => Promise<CartState>;
}

/**
 * A cart as a whole, put in the place of what stood (or beside it): the one event that holds a whole cart, under the cart's own name, which no
 * guest has. The right rules take no notice of it.
 */
export function wholeCart({ cartId, dots, coupons, origins }: CartState, atMs: number): CartEvent {
  return { type: 'GuestJoined', cartId, atMs, guestCartId: cartId, guestOffset: 0n, dots, coupons, dead: new Map(), origins };
}

/** Narrower than every join, so that what is none may still be one of a guest. */
type WholeCart = Extract<CartEvent, { type: 'GuestJoined' }> & { readonly guestOffset: 0n };
export const isWholeCart = (event: CartEvent): event is WholeCart => event.type === 'GuestJoined' && event.guestCartId === event.cartId;

/** Between reading a store and writing it back lies a round trip: the window in which another request is lost. */
const roundTripMs = 5;
export const roundTrip = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, roundTripMs));
