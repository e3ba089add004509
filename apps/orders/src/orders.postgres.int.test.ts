/** Everything that orders asks of its database, on a real PostgreSQL; and what only two processes at once can get wrong. */
import { isProblem, OrderStatus } from '@cloakroom/contracts';
import { openLease, startTrace } from '@cloakroom/platform';
import { dropFreshDatabases, freshDatabaseUrl, useFreshPostgres } from '@cloakroom/testing';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { keeperLease } from './announce.ts';
import { openKeeper, type Keeper } from './keeper.ts';
import { openOrdersDatabase, openShop, orderIdOf, personContext, quiet, type Replica, type Shop } from './orders.harness.ts';
import type { Database } from './orders.ts';
import { placeOrder } from './place-order.ts';
import { assertWhole } from './whole.harness.ts';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
const withPostgres = adminUrl === undefined ? describe.skip : describe;

withPostgres('on PostgreSQL', () => {
  // The service of start.test.ts lives as long as the file.
  afterAll(dropFreshDatabases);
  describe('check-out', async () => {
    await import('./place-order.test.ts');
  });
  describe('one order a command', async () => {
    await import('./one-order-a-command.test.ts');
  });
  describe('saga', async () => {
    await import('./saga.test.ts');
  });
  describe('provider', async () => {
    await import('./payment-provider.simulated.test.ts');
  });
  describe('keeper', async () => {
    await import('./keeper.test.ts');
  });
  describe('start', async () => {
    await import('./start.test.ts');
  });
  describe('histories', async () => {
    await import('./orders.property.test.ts');
  });
});

withPostgres('two replicas on one PostgreSQL', () => {
  const open: Database[] = [];
  const keepers: Keeper[] = [];
  afterEach(async () => {
    for (const keeper of keepers.splice(0)) await keeper.stop();
    for (const db of open.splice(0)) await db.destroy();
    await dropFreshDatabases();
  });

  async function openReplicas(): Promise<{ shop: Shop; replicas: [Replica, Replica]; url: string }> {
    const url = await freshDatabaseUrl();
    open.push(...(await Promise.all([openOrdersDatabase(url), openOrdersDatabase(url)])));
    const shop = await openShop(open[0]);
    return { shop, url, replicas: [shop.replica(), shop.replica(undefined, open[1])] };
  }

  it('take one order for one key that comes to both at once, and one for dots that come under different keys', async () => {
    const { shop, replicas } = await openReplicas();
    shop.catalog.put('hat', { stock: 200 });
    for (let round = 0; round < 10; round += 1) {
      for (const name of ['a', 'b', 'c']) shop.cart.lines.set(`${name}${round}`, { productId: 'hat' });
      const seen = (...names: string[]) => names.map((name) => `${name}${round}`).join(',');
      // Dots in both orders of naming: inserted in one, no two transactions wait for each other.
      const answers = await Promise.all([
        ...replicas.map((replica) => replica.place('u_1', { idempotencyKey: `same-${round}`, seen: seen('a', 'b', 'c') })),
        ...replicas.map((replica, at) => replica.place('u_1', { idempotencyKey: `other-${round}-${at}`, seen: seen('c', 'b', 'a') })),
      ]);
      const ids = answers.map(orderIdOf).filter((id) => id !== undefined);
      expect(new Set(ids).size).toBe(1);
      expect(answers.filter(isProblem).every(({ problem }) => problem === 'cart_changed')).toBe(true);
    }
    await shop.heal();
    await assertWhole(shop, new Map([['hat', 200]]));
    expect(shop.catalog.stock.get('hat')).toBe(200 - 10 * 3);
  });

  it('hand the keeping over: what one has committed the other publishes and settles', async () => {
    const { shop, replicas, url } = await openReplicas();
    shop.catalog.put('hat');
    shop.cart.lines.set('a', { productId: 'hat' });
    const published: string[] = [];
    const eventLog = {
      ensureTopics: () => Promise.resolve(),
      publish: (_topic: unknown, records: { headers: { 'event-type': Buffer } }[]) =>
        Promise.resolve(void published.push(...records.map(({ headers }) => String(headers['event-type'])))),
    };
    for (const replica of replicas) {
      const lease = openLease(url, keeperLease, { name: 'orders', log: quiet });
      const keeper = openKeeper({ eventLog: eventLog as never, lease, log: quiet, deliverCallbacks: () => replica.provider.deliver() });
      keepers.push(keeper);
      keeper.start(replica.parts);
    }
    await vi.waitFor(() => expect(keepers.filter((keeper) => keeper.keeps())).toHaveLength(1), { timeout: 10_000 });
    const holder = keepers.findIndex((keeper) => keeper.keeps());
    // The other one takes the order: only the notice of the database can wake the holder.
    const wanted = { idempotencyKey: 'k', seen: 'a', addressId: 'home', paymentMethod: 'card_times_out_charged' } as never;
    const pending = await placeOrder(
      replicas[1 - holder]!.parts,
      { ...personContext('u_1'), trace: startTrace(replicas[0].parts.random) },
      wanted,
    );
    expect(pending).toMatchObject({ status: OrderStatus.PENDING });
    await keepers[holder]!.stop();
    const steps = ['OrderAccepted', 'StockReserved', 'PaymentUnknown', 'PaymentCaptured', 'OrderConfirmed'];
    await vi.waitFor(
      () => {
        shop.clock.aheadMs += 1_000;
        expect([...new Set(published)]).toEqual(steps);
      },
      { timeout: 20_000, interval: 100 },
    );
    await assertWhole(shop, new Map([['hat', 10]]));
  });
});
