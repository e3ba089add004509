/** A model of a cart: what a wrong cart does in the place of the right one. One file beside this holds each. See README.md. */
import type { CartEvent, CartState, Dot } from '../../apps/cart/src/model/cart.ts';

/** How shops get it wrong. */
export const wrongModels = ['lww', 'union', 'sum-merge', 'overwrite-merge', 'read-modify-write'] as const;
export type WrongModel = (typeof wrongModels)[number];

export interface CartModel {
  /** As evolve in cart.ts: it returns the very same object when nothing changes. */
  readonly evolve: (state: CartState, event: CartEvent) => CartState;
  /** For models that decide from what they read: the event that a command appends in place of its own. */
  readonly write?: Write;
}

export type Write = (decided: Decided) => Promise<CartEvent>;

export interface Decided {
  readonly event: CartEvent;
  /** The dots that the client had seen, as they came. */
  readonly seen: readonly Dot[];
  /** The cart as a store shows it to a request that brings its own writes' token. */
  readonly read: () => Promise<CartState>;
}

/**
 * An event that holds a whole cart. A model puts it in the place of what stood, or beside it. GuestJoined is the one event that holds a whole
 * cart. This one names the cart itself as the guest, which no real join does, so the right rules ignore it.
 */
export function wholeCart({ cartId, dots, coupons, origins }: CartState, atMs: number): CartEvent {
  return { type: 'GuestJoined', cartId, atMs, guestCartId: cartId, guestOffset: 0n, dots, coupons, dead: new Map(), origins };
}

/** Narrower than GuestJoined, so that TypeScript still counts the joins of guests among the events that are none. */
type WholeCart = Extract<CartEvent, { type: 'GuestJoined' }> & { readonly guestOffset: 0n };
export const isWholeCart = (event: CartEvent): event is WholeCart => event.type === 'GuestJoined' && event.guestCartId === event.cartId;

/** A store is one round trip away. Between reading it and writing it back, another request can be lost. */
const roundTripMs = 5;
export const roundTrip = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, roundTripMs));
