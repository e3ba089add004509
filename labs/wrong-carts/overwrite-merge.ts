/**
 * EXERCISE, WRONG ON PURPOSE: at sign-in the guest's line takes the place of the user's. Vendure does so by default for a line that both carts
 * have, and Robot Shop for the whole cart. A person with three mugs at home adds one on the way, signs in, and has one mug.
 */
import { evolve } from '../../apps/cart/src/model/cart.ts';
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
