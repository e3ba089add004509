/** A batch of events changes maps of its own in place. It must come to the same cart, and leave every other cart as it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyCart, evolve, evolveInBatch, OwnMaps, type CartState } from './cart.ts';
import { apply, steps, user, userLogOf } from './histories.harness.ts';

const seed = Date.now() % 2 ** 31;
console.info(`batch.test.ts: seed ${seed}`);

/** In order of insertion, because the record of a cart is written in this order. */
const entriesOf = (state: CartState): unknown => structuredClone(state);

describe('a batch of events', () => {
  it('makes the cart that its events make one by one, in the same order, and says of each event whether it changed the cart', () => {
    let repeats = 0;
    const law = fc.property(steps, fc.nat({ max: 16 }), (made, cut) => {
      const log = userLogOf(made);
      let one = apply(log.slice(0, cut));
      let batched = one;
      const own = new OwnMaps();
      for (const event of log.slice(cut)) {
        const [next, nextBatched] = [evolve(one, event), evolveInBatch(batched, event, own)];
        expect(nextBatched === batched).toBe(next === one);
        if (next === one) repeats++;
        [one, batched] = [next, nextBatched];
        expect(entriesOf(batched)).toEqual(entriesOf(one));
        expect([...batched.dead.keys()]).toEqual([...one.dead.keys()]);
        expect([...batched.dots.keys()]).toEqual([...one.dots.keys()]);
      }
    });
    fc.assert(law, { numRuns: 250, seed });
    expect(repeats).toBeGreaterThan(20);
  });

  it('leaves the cart that it began with, and the carts of earlier batches, as they were', () => {
    const law = fc.property(steps, fc.array(fc.nat({ max: 4 }), { maxLength: 6 }), (made, sizes) => {
      const log = userLogOf(made);
      const known: { readonly state: CartState; readonly was: unknown }[] = [];
      let state = emptyCart(user);
      let at = 0;
      for (const size of [...sizes, log.length]) {
        known.push({ state, was: entriesOf(state) });
        const own = new OwnMaps();
        for (const event of log.slice(at, at + size)) state = evolveInBatch(state, event, own);
        at += size;
      }
      for (const { state: cart, was } of known) expect(entriesOf(cart)).toEqual(was);
    });
    fc.assert(law, { numRuns: 250, seed });
  });
});
