/**
 * EXERCISE, WRONG ON PURPOSE: at sign-in the guest's quantities are added to the user's (Magento, Quote::merge; Spree). That is right when it
 * happens once. But nothing remembers that it has happened, and no log, no retry and no crash delivers exactly once. A second merge makes two
 * mugs of one.
 */
import { isGuestSubject, isUserSubject } from '@cloakroom/contracts';
import { evolve, type CartEvent, type CartState } from '../../apps/cart/src/model/cart.ts';
import type { CartModel } from './model.ts';

/** Below every offset, since this shop does not know which of the guest's changes it has merged. */
const unknownOffset = -1n;

export const sumMerge: CartModel = { evolve: (state, event) => (event.type === 'GuestJoined' ? add(state, event) : evolve(state, event)) };

function add(state: CartState, event: Extract<CartEvent, { type: 'GuestJoined' }>): CartState {
  if (!isGuestSubject(event.guestCartId) || !isUserSubject(state.cartId)) return state;
  const dots = new Map(state.dots);
  for (const [dot, live] of event.dots) dots.set(dot, { ...live, quantity: (dots.get(dot)?.quantity ?? 0) + live.quantity });
  const atMs = state.joined.get(event.guestCartId)?.atMs ?? event.atMs;
  const joined = new Map(state.joined).set(event.guestCartId, { guestOffset: unknownOffset, atMs });
  return { ...state, dots, coupons: new Map([...state.coupons, ...event.coupons]), joined };
}
