import { describe, expect, it } from 'vitest';
import { cartModels, exerciseCart, type CartModelName } from './exercise-cart.ts';

/** A stack starts in seconds; one scene kills it and waits for the next. */
const timeoutMs = 120_000;
const shows: Record<CartModelName, string[]> = {
  dots: [],
  lww: ['lost'],
  union: ['resurrected'],
  'sum-merge': ['doubled'],
  'overwrite-merge': ['lost'],
  'read-modify-write': ['lost'],
};

describe('carts that are wrong on purpose', () => {
  for (const model of cartModels)
    it(`${model}: the checker finds ${shows[model].join(' and ') || 'nothing'}`, { timeout: timeoutMs }, async () => {
      const caught = await exerciseCart(model);
      const kinds = [...new Set(caught.map(({ anomaly }) => anomaly.kind))];
      expect(kinds).toEqual(model === 'dots' ? [] : expect.arrayContaining(shows[model]));
    });
});
