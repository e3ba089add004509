/** An order comes to its end after a kill between any two of its steps, and the next process takes it on from there. */
import { isProblem, OrderStatus } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { Fuse, heard, openShop, orderIdOf, type Shop } from '../orders.harness.ts';
import { assertWhole } from './whole.harness.ts';

const methods = ['card_pays', 'card_declined', 'card_times_out_charged', 'card_times_out_uncharged', 'card_double_callback'] as const;
const placedBy: readonly string[] = ['card_pays', 'card_times_out_charged', 'card_double_callback'];
const stock = new Map([['hat', 3]]);
/** More than the number of points at which a process can be killed. */
const pointCountMax = 40;

async function shopWithHats(): Promise<Shop> {
  const shop = await openShop();
  shop.catalog.put('hat', { price: 2_000, stock: 3 });
  shop.cart.lines.set('a', { productId: 'hat', quantity: 2 });
  return shop;
}

describe.each(methods)('paid by %s', (paymentMethod) => {
  it('ends the same way wherever its process is killed, and once, when the client asks again', async () => {
    let kills = 0;
    for (let points = 0; points < pointCountMax; points += 1) {
      const shop = await shopWithHats();
      const wanted = { idempotencyKey: 'k', seen: 'a', paymentMethod };
      const fuse = new Fuse(points);
      const first = await heard(shop.replica(fuse).place('u_1', wanted));
      kills += fuse.blown ? 1 : 0;
      const second = await shop.replica().place('u_1', wanted);
      await shop.heal();
      await assertWhole(shop, stock);
      const orders = await shop.db.selectFrom('orders').selectAll().execute();
      expect(orders.map(({ phase }) => phase)).toEqual([placedBy.includes(paymentMethod) ? 'placed' : 'cancelled']);
      if (!isProblem(second)) expect(orderIdOf(second)).toBe(orders[0]!.order_id);
      if (orderIdOf(first) !== undefined) expect(orderIdOf(first)).toBe(orders[0]!.order_id);
      if (!fuse.blown) break;
    }
    // The last run had no kill. Before it, a kill hit every point.
    expect(kills).toBeGreaterThan(8);
    expect(kills).toBeLessThan(pointCountMax);
  });

  it('ends without its client and whoever settles it is killed too, at each point', async () => {
    for (let points = 0; points < pointCountMax; points += 1) {
      const shop = await shopWithHats();
      // The process dies after the catalog took the stock and before the database noted it.
      await heard(shop.replica(new Fuse(3)).place('u_1', { idempotencyKey: 'k', seen: 'a', paymentMethod }));
      const fuse = new Fuse(points);
      for (let round = 0; round < 12 && !fuse.blown; round += 1) {
        await heard(shop.replica(fuse).work());
        shop.clock.aheadMs += 3_000;
      }
      await shop.heal();
      await assertWhole(shop, stock);
      const { phase } = await shop.db.selectFrom('orders').select('phase').executeTakeFirstOrThrow();
      expect(phase).toBe(placedBy.includes(paymentMethod) ? 'placed' : 'cancelled');
      if (!fuse.blown) break;
    }
  });
});

it('waits for a catalog that is away, and takes the order on when it is back', async () => {
  const shop = await shopWithHats();
  const replica = shop.replica();
  const { reserveStock } = replica.parts.catalog;
  Object.assign(replica.parts.catalog, {
    reserveStock: (...given: Parameters<typeof reserveStock>) => ((shop.catalog.away = true), reserveStock(...given)),
  });
  expect(await replica.place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ status: OrderStatus.PENDING });
  shop.catalog.away = false;
  await shop.heal();
  await assertWhole(shop, stock);
  expect(await shop.replica().place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ status: OrderStatus.PLACED });
});

it('gives up an order whose stock could not be asked for in ten minutes, closes its key first, and frees what it held', async () => {
  const shop = await shopWithHats();
  await heard(shop.replica(new Fuse(3)).place('u_1', { idempotencyKey: 'k', seen: 'a' }));
  shop.catalog.away = true;
  const worker = shop.replica();
  await worker.work();
  shop.clock.aheadMs += 11 * 60 * 1000;
  await worker.work();
  shop.catalog.away = false;
  await shop.heal();
  await assertWhole(shop, stock);
  const [order] = await shop.db.selectFrom('orders').selectAll().execute();
  expect(order).toMatchObject({ phase: 'cancelled', reason: 'unavailable', release_due: 0 });
  expect(await shop.replica().place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ problem: 'order_cancelled' });
  // The key is closed: a charge that was under way all the time captures nothing.
  const late = { key: order!.order_id, amount: order!.total, currency: 'EUR', method: 'card_pays' };
  expect(await worker.provider.charge(late, AbortSignal.timeout(1))).toEqual({ status: 'declined' });
  expect(await shop.replica().place('u_1', { idempotencyKey: 'other', seen: 'a' })).toMatchObject({ status: OrderStatus.PLACED });
});

it('charges nobody for an order that was given up while another process was moving it on', async () => {
  const shop = await shopWithHats();
  await heard(shop.replica(new Fuse(3)).place('u_1', { idempotencyKey: 'k', seen: 'a' }));
  const [giving, moving] = [shop.replica(), shop.replica()];
  const { close } = giving.parts.payments;
  await giving.work();
  shop.clock.aheadMs += 11 * 60 * 1000;
  // The other process reserves and charges after this one has read the order and before it closes the key.
  Object.assign(giving.parts.payments, {
    close: async (key: string) => {
      await moving.place('u_1', { idempotencyKey: 'k', seen: 'a' });
      return close(key);
    },
  });
  await giving.work();
  await shop.heal();
  await assertWhole(shop, stock);
  expect(await shop.replica().place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ status: OrderStatus.PLACED });
});

it('gives back what a process took for an order that another had cancelled for want of it', async () => {
  const shop = await shopWithHats();
  shop.catalog.put('hat', { price: 2_000, stock: 2 });
  const [slow, quick] = [shop.replica(), shop.replica()];
  const { reserveStock } = slow.parts.catalog;
  let late = (): Promise<unknown> => Promise.resolve();
  Object.assign(slow.parts.catalog, {
    reserveStock: (...given: Parameters<typeof reserveStock>) => {
      // Another person's order has all of the stock at this moment. A little later the stock is free again.
      shop.catalog.stock.set('hat', 0);
      const answer = reserveStock(...given);
      shop.catalog.stock.set('hat', 2);
      late = () => Promise.resolve(quick.parts.catalog.reserveStock(...given));
      return late().then(() => answer);
    },
  });
  expect(await slow.place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ problem: 'out_of_stock' });
  expect(shop.catalog.stock.get('hat')).toBe(2);
  await late();
  expect(shop.catalog.stock.get('hat')).toBe(2);
});
