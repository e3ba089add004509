import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { newUser, quiet } from './cart.harness.ts';
import { cartViewContract } from './cart.view.contract.ts';
import { openRedisCartView } from './cart.view.redis.ts';
import { ViewUnavailable, type CartView } from './cart.view.ts';
import { openTestRedis } from './redis.harness.ts';

const database = 7;

async function connected(view: CartView): Promise<CartView> {
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true), { timeout: 5_000 });
  return view;
}

cartViewContract('Redis', async () => {
  const { url, redis } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], database);
  const keyspace = `test-${randomUUID()}`;
  const open = (): Promise<CartView> => connected(openRedisCartView({ url, log: quiet, keyspace }));
  const [view, other] = await Promise.all([open(), open()]);
  return {
    view,
    other,
    wipe: async () => void (await redis.flushdb()),
    close: async () => {
      await Promise.all([view.close(), other.close()]);
      await redis.flushdb();
      redis.disconnect();
    },
  };
});

it('answers ViewUnavailable, and soon, where there is no Redis', async () => {
  const view = openRedisCartView({ url: 'redis://127.0.0.1:27999', log: quiet });
  await expect(view.load(1, [newUser()])).rejects.toBeInstanceOf(ViewUnavailable);
  await expect(view.apply(1, { expected: undefined, place: undefined, carts: [] })).rejects.toBeInstanceOf(ViewUnavailable);
  expect((await view.status()).ok).toBe(false);
  await view.close();
});
