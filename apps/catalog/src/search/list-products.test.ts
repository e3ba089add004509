import { isProblem, Sort } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listProducts, type ProductPage, type ProductsWanted } from './list-products.ts';
import { seedProducts } from '../seed/products.seed.ts';
import { fixedProductCache } from './product-cache.fixture.ts';

const all: ProductsWanted = {
  query: '',
  category: '',
  page: 0,
  pageSize: 100,
  sort: Sort.UNSPECIFIED,
  options: [],
  priceMin: 0n,
  priceMax: 0n,
  inStock: false,
};
const list = async (request: Partial<ProductsWanted>): Promise<ProductPage> => {
  const answer = await listProducts(fixedProductCache, { ...all, ...request });
  if (isProblem(answer)) throw new Error(answer.detail);
  return answer;
};
const ids = ({ items }: ProductPage): string[] => items.map(({ productId }) => productId);
const firstOf = async (query: string): Promise<string | undefined> => ids(await list({ query }))[0];
const countOf = (counts: readonly { value: string; count: number }[] | undefined, value: string): number =>
  counts?.find((one) => one.value === value)?.count ?? 0;
const facet = (page: ProductPage, name: string) => page.facets.options.find((one) => one.name === name)?.values;

describe('a query', () => {
  it.each([
    ['finds a product by its name', 'overcoat', 'wool-overcoat'],
    ['by several words', 'hiking boot', 'hiking-boots'],
    ['in any case', 'LODEN', 'loden-coat'],
    ['by the beginning of a word', 'espadr', 'espadrilles'],
    ['in spite of a missing letter', 'umbrela', 'storm-umbrella'],
    ['in spite of two wrong letters in a long word', 'esprdrilles', 'espadrilles'],
    ['in spite of swapped letters', 'accrodion', 'accordion'],
    ['by a singular', 'felt slipper', 'felt-slippers'],
    ['by a plural', 'toothbrushes', 'tooth-brush'],
    ['by a word that has a hyphen', 't-shirt', 'heavy-t-shirt'],
    ['by that word without its hyphen', 'tshirt', 'heavy-t-shirt'],
    ['by a choice', 'tortoise', 'sunglasses'],
    ['with words that say nothing', 'a kite for the wind', 'delta-kite'],
    ['by a word that says nothing, but begins one', 'to', 'pocket-torch'],
    ['with an umlaut', 'müsli', 'muesli-bowls'],
    ['with the dots of the umlaut left out', 'musli', 'muesli-bowls'],
    ['with the umlaut spelled out', 'Muesli', 'muesli-bowls'],
    ['with an accent', 'Crêpe pan', 'crepe-pan'],
    ['with the accent left out', 'crepe pan', 'crepe-pan'],
    ['with an accent that is a letter of its own (NFD)', 'cafe\u0301 au lait', 'cafe-au-lait-bowl'],
  ])('%s: %s', async (_promise, query, productId) => {
    expect(await firstOf(query)).toBe(productId);
  });
  it('puts a match in the name before one in the category, and that before one in the description', async () => {
    const found = await list({ query: 'bag' });
    const kind = found.items.map(({ name, category }) => (/bag/i.test(name) ? 0 : category === 'Bags' ? 1 : 2));
    expect(new Set(kind)).toEqual(new Set([0, 1, 2]));
    expect(kind.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(kind.lastIndexOf(1)).toBeLessThan(kind.lastIndexOf(2));
  });
  it('wants all its words, and settles for some when nothing has all of them', async () => {
    const both = await list({ query: 'leather gloves' });
    expect(both.items.every(({ name, description }) => /leather/i.test(name + description))).toBe(true);
    expect(await firstOf('accordion submarine')).toBe('accordion');
  });
  it('answers an empty page, not an error, when nothing matches', async () => {
    const page = await list({ query: 'xylophonist' });
    expect(page).toMatchObject({ items: [], total: 0, facets: { categories: [], options: [], priceMin: 0n, priceMax: 0n } });
  });
  it('of nothing but blanks is none', async () => {
    expect((await list({ query: '   ' })).total).toBe(seedProducts.length);
  });
  it('holds together with a filter and an order', async () => {
    const page = await list({ query: 'wool', category: 'Coats', sort: Sort.PRICE_DESCENDING });
    expect(page.items.length).toBeGreaterThan(2);
    expect(page.items.every(({ category }) => category === 'Coats')).toBe(true);
    expect(page.items.map(({ price }) => price)).toEqual(page.items.map(({ price }) => price).toSorted((a, b) => Number(b - a)));
  });
});

describe('a filter', () => {
  it('keeps to one category', async () => {
    const bags = await list({ category: 'Bags' });
    expect(bags.total).toBe(seedProducts.filter(({ category }) => category === 'Bags').length);
    expect((await list({ category: 'Anvils' })).total).toBe(0);
  });
  it('takes any of the values of one option, and all of the options', async () => {
    const size = (value: string) => ({ name: 'Size', value });
    const navy = { name: 'Colour', value: 'Navy' };
    const [small, large, either, both] = await Promise.all(
      [[size('37')], [size('XL')], [size('37'), size('XL')], [size('XL'), navy]].map((options) => list({ options })),
    );
    expect(either!.total).toBe(small!.total + large!.total);
    expect(both!.items.every(({ options }) => options.some(({ name, values }) => name === 'Colour' && values.includes('Navy')))).toBe(true);
    expect(both!.total).toBeLessThan(large!.total);
    expect((await list({ options: [{ name: 'Colour', value: 'Ultrabeige' }] })).total).toBe(0);
  });
  it('takes both ends of a price range, and one alone', async () => {
    const { items } = await list({ priceMin: 2900n, priceMax: 4900n });
    expect(items.map(({ price }) => price).toSorted((a, b) => Number(a - b))).toEqual(
      seedProducts
        .map(({ price }) => BigInt(price))
        .filter((price) => price >= 2900n && price <= 4900n)
        .toSorted((a, b) => Number(a - b))
        .slice(0, 100),
    );
    expect((await list({ priceMin: 74_900n })).total).toBe(2);
    expect((await list({ priceMin: 5000n, priceMax: 4000n })).total).toBe(0);
  });
  it('leaves sold-out products out when asked to', async () => {
    const soldOut = seedProducts.filter(({ stock }) => stock === 0).length;
    expect((await list({ inStock: true })).total).toBe(seedProducts.length - soldOut);
  });
});

describe('facets', () => {
  it('show what else there is: a choice does not count against its own facet', async () => {
    const page = await list({ category: 'Coats', options: [{ name: 'Colour', value: 'Navy' }] });
    const coats = await list({ category: 'Coats' });
    expect(facet(page, 'Colour')).toEqual(facet(coats, 'Colour'));
    expect(countOf(page.facets.categories, 'Bags')).toBeGreaterThan(0);
    expect(countOf(facet(page, 'Size'), 'M')).toBe(
      page.items.filter(({ options }) => options.some(({ values }) => values.includes('M'))).length,
    );
  });
  it('give the price range that there is without the chosen one', async () => {
    const page = await list({ category: 'Care', priceMin: 1000n, priceMax: 1200n });
    const prices = seedProducts.filter(({ category }) => category === 'Care').map(({ price }) => BigInt(price));
    expect(page.facets).toMatchObject({
      priceMin: prices.reduce((a, b) => (a < b ? a : b)),
      priceMax: prices.reduce((a, b) => (a > b ? a : b)),
    });
  });
  it('name what is chosen even where it has become nothing, so that it can be taken back', async () => {
    const page = await list({ query: 'teapot', category: 'Shoes', options: [{ name: 'Size', value: '44' }] });
    expect(page.facets.categories).toContainEqual({ value: 'Shoes', count: 0 });
    expect(facet(page, 'Size')).toEqual([{ value: '44', count: 0 }]);
  });
  it('list sizes as they are worn and numbers by size', async () => {
    const { facets } = await list({ category: 'Coats' });
    expect(facets.options[0]).toMatchObject({ name: 'Size' });
    expect(facets.options[0]!.values.map(({ value }) => value)).toEqual(['XS', 'S', 'S/M', 'M', 'L', 'L/XL', 'XL']);
    expect(facet(await list({ query: 'reading glasses' }), 'Strength')?.map(({ value }) => value)).toEqual([
      '+1.0',
      '+1.5',
      '+2.0',
      '+2.5',
    ]);
    expect(facet(await list({ category: 'Stationery' }), 'Length')?.map(({ value }) => value)).toEqual(['15 cm', '30 cm']);
  });
});

const [sorts, colours, sizes] = [
  [Sort.UNSPECIFIED, Sort.PRICE_ASCENDING, Sort.PRICE_DESCENDING, Sort.NAME, Sort.NEWEST],
  ['Navy', 'Black', 'Rust', 'Forest', 'Ultrabeige'],
  ['S', 'XL', '40', 'S/M'],
];
const anyRequest = fc.record({
  query: fc.constantFrom('', '', 'wool', 'leather', 'set of four', 'blakc', 'co'),
  category: fc.constantFrom('', '', ...new Set(seedProducts.map(({ category }) => category))),
  sort: fc.constantFrom(...sorts),
  options: fc.array(
    fc.oneof(
      fc.record({ name: fc.constant('Colour'), value: fc.constantFrom(...colours) }),
      fc.record({ name: fc.constant('Size'), value: fc.constantFrom(...sizes) }),
    ),
    { maxLength: 3 },
  ),
  priceMin: fc.constantFrom(0n, 0n, 2500n, 9000n),
  priceMax: fc.constantFrom(0n, 0n, 8900n, 12_900n),
  inStock: fc.boolean(),
});

describe('for any request', () => {
  it('a count of a facet is the total of the list that one gets by choosing it', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const { facets } = await list(request);
        for (const { value, count } of facets.categories)
          expect((await list({ ...request, category: value })).total, `category ${value}`).toBe(count);
        for (const { name, values } of facets.options) {
          const others = request.options.filter((option) => option.name !== name);
          for (const { value, count } of values)
            expect((await list({ ...request, options: [...others, { name, value }] })).total, `${name} ${value}`).toBe(count);
        }
      }),
      { numRuns: 40 },
    );
  });
  it('the list is what a reader of the seed would pick out, one by one', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async ({ sort, ...request }) => {
        const picked = seedProducts.filter(
          (product) =>
            (request.category === '' || product.category === request.category) &&
            BigInt(product.price) >= request.priceMin &&
            (request.priceMax === 0n || BigInt(product.price) <= request.priceMax) &&
            (!request.inStock || product.stock > 0) &&
            ['Colour', 'Size'].every((name) => {
              const chosen = request.options.filter((option) => option.name === name);
              return chosen.length === 0 || chosen.some(({ value }) => product.options[name]?.includes(value));
            }),
        );
        const listed = await everyPage({ ...request, sort, query: '' }, 100);
        expect(listed.toSorted()).toEqual(picked.map(({ productId }) => productId).toSorted());
      }),
      { numRuns: 100 },
    );
  });
  it('paging shows each product exactly once, in one order, whatever the size of the page', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, fc.integer({ min: 7, max: 60 }), async (request, pageSize) => {
        const paged = await everyPage(request, pageSize);
        expect(new Set(paged).size).toBe(paged.length);
        expect(paged).toEqual(await everyPage(request, 100));
        expect(paged).toHaveLength((await list(request)).total);
      }),
      { numRuns: 60 },
    );
  });
});

