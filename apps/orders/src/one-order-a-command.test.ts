/** A command belongs to one order, under whichever of its person's carts it is named. apps/cart explains how one command comes to have two names. */
import { isProblem } from '@cloakroom/contracts';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { describe, expect, it } from 'vitest';
import { oldOrder, openOldDatabase } from './older-build.harness.ts';
import { commandNamed, openOrdersDatabase, openShop, orderIdOf } from './orders.harness.ts';
import { assertWhole } from './saga/whole.harness.ts';

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

describe('beside a build of before', () => {
  it('gives what its orders have to the new build, and takes no command from an order that is paid', async () => {
    const url = await freshDatabaseUrl('lasting');
    const old = await openOldDatabase(url);
    const [one, two] = [commandNamed('one'), commandNamed('two')];
    await oldOrder(old, 'o1', 'u_1', [`u_1/${one}`, `u_1/${two}`], 'accepted');
    await oldOrder(old, 'o2', 'u_1', [`g_1/${one}`], 'placed');
    await oldOrder(old, 'o3', 'u_2', [`u_2/${one}`], 'placed');
    const db = await openOrdersDatabase(url);
    const rows = await db.selectFrom('order_commands').select(['user_id', 'command_id', 'order_id']).orderBy('order_id').execute();
    expect(rows).toEqual([
      { user_id: 'u_1', command_id: two, order_id: 'o1' },
      { user_id: 'u_1', command_id: one, order_id: 'o2' },
      { user_id: 'u_2', command_id: one, order_id: 'o3' },
    ]);
    expect(await db.selectFrom('order_dots').select('dot').execute()).toHaveLength(4);
    await old.destroy();
    await db.destroy();
  });

  it('refuses an order of what that build took under its other name', async () => {
    const { shop, place } = await openHats();
    expect(await oldOrder(shop.db, 'o1', 'u_1', [`g_1/${commandNamed('a')}`])).toBe(1);
    expect(await place('u_1', { idempotencyKey: 'k', seen: 'a' })).toMatchObject({ problem: 'cart_changed' });
    expect(orderIdOf(await place('u_1', { idempotencyKey: 'l', seen: 'b' }))).toBeDefined();
  });

  it('lets that build take orders, and tells it what is taken under another name', async () => {
    const { shop, place } = await openHats();
    expect(orderIdOf(await place('u_1', { idempotencyKey: 'k', seen: 'a@g_1' }))).toBeDefined();
    // The older build counts the dots it got, and rolls back when it got fewer than it asked for.
    expect(await oldOrder(shop.db, 'o1', 'u_1', [`u_1/${commandNamed('a')}`, `u_1/${commandNamed('b')}`])).toBe(1);
    expect(await oldOrder(shop.db, 'o2', 'u_2', [`u_2/${commandNamed('a')}`, `u_2/${commandNamed('b')}`])).toBe(2);
  });

  it('lets that build free what it took, in whichever build it was ordered', async () => {
    const { shop, place } = await openHats();
    const orderId = orderIdOf(await place('u_1', { idempotencyKey: 'k', seen: 'a@g_1' }))!;
    await shop.db.deleteFrom('order_dots').where('order_id', '=', orderId).execute();
    expect(orderIdOf(await place('u_1', { idempotencyKey: 'l', seen: 'a' }))).toBeDefined();
  });

  it('keeps a command that two orders of before have until both are cancelled', async () => {
    const url = await freshDatabaseUrl('lasting');
    const old = await openOldDatabase(url);
    for (const [orderId, cart] of [
      ['o1', 'u_1'],
      ['o2', 'g_1'],
    ] as const)
      await oldOrder(old, orderId, 'u_1', [`${cart}/${commandNamed('a')}`], 'reserved');
    await old.destroy();
    const db = await openOrdersDatabase(url);
    const holders = async () => (await db.selectFrom('order_commands').select('order_id').execute()).map(({ order_id }) => order_id);
    expect(await holders()).toEqual(['o1']);
    await db.deleteFrom('order_dots').where('order_id', '=', 'o1').execute();
    expect(await holders()).toEqual(['o2']);
    await db.deleteFrom('order_dots').where('order_id', '=', 'o2').execute();
    expect(await holders()).toEqual([]);
    await db.destroy();
  });

  it('lets that build start again', async () => {
    const url = await freshDatabaseUrl('lasting');
    await (await openOrdersDatabase(url)).destroy();
    const old = await openOldDatabase(url);
    expect(await oldOrder(old, 'o1', 'u_1', [`u_1/${commandNamed('a')}`])).toBe(1);
    await old.destroy();
  });
});
