/**
 * EXERCISE, WRONG ON PURPOSE: at sign-in the guest's line takes the place of the user's (Vendure's default for a line that both have; Robot Shop for the
 * whole cart). Whoever had three mugs at home and put one in the cart on the way signs in to one mug.
 */
import { evolve } from '../model/cart.ts';
import type { CartModel } from './model.ts';

export const overwriteMerge: CartModel = {
  evolve(state, event) {
    const after = evolve(state, event);
    if (after === state || event.type !== 'GuestJoined') return after;
    const ofGuest = new Set([...event.dots.values()].map(({ line }) => line));
    const kept = [...after.dots].filter(([dot, { line }]) => event.dots.has(dot) || !ofGuest.has(line));
    return { ...after, dots: new Map(kept) };
  },
};
