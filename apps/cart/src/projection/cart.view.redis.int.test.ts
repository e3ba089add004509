import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { newUser, quiet } from '../cart.harness.ts';
import { cartViewContract } from './cart.view.contract.ts';
import { openRedisCartView } from './cart.view.redis.ts';
import { ViewUnavailable, type CartView } from './cart.view.ts';
import { openTestRedis } from '../redis.harness.ts';

const database = 7;

async function connected(view: CartView): Promise<CartView> {
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true));
  return patient(view);
}

function wasNotSent(error: unknown): boolean {
  const cause = error instanceof ViewUnavailable ? error.cause : undefined;
  return cause instanceof Error && cause.message.startsWith("Stream isn't writeable");
}

const patienceMs = 5_000;

/**
 * A process that gets no core for a second loses its connection (libs/platform, socketTimeout). This sends again what was not sent, because
 * these tests are about calls that arrive.
 */
function patient(view: CartView): CartView {
  const insist = async (work: () => Promise<unknown>): Promise<unknown> => {
    const told = await vi.waitFor(
      () =>
        work().then(
          (value) => ({ value }),
          (error: unknown) => {
            if (wasNotSent(error)) throw error;
            return { error };
          },
        ),
      { timeout: patienceMs, interval: 20 },
    );
    if ('error' in told) throw told.error;
    return told.value;
  };
  return new Proxy(view, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as (...args: unknown[]) => unknown;
      return name === 'load' || name === 'apply' || name === 'due' ? (...args: unknown[]) => insist(async () => bound(...args)) : bound;
    },
  });
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

it('answers ViewUnavailable quickly when there is no Redis', async () => {
  const view = openRedisCartView({ url: 'redis://127.0.0.1:27999', log: quiet });
  await expect(view.load(1, [newUser()])).rejects.toBeInstanceOf(ViewUnavailable);
  await expect(view.apply(1, { expected: undefined, place: undefined, carts: [] })).rejects.toBeInstanceOf(ViewUnavailable);
  expect((await view.status()).ok).toBe(false);
  await view.close();
});