async function everyPage(request: Partial<ProductsWanted>, pageSize: number): Promise<string[]> {
  const found: string[] = [];
  for (let page = 1; ; page++) {
    const answer = await list({ ...request, page, pageSize });
    expect(answer).toMatchObject({ page, pageSize });
    if (answer.items.length === 0) return found;
    found.push(...ids(answer));
  }
}

describe('an order', () => {
  const seedOf = new Map(seedProducts.map((product) => [product.productId, product]));
  it.each([
    [Sort.PRICE_ASCENDING, 'price, low first', (a: string, b: string) => seedOf.get(a)!.price - seedOf.get(b)!.price],
    [Sort.PRICE_DESCENDING, 'price, high first', (a: string, b: string) => seedOf.get(b)!.price - seedOf.get(a)!.price],
    [Sort.NAME, 'name', (a: string, b: string) => seedOf.get(a)!.name.localeCompare(seedOf.get(b)!.name, 'en', { numeric: true })],
    [Sort.NEWEST, 'newest', (a: string, b: string) => seedOf.get(b)!.addedOn.localeCompare(seedOf.get(a)!.addedOn)],
  ])('%i: by %s, equals as in the window', async (sort, _name, compare) => {
    const window = await everyPage({}, 100);
    expect(window).toEqual(seedProducts.map(({ productId }) => productId));
    expect(await everyPage({ sort }, 50)).toEqual(window.toSorted(compare));
  });
});

