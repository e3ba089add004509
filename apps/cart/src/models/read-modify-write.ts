/**
 * EXERCISE, WRONG ON PURPOSE: the cart is one value, read, changed and put back whole, as in five of five demo shops read (Online Boutique's cart
 * service and eShop's basket among them). Two requests at one moment read the same cart, and the one that writes last undoes the other, also
 * where they were about different products.
 */
import { evolve } from '../model/cart.ts';
import { isWholeCart, roundTrip, wholeCart, type CartModel } from './model.ts';

export const readModifyWrite: CartModel = {
  async write({ event, read }) {
    const cart = await read();
    await roundTrip();
    return wholeCart(evolve({ ...cart, dead: new Map() }, event), event.atMs);
  },
  evolve: (state, event) => (isWholeCart(event) ? { ...state, dots: event.dots, coupons: event.coupons } : evolve(state, event)),
};
