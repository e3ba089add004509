import type { CartLine, Obstacle, PreviewLine } from '@cloakroom/contracts/http';
import { describe, expect, it } from 'vitest';
import { changesOf, changeWords, enoughFor } from '../cart/cart-changes.ts';
import { paidWithWords, paymentMethods } from './payment-methods.ts';
import { laterWords, obstacleWords, orderableQuantity, stepWord } from './order-words.ts';

const line = (lineId: string, quantity: number, size = 'M'): CartLine => ({
  lineId,
  productId: lineId,
  options: { Size: size },
  name: `Coat ${lineId}`,
  image: '',
  quantity,
  unitPrice: 100,
  currency: 'EUR',
  available: true,
  seen: `${lineId} ${quantity}`,
});

describe('what changed in a cart', () => {
  it('is told line by line, and nothing else is', () => {
    const before = { lines: [line('a', 1), line('b', 2), line('c', 3)] };
    const now = { lines: [line('b', 2), line('c', 5), line('d', 1)] };
    expect(changesOf(before, now).map(changeWords)).toEqual([
      'Coat a, M was removed.',
      'Coat c, M: now 5 instead of 3.',
      '1 × Coat d, M came in.',
    ]);
    expect(changesOf(before, before)).toEqual([]);
  });
});

describe('a line that cannot be ordered as it is', () => {
  const wanted = (obstacle: Obstacle, quantity: number, inStock: number, lineId = 'a'): PreviewLine => ({
    ...line(lineId, quantity),
    productId: 'coat',
    inStock,
    obstacle,
  });
  const most = (...lines: [PreviewLine, ...PreviewLine[]]): number => orderableQuantity(lines[0], lines);
  it('is offered at the most that can be had, and only where that helps', () => {
    expect(most(wanted('out_of_stock', 5, 3))).toBe(3);
    expect(most(wanted('out_of_stock', 5, 0))).toBe(0);
    expect(most(wanted('limit', 60, 500))).toBe(50);
    expect(most(wanted('limit', 60, 20))).toBe(20);
    expect(most(wanted('limit', 2, 500)), 'too many lines: fewer of this one do not help').toBe(0);
    expect(most(wanted('unknown_product', 2, 9))).toBe(0);
  });
  it('leaves to the other lines of the product what they take', () => {
    expect(most(wanted('out_of_stock', 5, 8), wanted('out_of_stock', 6, 8, 'b'))).toBe(2);
    expect(most(wanted('out_of_stock', 5, 4), wanted('out_of_stock', 6, 4, 'b'))).toBe(0);
  });
  it('says how many there are', () => {
    expect(obstacleWords('out_of_stock', 3)).toBe('Only 3 in stock.');
    expect(obstacleWords('out_of_stock', 0)).toBe('Sold out.');
  });
});

describe('a step of the saga', () => {
  it('keeps its own name where there is no other word for it', () => {
    expect([stepWord('PaymentCaptured'), stepWord('ParcelSent')]).toEqual(['Paid', 'ParcelSent']);
  });
  it('says how much later it was, in the unit one would say', () => {
    expect([-3, 7, 1_240, 150_000].map(laterWords)).toEqual(['+0 ms', '+7 ms', '+1.2 s', '+3 min']);
  });
});

describe('more of a product than there is', () => {
  it('is told of each line, with what the other lines take', () => {
    const [some, more] = [
      { ...line('a', 10), productId: 'coat', inStock: 18 },
      { ...line('b', 60), productId: 'coat', inStock: 18 },
    ];
    expect(enoughFor(more, [more])).toBe(18);
    expect(enoughFor(more, [some, more])).toBe(8);
    expect(enoughFor(some, [some, more])).toBe(0);
    expect(enoughFor(some, [some])).toBeUndefined();
    expect(enoughFor(line('a', 99), [])).toBeUndefined();
  });
});

it('an order names its card, so that no two kinds of payment look alike', () => {
  const words = paymentMethods.map(({ method }) => paidWithWords({ paymentMethod: method, status: 'placed' }));
  expect(new Set(words).size).toBe(paymentMethods.length);
  expect(paidWithWords({ paymentMethod: 'card_double_callback', status: 'placed' })).toContain('charged once');
});
