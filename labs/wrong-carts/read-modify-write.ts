/**
 * EXERCISE, WRONG ON PURPOSE: the cart is one value that is read, changed and put back whole. Five of five demo shops do so, Online Boutique's
 * cart service and eShop's basket among them. Two simultaneous requests read the same cart, and the later write undoes the other. That happens
 * even when they are about different products.
 */
import { evolve } from '../../apps/cart/src/model/cart.ts';
import { isWholeCart, roundTrip, wholeCart, type CartModel } from './model.ts';

export const readModifyWrite: CartModel = {
  async write({ event, read }) {
    const cart = await read();
    await roundTrip();
    return wholeCart(evolve({ ...cart, dead: new Map() }, event), event.atMs);
  },
  evolve: (state, event) => (isWholeCart(event) ? { ...state, dots: event.dots, coupons: event.coupons } : evolve(state, event)),
};
