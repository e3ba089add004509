/** The database after a seed, on whatever database the suite is given. */
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { isProblem } from '@cloakroom/contracts';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Kysely } from 'kysely';
import { getProducts } from './get-products.ts';
import { seedProducts, type SeedProduct } from './seed/products.seed.ts';
import { allProducts, expansions, migrations, seed, type CatalogSchema } from './products.ts';

let db: Kysely<CatalogSchema>;

beforeEach(async () => {
  db = await openDatabase<CatalogSchema>(await freshDatabaseUrl(), migrations, {
    name: 'catalog',
    log: createLogger('test', 'silent'),
    expansions,
  });
  await seed(db, seedProducts);
  return () => db.destroy();
});

const first = seedProducts[0]!;
const changedSeed = (change: Partial<SeedProduct>): SeedProduct[] =>
  seedProducts.map((one) => (one === first ? { ...one, ...change } : one));
const change = (set: Partial<CatalogSchema['products']>) =>
  db.updateTable('products').set(set).where('product_id', '=', first.productId).execute();
const read = async () => (await allProducts(db)).find(({ product }) => product.productId === first.productId)!;

describe('seed', () => {
  it('gives the same shelf at every start', async () => {
    const before = await allProducts(db);
    await seed(db, seedProducts);
    expect(await allProducts(db)).toEqual(before);
    expect(before.map(({ product }) => product.productId)).toEqual(seedProducts.map(({ productId }) => productId));
    expect(before[0]).toMatchObject({ product: { price: BigInt(first.price), currency: 'EUR' }, addedOn: first.addedOn, position: 0 });
  });
  it('adds what is new to a database that is there', async () => {
    await db.deleteFrom('products').where('category', '!=', 'Coats').execute();
    await seed(db, seedProducts);
    expect(await allProducts(db)).toHaveLength(seedProducts.length);
  });
  it('brings a product up to date that nobody has changed', async () => {
    await seed(db, changedSeed({ price: 100, name: 'Another name', options: { Size: ['One'] } }));
    expect((await read()).product).toMatchObject({ price: 100n, name: 'Another name', options: [{ name: 'Size', values: ['One'] }] });
    await seed(db, seedProducts);
    expect((await read()).product).toMatchObject({ price: BigInt(first.price), name: first.name });
  });
  it('leaves a product as it is that somebody has changed, also at later starts', async () => {
    await change({ price: 555 });
    await seed(db, changedSeed({ name: 'Another name' }));
    await seed(db, changedSeed({ name: 'A third name' }));
    expect((await read()).product).toMatchObject({ price: 555n, name: first.name });
  });
  it('never touches the stock of a product that is there, and takes no change of it for a change of the product', async () => {
    await change({ stock: 3 });
    await seed(db, changedSeed({ stock: 80, name: 'Another name' }));
    expect((await read()).product).toMatchObject({ stock: 3, name: 'Another name' });
  });
  it('keeps the window in its order, and a product that it does not have any more', async () => {
    await seed(db, seedProducts.slice(1).toReversed());
    expect((await read()).product.name).toBe(first.name);
    expect((await allProducts(db))[0]!.product.productId).toBe(seedProducts.at(-1)!.productId);
  });
  it('upgrades a database of the version that did not note changes: all but the stock comes from the seed', async () => {
    const url = await freshDatabaseUrl('lasting');
    const options = { name: 'catalog', log: createLogger('test', 'silent') };
    const old = await openDatabase<CatalogSchema>(url, { '001-products': migrations['001-products']! }, options);
    const {
      added_on: _,
      seeded: __,
      ...row
    } = await db.selectFrom('products').selectAll().where('position', '=', 0).executeTakeFirstOrThrow();
    const before = { ...row, name: 'The name of long ago', stock: 2 };
    await old
      .insertInto('products')
      .values(before as CatalogSchema['products'])
      .execute();
    await old.destroy();
    const upgraded = await openDatabase<CatalogSchema>(url, migrations, options);
    await seed(upgraded, seedProducts);
    const all = await allProducts(upgraded);
    await upgraded.destroy();
    expect(all).toHaveLength(seedProducts.length);
    expect(all[0]).toMatchObject({ product: { name: first.name, stock: 2 }, addedOn: first.addedOn });
  });
  it('lets a build without the shares of two regions start on a database that has them', async () => {
    const url = await freshDatabaseUrl('lasting');
    const older = { name: 'catalog', log: createLogger('test', 'silent') };
    await (await openDatabase<CatalogSchema>(url, migrations, { ...older, expansions })).destroy();
    const before = await openDatabase<CatalogSchema>(url, migrations, older);
    await seed(before, seedProducts);
    expect(await allProducts(before)).toHaveLength(seedProducts.length);
    await before.destroy();
  });
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
  it('tells the stock of this moment', async () => {
    await change({ stock: 1 });
    expect(await getProducts(db, { productIds: [first.productId] })).toMatchObject({ items: [{ stock: 1 }] });
  });
  it('refuses more ids than a cart can have', async () => {
    expect(await getProducts(db, { productIds: Array.from({ length: 201 }, (_, i) => `p${i}`) })).toMatchObject({
      problem: 'invalid_request',
    });
  });
});
