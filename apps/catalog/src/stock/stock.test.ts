/** Orders take stock and give it back, on whatever database the suite is given. On a server, two connections stand for two replicas. */
import { randomBytes } from 'node:crypto';
import { isProblem, uuidV7 } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { freshDatabaseUrl } from '@cloakroom/testing';
import fc from 'fast-check';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getProducts } from '../get-products.ts';
import { allProducts, type CatalogSchema, expansions, migrations, seed, stocksNow } from '../products.ts';
import { seedProducts } from '../seed/products.seed.ts';
import { releaseStock } from './release-stock.ts';
import type { StockLine } from './reservations.ts';
import { reserveStock } from './reserve-stock.ts';

const nowMs = 1_790_000_000_000;
/** The products in the order in which orders take them. */
const [cap, hat, pan] = seedProducts
  .slice(0, 3)
  .map(({ productId }) => productId)
  .toSorted() as [string, string, string];
const seedOfRun = Date.now() % 2 ** 31;
const runs = 40;

let replicas: readonly [Kysely<CatalogSchema>, Kysely<CatalogSchema>];
const open = (url: string) =>
  openDatabase<CatalogSchema>(url, migrations, { name: 'catalog', log: createLogger('test', 'silent'), expansions });

beforeAll(async () => {
  const url = await freshDatabaseUrl();
  const one = await open(url);
  // A database in a file or in memory has one process.
  replicas = [one, url.startsWith('sqlite:') ? one : await open(url)];
  await seed(one, seedProducts);
});
afterAll(() => Promise.all([...new Set(replicas)].map((db) => db.destroy())));
beforeEach(() => stock({ [cap]: 5, [hat]: 3, [pan]: 1 }));

const newOrder = (): string => uuidV7(nowMs, randomBytes(10));
async function stock(amounts: Readonly<Record<string, number>>): Promise<void> {
  for (const [id, amount] of Object.entries(amounts))
    await replicas[0].updateTable('products').set({ stock: amount }).where('product_id', '=', id).execute();
}
async function left(): Promise<number[]> {
  const stocks = await stocksNow(replicas[1]);
  return [cap, hat, pan].map((id) => stocks.get(id)!);
}
const of = (...quantities: number[]): StockLine[] =>
  [cap, hat, pan].flatMap((productId, i) => ((quantities[i] ?? 0) > 0 ? [{ productId, quantity: quantities[i]! }] : []));
const reserve = (orderId: string, items: readonly StockLine[], replica = 0) => reserveStock(replicas[replica]!, { orderId, items }, nowMs);
const release = (orderId: string, replica = 0) => releaseStock(replicas[replica]!, { orderId }, nowMs);
const short = (answer: Awaited<ReturnType<typeof reserve>>): StockLine[] => {
  if (isProblem(answer)) throw new Error(answer.problem);
  return answer.short;
};

describe('stock', () => {
  it('is taken for all lines of an order, and the next reader sees it on each replica', async () => {
    expect(await reserve(newOrder(), of(2, 3))).toEqual({ short: [] });
    expect(await left()).toEqual([3, 0, 1]);
    expect(await getProducts(replicas[1], { productIds: [cap] })).toMatchObject({ items: [{ stock: 3 }] });
  });
  it('is taken for no line when there is too little of one, and the answer says what is left of each such product', async () => {
    const gone = { productId: 'no-such-product', quantity: 1 };
    expect(short(await reserve(newOrder(), [...of(5, 4, 2), gone]))).toEqual(
      [
        { productId: hat, quantity: 3 },
        { productId: pan, quantity: 1 },
        { ...gone, quantity: 0 },
      ].toSorted((a, b) => (a.productId < b.productId ? -1 : 1)),
    );
    expect(short(await reserve(newOrder(), of(5, 3, 2)))).toEqual([{ productId: pan, quantity: 1 }]);
    expect(await left()).toEqual([5, 3, 1]);
  });
  it('is taken once, however often and wherever an order asks', async () => {
    const order = newOrder();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => reserve(order, of(2), i % 2)));
    expect(answers).toEqual(answers.map(() => ({ short: [] })));
    expect(await left()).toEqual([3, 3, 1]);
  });
  it('that was too little for an order is too little for it for ever', async () => {
    const order = newOrder();
    const first = await reserve(order, of(6));
    await stock({ [cap]: 100 });
    expect(await reserve(order, of(6), 1)).toEqual(first);
    expect(await left()).toEqual([100, 3, 1]);
  });
  it('comes back once, however often and wherever an order gives it back', async () => {
    const order = newOrder();
    await reserve(order, of(2, 1));
    await Promise.all(Array.from({ length: 8 }, (_, i) => release(order, i % 2)));
    expect(await left()).toEqual([5, 3, 1]);
  });
  it('is not taken by an order that gave it back, nor by one that gave back before it asked', async () => {
    const order = newOrder();
    await reserve(order, of(2));
    await release(order);
    expect(short(await reserve(order, of(2)))).toEqual([{ productId: cap, quantity: 0 }]);
    const early = newOrder();
    await release(early);
    expect(short(await reserve(early, of(0, 1)))).toEqual([{ productId: hat, quantity: 0 }]);
    await release(early);
    expect(await left()).toEqual([5, 3, 1]);
  });
  it('is whole after an order asked and gave back at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const order = newOrder();
      await Promise.all([reserve(order, of(1, 1), 0), release(order, 1)]);
      await release(order);
      expect(await left()).toEqual([5, 3, 1]);
    }
  });
  it('is not asked for by a number that is none, by nothing, twice in one order, or by another order under the same id', async () => {
    const order = newOrder();
    for (const items of [[], of(0.5), [{ productId: cap, quantity: 0 }], [...of(1), ...of(1)], [{ productId: cap, quantity: 2e9 }]])
      expect(await reserve(order, items)).toMatchObject({ problem: 'invalid_request' });
    expect(await reserve('an-order', of(1))).toMatchObject({ problem: 'invalid_request' });
    expect(await release('an-order')).toMatchObject({ problem: 'invalid_request' });
    await reserve(order, of(1));
    expect(await reserve(order, of(2))).toMatchObject({ problem: 'invalid_request' });
    expect(await left()).toEqual([4, 3, 1]);
  });
});

