import { expect, it } from 'vitest';
import { choiceIn, searchOf, shownOf } from './list-choice.ts';
import { recorded } from './recorded.fixture.ts';

const mine = { ...recorded, experiment: 't-1' };
const requests = [
  { ...mine, traceId: '1', name: 'GET /api/products' },
  { ...mine, traceId: '2', name: 'POST /api/cart/lines' },
  { ...mine, traceId: '3', name: 'GET /api/products/:productId' },
  { ...mine, traceId: '4', name: 'GET /*' },
  { ...mine, traceId: '6', name: 'GET /images/*' },
  { ...recorded, traceId: '5', name: 'GET /api/cart', experiment: undefined },
];
const ids = (choice: Parameters<typeof shownOf>[1]) => shownOf(requests, choice, 't-1').shown.map(({ traceId }) => traceId);

it('the list shows what the person did, and reads of the catalog only where they are asked for', () => {
  expect(ids({ whose: 'mine', catalog: false })).toEqual(['2']);
  expect(ids({ whose: 'mine', catalog: true })).toEqual(['1', '2', '3']);
  expect(ids({ whose: 'everybody', catalog: false })).toEqual(['2', '5']);
  expect(shownOf(requests, { whose: 'mine', catalog: false }, 't-1').catalogReads).toBe(2);
});

it('the choice stands in the address, and comes back from there', () => {
  for (const whose of ['mine', 'everybody'] as const)
    for (const catalog of [true, false]) expect(choiceIn(new URLSearchParams(searchOf({ whose, catalog })))).toEqual({ whose, catalog });
  expect(searchOf({ whose: 'mine', catalog: false })).toBe('');
});
