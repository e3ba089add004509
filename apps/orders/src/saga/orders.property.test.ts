/**
 * Check-out is exactly once over generated histories. People have several keys and overlapping dots. Two replicas are killed anywhere. The histories
 * have every means of payment, repeated callbacks, a catalog that comes and goes, and stock that is too small for all.
 *
 * A failure prints its seed and path: put them into `runs` to repeat it. The same runs on PostgreSQL are in orders.postgres.int.test.ts.
 */
import { isProblem } from '@cloakroom/contracts';
import { speaksPostgres } from '@cloakroom/platform/database';
import { dropFreshDatabases, freshDatabaseUrl } from '@cloakroom/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fuse, heard, openOrdersDatabase, openShop, orderIdOf, type Replica, type Shop } from '../orders.harness.ts';
import { assertWhole } from './whole.harness.ts';

const seed = Date.now() % 2 ** 31;
console.info(`orders.property.test.ts: seed ${seed}`);

const methods = ['card_pays', 'card_declined', 'card_times_out_charged', 'card_times_out_uncharged', 'card_double_callback'] as const;
const products = ['hat', 'coat', 'scarf'] as const;
const dots = ['a', 'b', 'c', 'd', 'w'] as const;

const place = fc.record({
  do: fc.constant('place' as const),
  replica: fc.nat({ max: 1 }),
  user: fc.nat({ max: 1 }),
  key: fc.nat({ max: 2 }),
  seen: fc.subarray([...dots], { minLength: 1, maxLength: 3 }),
  method: fc.constantFrom(...methods),
  agreed: fc.constantFrom(false, false, false, true),
});
const keep = fc.record({ do: fc.constant('keep' as const), replica: fc.nat({ max: 1 }) });
const change = fc.record({
  do: fc.constant('change' as const),
  away: fc.constantFrom(false, false, true),
  product: fc.nat({ max: 2 }),
  price: fc.integer({ min: 1, max: 5 }),
});
/** Steps that happen at once. */
const wave = fc.array(fc.oneof({ weight: 8, arbitrary: place }, { weight: 2, arbitrary: keep }, { weight: 1, arbitrary: change }), {
  minLength: 2,
  maxLength: 6,
});
const stockCount = fc.integer({ min: 1, max: 6 });
const points = fc.integer({ min: 2, max: 30 });
const history = fc.record({
  stock: fc.tuple(stockCount, stockCount, stockCount),
  duplicates: fc.nat({ max: 2 }),
  waves: fc.array(fc.record({ what: wave, fuses: fc.tuple(points, points), passesMs: fc.constantFrom(0, 700, 3_000, 700_000) }), {
    minLength: 2,
    maxLength: 6,
  }),
});
type Wave = typeof wave extends fc.Arbitrary<infer Of> ? Of : never;
type Placing = Extract<Wave[number], { do: 'place' }>;

interface Answered {
  readonly by: Placing;
  readonly orderId: string | undefined;
  readonly problem: string | undefined;
}

async function run(shop: Shop, replicas: readonly Replica[], what: Wave): Promise<Answered[]> {
  const answers = await Promise.all(
    what.map(async (each): Promise<Answered | undefined> => {
      if (each.do === 'change') {
        shop.catalog.away = each.away;
        shop.catalog.prices.set(products[each.product]!, each.price * 500);
        return undefined;
      }
      const replica = replicas[each.replica]!;
      if (each.do === 'keep') {
        await heard(replica.work());
        return undefined;
      }
      const wanted = { idempotencyKey: `k${each.key}`, seen: each.seen.join(','), paymentMethod: each.method };
      const agreed = each.agreed ? { expectedTotal: 1_000n } : {};
      const answer = await heard(replica.place(`u_${each.user}`, { ...wanted, ...agreed }));
      return { by: each, orderId: orderIdOf(answer), problem: isProblem(answer) ? answer.problem : undefined };
    }),
  );
  return answers.filter((answer) => answer !== undefined);
}

/** A person's key has one order, and that order never has two ids. The shop told no person "not paid" after a payment. */
async function assertAnswered({ db }: Shop, answers: readonly Answered[]): Promise<void> {
  const orders = await db.selectFrom('orders').selectAll().execute();
  const byKey = new Map(orders.map((order) => [`${order.user_id} ${order.idempotency_key}`, order]));
  if (byKey.size !== orders.length) throw new Error('two orders of one key');
  for (const { by, orderId, problem } of answers) {
    const order = byKey.get(`u_${by.user} k${by.key}`);
    if (orderId !== undefined && order?.order_id !== orderId) throw new Error(`${orderId} was answered and is not the order of its key`);
    if (problem === 'payment_declined' && order?.phase !== 'cancelled') throw new Error('a declined order is placed');
  }
  const welcomed = Map.groupBy(
    orders.filter((order) => order.phase === 'placed' && order.coupon === 'WELCOME10'),
    (order) => order.user_id,
  );
  for (const [userId, its] of welcomed) if (its.length > 1) throw new Error(`${userId} was welcomed ${its.length} times`);
}

it('orders each dot and charges each order at most once, charges what is placed and nothing else, and ends every order', async () => {
  const url = await freshDatabaseUrl();
  const own = await openOrdersDatabase(url);
  const onPostgres = speaksPostgres(own);
  // On PostgreSQL each of two processes has its own connections. With SQLite there is one process.
  const others = onPostgres ? await openOrdersDatabase(url) : own;
  // PostgreSQL waits for its disk at each commit.
  const runs = { numRuns: onPostgres ? 8 : 150, seed };
  const seen = { placed: 0, cancelled: 0, killed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(history, async ({ stock, duplicates, waves }) => {
      const shop = await openShop(own);
      shop.duplicates = duplicates;
      const stockAtFirst = new Map(products.map((product, at) => [product, stock[at]!]));
      for (const [product, count] of stockAtFirst) shop.catalog.put(product, { stock: count });
      for (const [at, dot] of ['a', 'b', 'c', 'd'].entries())
        shop.cart.lines.set(dot, { productId: products[at % 3]!, quantity: 1 + (at % 2) });
      shop.cart.coupons.set('w', 'WELCOME10');
      const answers: Answered[] = [];
      for (const { what, fuses, passesMs } of waves) {
        const pair = fuses.map((points) => new Fuse(points));
        answers.push(...(await run(shop, [shop.replica(pair[0]), shop.replica(pair[1], others)], what)));
        seen.killed += pair.filter(({ blown }) => blown).length;
        shop.clock.aheadMs += passesMs;
      }
      shop.catalog.away = false;
      await shop.heal();
      await assertWhole(shop, stockAtFirst);
      await assertAnswered(shop, answers);
      for (const { phase } of await own.selectFrom('orders').select('phase').execute()) seen[phase as 'placed' | 'cancelled'] += 1;
      seen.refused += answers.filter(({ problem }) => problem !== undefined).length;
    }),
    runs,
  );
  await own.destroy();
  if (onPostgres) await others.destroy();
  await dropFreshDatabases();
  console.info(`orders.property.test.ts: ${runs.numRuns} histories, ${JSON.stringify(seen)}`);
  // Histories without any events would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(runs.numRuns / 10);
}, 120_000);
