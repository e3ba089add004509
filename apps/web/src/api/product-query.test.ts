import { describe, expect, it } from 'vitest';
import { swatchOf } from '../products/colours.ts';
import { everyProduct, fromAddress, impossiblePrices, minorUnits, toAddress, toRequest, type ProductQuery } from './product-query.ts';
import { countCategories, tintOf } from '../products/products.ts';
import { cartPosition } from '../cart/cart-standing.ts';
import { identityWord, spentPercent } from '../frame/session-bar-words.ts';

const narrowed: ProductQuery = {
  ...everyProduct,
  query: 'wool & more',
  category: 'Coats',
  sort: '-price',
  options: ['Size:M', 'Colour:Navy'],
  priceMin: 2500,
  priceMax: 24_950,
  inStock: true,
  page: 3,
};

describe('the address of a list', () => {
  it('brings back what it was made of', () => {
    expect(fromAddress(toAddress(narrowed), 'Coats')).toEqual(narrowed);
  });
  it('is bare when nothing is chosen', () => {
    expect(toAddress(everyProduct).toString()).toBe('');
  });
  it('counts as not said what is no such value', () => {
    const address = new URLSearchParams('sort=cheap&option=Size&from=-3&to=abc&page=0&inStock=yes');
    expect(fromAddress(address, '')).toEqual(everyProduct);
  });
});

it('asks the gateway in minor units', () => {
  expect(toRequest(narrowed)).toBe(
    'query=wool+%26+more&category=Coats&sort=-price&option=Size%3AM&option=Colour%3ANavy&priceMin=2500&priceMax=24950&inStock=true&page=3&pageSize=24',
  );
});

it.each([
  ['25', 2500],
  ['25,5', 2550],
  [' 0.99 ', 99],
  ['0', undefined],
  ['1e3', undefined],
  [null, undefined],
])('reads the amount %j as %s', (text, amount) => {
  expect(minorUnits(text)).toBe(amount);
});

it('counts categories of a catalog that does not', () => {
  const of = (category: string) => ({ category }) as never;
  expect(countCategories([of('Coats'), of('Bags'), of('Coats')])).toEqual([
    { value: 'Coats', count: 2 },
    { value: 'Bags', count: 1 },
  ]);
});

it('tints the same product always the same, and a shelf not all alike', () => {
  const ids = ['wool-overcoat', 'chore-coat', 'cycling-vest', 'roll-top-backpack', 'merino-socks', 'desk-lamp', 'teapot', 'kite'];
  expect(ids.map(tintOf)).toEqual(ids.map(tintOf));
  expect(new Set(ids.map(tintOf)).size).toBeGreaterThan(3);
  expect(ids.map(tintOf).every((tint) => Number.isInteger(tint) && tint >= 0 && tint < 8)).toBe(true);
});

it('shows a colour only where the name tells one', () => {
  expect(swatchOf('Dark navy')).toBe(swatchOf('Navy'));
  expect(swatchOf('Botanical print')).toBeUndefined();
});

describe('the session bar', () => {
  it('says how far the cart can be trusted', () => {
    expect(cartPosition(undefined).word).toBe('no cart');
    expect(cartPosition(undefined, { without: 'loading' }).word, 'the first answer has not come').toBe('loading …');
    expect(cartPosition(undefined, { without: 'failed' })).toEqual({ word: 'not known', tone: 'warn' });
    expect(cartPosition({ stale: false, behind: 0, merge: { state: 'none' } }, { without: 'loading' }).word, 'a cart is read again').toBe(
      'converged',
    );
    expect(cartPosition({ stale: true, behind: 1, merge: { state: 'pending' } }).word).toBe('merging');
    expect(cartPosition({ stale: true, behind: 2, merge: { state: 'none' } }).word).toBe('behind by 2');
    expect(cartPosition({ stale: true, behind: 0, merge: { state: 'none' } }).word, 'the log cannot be heard').toBe('behind');
    const waits = { stale: true, behind: 0, behindRegions: [{ region: 'eu', records: 3 }], merge: { state: 'none' } } as const;
    expect(cartPosition({ ...waits, behindRegions: [...waits.behindRegions] }).word, 'a copy is on its way').toBe('behind eu by 3');
    expect(cartPosition({ stale: false, behind: 0, merge: { state: 'merged' } }).word).toBe('converged');
    expect(cartPosition({ stale: false, behind: 0, incomplete: true, merge: { state: 'merged' } }).word).toBe('incomplete');
    for (const cart of [undefined, { stale: false, behind: 0, incomplete: true, merge: { state: 'pending' } } as const])
      expect(cartPosition(cart, { isUnsure: true })).toEqual({ word: 'not sure yet', tone: 'warn' });
  });
  it('keeps its meter between a visible sliver and full', () => {
    expect([spentPercent(0.1, 2000), spentPercent(1000, 2000), spentPercent(9000, 2000)]).toEqual([6, 50, 100]);
  });
  it('tells a hit from a question', () => {
    expect([identityWord({ identity: 'hit' } as never).tone, identityWord({ identity: 'asked' } as never).word]).toEqual([
      'good',
      'asked auth',
    ]);
    expect(identityWord(undefined).word).toBe('no session');
  });
});

it('prices that leave nothing between them are explained, and only those', () => {
  expect(impossiblePrices({ priceMin: 30_000, priceMax: 10_000 })).toBe('No price is €300.00 or more and €100.00 or less at once.');
  for (const [priceMin, priceMax] of [
    [10_000, 30_000],
    [10_000, 10_000],
    [undefined, 100],
    [100, undefined],
  ])
    expect(impossiblePrices({ priceMin, priceMax })).toBeUndefined();
});
