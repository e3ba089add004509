/** Everything that orders asks of its database, on a real PostgreSQL, and the faults that need two processes at once. */
import { isProblem, OrderStatus } from '@cloakroom/contracts';
import { Commits } from '@cloakroom/event-log';
import { startTrace } from '@cloakroom/platform';
import { openLease } from '@cloakroom/platform/database';
import { dropFreshDatabases, freshDatabaseUrl, useFreshPostgres } from '@cloakroom/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { workerLease } from './saga/announce.ts';
import { openBackgroundWorker, type BackgroundWorker } from './saga/background-worker.ts';
import { oldOrder, openOldDatabase } from './older-build.harness.ts';
import { commandNamed, openOrdersDatabase, openShop, orderIdOf, personContext, quiet, type Replica, type Shop } from './orders.harness.ts';
import type { Database } from './orders.ts';
import { placeOrder } from './place-order/place-order.ts';
import { assertWhole } from './saga/whole.harness.ts';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
const withPostgres = adminUrl === undefined ? describe.skip : describe;

withPostgres('on PostgreSQL', () => {
  // The service of orders.mesh.test.ts lives as long as the file.
  afterAll(dropFreshDatabases);
  describe('check-out', async () => {
    await import('./place-order/place-order.test.ts');
  });
  describe('one order a command', async () => {
    await import('./one-order-a-command.test.ts');
  });
  describe('saga', async () => {
    await import('./saga/saga.test.ts');
  });
  describe('provider', async () => {
    await import('./payments/payment-provider.simulated.test.ts');
  });
  describe('worker', async () => {
    await import('./saga/background-worker.test.ts');
  });
  describe('start', async () => {
    await import('./orders.mesh.test.ts');
  });
  describe('histories', async () => {
    await import('./saga/orders.property.test.ts');
  });
});

withPostgres('two replicas on one PostgreSQL', () => {
  const open: Database[] = [];
  const workers: BackgroundWorker[] = [];
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    for (const db of open.splice(0)) await db.destroy();
    await dropFreshDatabases();
  });

  async function openReplicas(): Promise<{ shop: Shop; replicas: [Replica, Replica]; url: string }> {
    const url = await freshDatabaseUrl();
    open.push(...(await Promise.all([openOrdersDatabase(url), openOrdersDatabase(url)])));
    const shop = await openShop(open[0]);
    return { shop, url, replicas: [shop.replica(), shop.replica(undefined, open[1])] };
  }

  it('lose no command that an order of an older build commits while the database is expanded', async () => {
    const url = await freshDatabaseUrl();
    const old = await openOldDatabase(url);
    open.push(old);
    const [written, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ordering = old.transaction().execute(async (trx) => {
      await oldOrder(trx, 'o1', 'u_1', [`g_1/${commandNamed('a')}`]);
      written.resolve();
      await mayCommit.promise;
    });
    await written.promise;
    const opening = openOrdersDatabase(url);
    // Without a lock nothing waits, and the order is committed after the copy was made. So the wait ends in either case.
    const waits = async () => {
      const { rows } = await sql`select 1 from pg_locks where not granted and relation = 'order_dots'::regclass`.execute(old);
      expect(rows).toHaveLength(1);
    };
    await vi.waitFor(waits, { timeout: 30_000, interval: 20 }).finally(mayCommit.resolve);
    await ordering;
    const db = await opening;
    open.push(db);
    expect(await db.selectFrom('order_commands').select(['user_id', 'command_id', 'order_id']).execute()).toEqual([
      { user_id: 'u_1', command_id: commandNamed('a'), order_id: 'o1' },
    ]);
  });

  it('let one of an older build and one of this take a command under two names at once: one of them has it', async () => {
    const { shop, replicas, url } = await openReplicas();
    const old = await openOldDatabase(url);
    open.push(old);
    shop.catalog.put('hat', { stock: 200 });
    for (let round = 0; round < 10; round += 1) {
      shop.cart.lines.set(`a${round}`, { productId: 'hat' });
      const dot = `g_1/${commandNamed(`a${round}`)}`;
      const [oldCount, answer] = await Promise.all([
        old.transaction().execute((trx) => oldOrder(trx, `old-${round}`, 'u_1', [dot])),
        replicas[0].place('u_1', { idempotencyKey: `k${round}`, seen: `a${round}` }),
      ]);
      expect(oldCount + (isProblem(answer) ? 0 : 1)).toBe(1);
    }
  });

  it('take one order for one key that comes to both at once, and one for dots that come under different keys', async () => {
    const { shop, replicas } = await openReplicas();
    shop.catalog.put('hat', { stock: 200 });
    for (let round = 0; round < 10; round += 1) {
      for (const name of ['a', 'b', 'c']) shop.cart.lines.set(`${name}${round}`, { productId: 'hat' });
      const seen = (...names: string[]) => names.map((name) => `${name}${round}`).join(',');
      // The dots are named in both orders. Sorted inserts keep two transactions from a deadlock.
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
      const lease = await openLease(url, workerLease, { name: 'orders', log: quiet });
      const worker = openBackgroundWorker({
        parts: replica.parts,
        commits: new Commits(),
        eventLog: eventLog as never,
        lease,
        deliverCallbacks: () => replica.provider.deliver(),
      });
      workers.push(worker);
      worker.start();
    }
    await vi.waitFor(() => expect(workers.filter((worker) => worker.leads())).toHaveLength(1));
    const holder = workers.findIndex((worker) => worker.leads());
    // The other process takes the order, so only the notice of the database can wake the leaseholder.
    const wanted = { idempotencyKey: 'k', seen: 'a', addressId: 'home', paymentMethod: 'card_times_out_charged' } as never;
    const pending = await placeOrder(
      replicas[1 - holder]!.parts,
      { ...personContext('u_1'), trace: startTrace(replicas[0].parts.random) },
      wanted,
    );
    expect(pending).toMatchObject({ status: OrderStatus.PENDING });
    await workers[holder]!.stop();
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