describe('many buyers', () => {
  it('of the last item, fifty at once: exactly one gets it', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => reserve(newOrder(), of(0, 0, 1), i % 2)));
    expect(answers.filter((answer) => short(answer).length === 0)).toHaveLength(1);
    expect(await left()).toEqual([5, 3, 0]);
  });
  it('of the same products named in other orders never wait for each other in a circle', async () => {
    await stock({ [cap]: 100, [hat]: 100, [pan]: 100 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => reserve(newOrder(), i % 2 === 0 ? of(1, 1, 1) : of(1, 1, 1).toReversed(), i % 2)),
    );
    expect(answers.filter((answer) => short(answer).length === 0)).toHaveLength(50);
    expect(await left()).toEqual([50, 50, 50]);
  });
});

const quantities = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 2 }));
const histories = fc.array(fc.record({ order: fc.nat(4), release: fc.boolean() }), { minLength: 1, maxLength: 16 });
const plans = fc.record({ stock: fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)), orders: fc.array(quantities, { minLength: 5, maxLength: 5 }) });

describe(`any history (seed ${seedOfRun}, ${runs} runs each)`, () => {
  it('of one caller answers and leaves what a plain ledger would', async () => {
    const property = fc.asyncProperty(plans, histories, async (plan, steps) => {
      const shelf = [...plan.stock];
      await stock({ [cap]: shelf[0]!, [hat]: shelf[1]!, [pan]: shelf[2]! });
      const orders = plan.orders.map((amounts) => ({ id: newOrder(), amounts, state: 'new' }));
      for (const { order: which, release: gives } of steps) {
        const order = orders[which]!;
        if (gives) {
          await release(order.id);
          if (order.state === 'taken') order.amounts.forEach((amount, i) => (shelf[i]! += amount));
          order.state = order.state === 'short' ? 'short' : 'closed';
        } else {
          if (order.state === 'new') {
            order.state = order.amounts.every((amount, i) => shelf[i]! >= amount) ? 'taken' : 'short';
            if (order.state === 'taken') order.amounts.forEach((amount, i) => (shelf[i]! -= amount));
          }
          expect(short(await reserve(order.id, of(...order.amounts))).length === 0).toBe(order.state === 'taken');
        }
        expect(await left()).toEqual(shelf);
      }
    });
    await fc.assert(property, { seed: seedOfRun, numRuns: runs });
  });
  it('of many callers at once leaves no stock below zero, and what orders hold plus what is left is what there was', async () => {
    const property = fc.asyncProperty(plans, histories, async (plan, steps) => {
      await stock({ [cap]: plan.stock[0], [hat]: plan.stock[1], [pan]: plan.stock[2] });
      const ids = plan.orders.map(newOrder);
      await Promise.all(
        steps.map(async ({ order, release: gives }, i) =>
          gives ? release(ids[order]!, i % 2) : reserve(ids[order]!, of(...plan.orders[order]!), i % 2),
        ),
      );
      const rows = await replicas[0].selectFrom('reservations').selectAll().where('order_id', 'in', ids).execute();
      const held = rows.filter(({ state }) => state === 'taken').map(({ order_id }) => plan.orders[ids.indexOf(order_id)]!);
      const now = await left();
      expect(now.every((amount) => amount >= 0)).toBe(true);
      expect(now.map((amount, i) => amount + held.reduce((sum, amounts) => sum + amounts[i]!, 0))).toEqual(plan.stock);
    });
    await fc.assert(property, { seed: seedOfRun, numRuns: runs });
  });
});

it('a start beside a replica that sells neither waits for it in a circle nor touches what it sold', async () => {
  const before = (await allProducts(replicas[0])).length;
  await Promise.all([
    ...Array.from({ length: 20 }, (_, i) => reserve(newOrder(), i % 2 === 0 ? of(0, 1) : of(1), 0)),
    seed(
      replicas[1],
      seedProducts.map((product) => ({ ...product, description: `${product.description} ` })),
    ),
  ]);
  expect(await allProducts(replicas[0])).toHaveLength(before);
  expect(await left()).toEqual([0, 0, 1]);
});
