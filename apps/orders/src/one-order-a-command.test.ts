/** A command is one order's, under whichever of its person's carts it is named. See apps/cart for how one command comes to have two names. */
import { isProblem } from '@cloakroom/contracts';
import { openDatabase } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { expect, it } from 'vitest';
import { commandNamed, openShop, orderIdOf, quiet } from './orders.harness.ts';
import { migrations, type Database, type OrdersSchema } from './orders.ts';
import { assertWhole } from './whole.harness.ts';

async function openHats() {
  const shop = await openShop();
  shop.catalog.put('hat');
  for (const name of ['a', 'a@g_1', 'b']) shop.cart.lines.set(name, { productId: 'hat' });
  return { shop, place: shop.replica().place };
}

it('refuses an order of what was ordered under its other name, and takes what else is there', async () => {
  const { shop, place } = await openHats();
  expect(orderIdOf(await place('u_1', { idempotencyKey: 'first', seen: 'a' }))).toBeDefined();
  expect(await place('u_1', { idempotencyKey: 'second', seen: 'a@g_1,b' })).toMatchObject({ problem: 'cart_changed' });
  expect(orderIdOf(await place('u_1', { idempotencyKey: 'third', seen: 'b' }))).toBeDefined();
  await shop.heal();
  await assertWhole(shop, new Map([['hat', 10]]));
});

it('refuses the user’s name after the guest’s too', async () => {
  const { place } = await openHats();
  expect(orderIdOf(await place('u_1', { idempotencyKey: 'first', seen: 'a@g_1' }))).toBeDefined();
  expect(await place('u_1', { idempotencyKey: 'second', seen: 'a' })).toMatchObject({ problem: 'cart_changed' });
});

it('lets another person order a command of the same id: it is theirs', async () => {
  const { place } = await openHats();
  const answers = await Promise.all(['u_1', 'u_2'].map((userId) => place(userId, { idempotencyKey: 'k', seen: 'a' })));
  expect(answers.filter(isProblem)).toEqual([]);
});

it('keeps every row of a database of before: the first order holds a command that two have', async () => {
  const url = await freshDatabaseUrl();
  const { '0003_one_order_a_command': itself, ...before } = migrations;
  const old = await openDatabase<Omit<OrdersSchema, 'order_dots'> & { order_dots: { dot: string; order_id: string } }>(url, before, {
    name: 'orders',
    log: quiet,
  });
  const [one, two] = [commandNamed('one'), commandNamed('two')];
  const orders = [
    { order_id: 'o1', user_id: 'u_1', dots: [`u_1/${one}`, `u_1/${two}`] },
    { order_id: 'o2', user_id: 'u_1', dots: [`g_1/${one}`] },
    { order_id: 'o3', user_id: 'u_2', dots: [`u_2/${one}`] },
  ];
  const common = { body_hash: '', phase: 'placed' as const, reason: '', stock_reserved: 1, release_due: 0, lines: '[]', address: '{}' };
  const sums = { subtotal: 1, discount: 0, coupon: '', total: 1, currency: 'EUR', payment_method: 'card', placed_at_ms: 1 };
  for (const { order_id, user_id, dots } of orders) {
    const row = { ...common, ...sums, order_id, user_id, idempotency_key: order_id, traceparent: null, experiment: null };
    await old.insertInto('orders').values(row).execute();
    await old
      .insertInto('order_dots')
      .values(dots.map((dot) => ({ dot, order_id })))
      .execute();
  }
  // In the same connection: a database in memory ends with it.
  await itself!.up(old as never);
  const db = old as unknown as Database;
  expect(await db.selectFrom('order_dots').selectAll().orderBy('order_id').orderBy('dot').execute()).toEqual(
    [
      { user_id: 'u_1', command_id: one, dot: `u_1/${one}`, order_id: 'o1' },
      { user_id: 'u_1', command_id: two, dot: `u_1/${two}`, order_id: 'o1' },
      { user_id: 'u_1', command_id: `g_1/${one}`, dot: `g_1/${one}`, order_id: 'o2' },
      { user_id: 'u_2', command_id: one, dot: `u_2/${one}`, order_id: 'o3' },
    ].sort((a, b) => (a.order_id + a.dot < b.order_id + b.dot ? -1 : 1)),
  );
  await db.destroy();
});