describe('a page', () => {
  it('has 24 products unless asked for another number, and is the first unless asked for another', async () => {
    expect(await list({ page: 0, pageSize: 0 })).toMatchObject({ page: 1, pageSize: 24, total: seedProducts.length });
    expect((await list({ pageSize: 0 })).items).toHaveLength(24);
  });
  it('after the last is empty', async () => {
    expect(await list({ page: 10_000 })).toMatchObject({ items: [], total: seedProducts.length });
  });
});

it.each<[string, Partial<ProductsWanted>]>([
  ['a query of more than 100 characters', { query: 'x'.repeat(101) }],
  ['a category of more than 64', { category: 'x'.repeat(65) }],
  ['more than 100 products a page', { pageSize: 101 }],
  ['a page beyond 10,000', { page: 10_001 }],
  ['more than 10 options', { options: Array.from({ length: 11 }, () => ({ name: 'Size', value: 'M' })) }],
  ['an option of more than 64 characters', { options: [{ name: 'Size', value: 'x'.repeat(65) }] }],
  ['a price below 0', { priceMin: -1n }],
  ['an order that it does not know', { sort: 99 as Sort }],
])('refuses %s', async (_what, request) => {
  expect(await listProducts(fixedProductCache, { ...all, ...request })).toMatchObject({ problem: 'invalid_request' });
});

it('answers nearly every query within 20 ms, all facets counted', async () => {
  const queries = [
    'wool',
    'leather gloves',
    'umbrela',
    'set of four',
    'c',
    'waterprof jaket',
    '',
    'crepe',
    'x'.repeat(100),
    'a b c d e f g h',
  ];
  const crowd = watchCrowd();
  const tookMs: number[] = [];
  for (let run = 0; run < 30; run++) {
    for (const query of queries) {
      const startedMs = performance.now();
      await list({ query, options: [{ name: 'Colour', value: 'Navy' }], sort: Sort.PRICE_ASCENDING });
      tookMs.push(performance.now() - startedMs);
    }
  }
  expect(tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length * 0.95)]).toBeLessThan(crowd.roomMs(20));
});
