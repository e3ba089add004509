import { expect, it } from 'vitest';
import type { CartLogView, CartStepView } from '../../../src/api.ts';
import { dotsByCart } from './dots.ts';

const step = (offset: string, event: CartStepView['event'], after: Partial<CartStepView['after']>): CartStepView => ({
  offset,
  atMs: 0,
  traceId: undefined,
  event,
  unreadable: undefined,
  changed: true,
  after: { lines: [], coupons: [], dead: {}, joined: {}, claimedBy: undefined, missing: [], ...after },
});
const joined = { g_1: { guestOffset: '4' } };
const log: CartLogView = {
  cartId: 'u_ada',
  partition: 5,
  guests: [{ cartId: 'g_1', partition: 11, upToOffset: '4' }],
  steps: [
    step('7', { dot: 'u_ada/a', line: 'mug' }, { lines: [{ lineId: 'mug', quantity: 1, dots: ['u_ada/a'] }] }),
    step(
      '9',
      { guestCartId: 'g_1', dots: { b: { line: 'scarf' } }, coupons: { c: 'WINTER5' }, dead: { d: 1, e: 1 } },
      {
        lines: [
          { lineId: 'mug', quantity: 1, dots: ['u_ada/a'] },
          { lineId: 'scarf', quantity: 1, dots: ['g_1/b'] },
        ],
        coupons: [{ code: 'WINTER5', dots: ['g_1/c'] }],
        dead: { d: 1, e: 1 },
        joined,
      },
    ),
    step(
      '12',
      { type: 'ItemRemoved', dot: 'u_ada/f', line: 'mug', observed: ['u_ada/a'] },
      { lines: [{ lineId: 'scarf', quantity: 1, dots: ['g_1/b'] }], dead: { a: 1, d: 1, e: 1, f: 1 }, joined },
    ),
  ],
};

it('the cart’s own dots have offsets, and those of a guest stand by its own partition', () => {
  expect(dotsByCart(log, 1)).toEqual([
    { cartId: 'u_ada', partition: 5, dots: [{ id: 'a', isLive: true, of: 'mug', offset: '7' }], deadUnnamed: 0 },
    {
      cartId: 'g_1',
      partition: 11,
      dots: [
        { id: 'b', isLive: true, of: 'scarf', offset: undefined },
        { id: 'c', isLive: true, of: 'WINTER5', offset: undefined },
      ],
      deadUnnamed: 2,
    },
  ]);
});

it('a guest’s removal, whose id is dead beside the dot that it killed, is shown as no dot', () => {
  const [, guest] = dotsByCart(log, 1);
  expect(guest!.dots.every(({ isLive }) => isLive)).toBe(true);
  expect(guest!.deadUnnamed).toBe(2);
});

it('a dot of an earlier place is as it was there, and the removal itself makes none', () => {
  const own = { id: 'a', isLive: true, of: 'mug', offset: '7' };
  expect(dotsByCart(log, 0)).toEqual([{ cartId: 'u_ada', partition: 5, dots: [own], deadUnnamed: 0 }]);
  expect(dotsByCart(log, 2)[0]!.dots).toEqual([{ id: 'a', isLive: false, of: 'mug', offset: '7' }]);
});
