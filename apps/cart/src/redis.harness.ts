/** Opens a Redis database of its own for an integration test, so that FLUSHDB empties no other test's. */
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import type { Redis } from 'ioredis';
import { quiet } from './cart.harness.ts';

/** @param database 1 to 15 of the server, one for each test file */
export async function openTestRedis(url: string | undefined, database: number): Promise<{ url: string; redis: Redis }> {
  if (url === undefined) throw new Error('TEST_CART_REDIS_URL is not set');
  const own = new URL(url);
  own.pathname = `/${database}`;
  const redis = openRedis({ url: own.href, name: 'cart-test', log: quiet });
  await redisReady(redis);
  return { url: own.href, redis };
}
