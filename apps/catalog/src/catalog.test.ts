import { existsSync } from 'node:fs';
import { createLogger, openDatabase } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { isProblem } from '@cloakroom/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Kysely } from 'kysely';
import { getProducts } from './get-products.ts';
import { listProducts, type ProductPage } from './list-products.ts';
import { seedProducts } from './products.seed.ts';
import { allProducts, migrations, seed, type CatalogSchema } from './products.ts';
import { buildSearch, type ProductSearch } from './search.ts';

let db: Kysely<CatalogSchema>;
let search: ProductSearch;

beforeAll(async () => {
  db = await openDatabase<CatalogSchema>(await freshDatabaseUrl(), migrations, { name: 'catalog', log: createLogger('test', 'silent') });
  await seed(db, seedProducts);
  search = buildSearch(await allProducts(db));
});

const list = async (request: Partial<Parameters<typeof listProducts>[2]>): Promise<ProductPage> => {
  const answer = await listProducts(db, search, { query: '', category: '', page: 0, pageSize: 0, ...request });
  if (isProblem(answer)) throw new Error(answer.detail);
  return answer;
};
const names = (page: ProductPage): string[] => page.items.map((item) => item.productId);

describe('the seed', () => {
  it('has 40 products in at least 6 categories, each with its own id and a picture that exists', () => {
    expect(seedProducts).toHaveLength(40);
    expect(new Set(seedProducts.map((product) => product.category)).size).toBeGreaterThanOrEqual(6);
    expect(new Set(seedProducts.map((product) => product.productId)).size).toBe(40);
    const missing = seedProducts.filter(({ image }) => !existsSync(new URL(`../../web/public/images/${image}.svg`, import.meta.url)));
    expect(missing).toEqual([]);
  });
  it('leaves a product that is already on the shelf as the shop has it', async () => {
    await db.updateTable('products').set({ stock: 3 }).where('product_id', '=', 'wool-overcoat').execute();
    await seed(db, seedProducts);
    expect(await getProducts(db, { productIds: ['wool-overcoat'] })).toMatchObject({ items: [{ stock: 3 }] });
    expect((await list({})).total).toBe(40);
  });
});

describe('listProducts', () => {
  it('pages through every product once, in the order of the window', async () => {
    const pages = [await list({ page: 1, pageSize: 15 }), await list({ page: 2, pageSize: 15 }), await list({ page: 3, pageSize: 15 })];
    expect(pages.flatMap(names)).toEqual(seedProducts.map((product) => product.productId));
    expect(pages[2]).toMatchObject({ total: 40, page: 3, pageSize: 15 });
    expect((await list({ page: 4, pageSize: 15 })).items).toEqual([]);
  });
  it('keeps to one category, with and without a query', async () => {
    const bags = await list({ category: 'Bags' });
    expect(bags.total).toBe(6);
    expect(new Set(bags.items.map((item) => item.category))).toEqual(new Set(['Bags']));
    expect(names(await list({ category: 'Bags', query: 'leather' }))).not.toContain('saddle-soap');
    expect((await list({ category: 'Anvils' })).total).toBe(0);
  });
  it.each([
    ['overcoat', 'wool-overcoat'],
    ['umbr', 'storm-umbrella'],
    ['umbrela', 'storm-umbrella'],
    ['hiking boot', 'hiking-boots'],
    ['BACKPACK', 'roll-top-backpack'],
    ['tortoise', 'sunglasses'],
  ])('finds %j first as %s', async (query, productId) => {
    expect(names(await list({ query }))[0]).toBe(productId);
  });
  it('answers an empty page, not an error, when nothing matches', async () => {
    expect(await list({ query: 'submarine' })).toMatchObject({ items: [], total: 0 });
  });
  it('counts all matches, not those of the page', async () => {
    const all = await list({ query: 'leather', pageSize: 100 });
    const first = await list({ query: 'leather', pageSize: 2 });
    expect(all.total).toBeGreaterThan(2);
    expect(first).toMatchObject({ total: all.total, pageSize: 2 });
    expect(names(first)).toEqual(names(all).slice(0, 2));
  });
  it.each([{ query: 'x'.repeat(101) }, { category: 'x'.repeat(65) }, { pageSize: 101 }, { page: 10_001 }])(
    'refuses %j',
    async (request) => {
      expect(await listProducts(db, search, { query: '', category: '', page: 1, pageSize: 1, ...request })).toMatchObject({
        problem: 'invalid_request',
      });
    },
  );
});

describe('getProducts', () => {
  it('answers in the order asked, leaves unknown ids out and repeated ones once', async () => {
    const answer = await getProducts(db, { productIds: ['top-hat', 'nothing', 'coin-purse', 'top-hat'] });
    expect(isProblem(answer) ? answer : answer.items.map((item) => item.productId)).toEqual(['top-hat', 'coin-purse']);
  });
  it('gives the price in minor units, the choices and the picture', async () => {
    expect(await getProducts(db, { productIds: ['canvas-cap'] })).toMatchObject({
      items: [{ price: 2800n, currency: 'EUR', options: [{ name: 'Colour', values: ['Blue', 'Ecru'] }], image: '/images/billed-cap.svg' }],
    });
  });
  it('refuses more ids than a cart can have', async () => {
    expect(await getProducts(db, { productIds: Array.from({ length: 201 }, (_, i) => `p${i}`) })).toMatchObject({
      problem: 'invalid_request',
    });
  });
});
