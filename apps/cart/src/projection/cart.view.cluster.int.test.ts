/**
 * The contract of the carts' view on a real Redis Cluster: no operation needs two slots. It wipes the cluster of TEST_REDIS_CLUSTER_URL.
 */
import { randomUUID } from 'node:crypto';
import { openTestCluster, type TestCluster } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { quiet } from '../cart.harness.ts';
import { cartViewContract } from './cart.view.contract.ts';
import { openRedisCartView } from './cart.view.redis.ts';
import type { CartView } from './cart.view.ts';

const url = process.env['TEST_REDIS_CLUSTER_URL'];
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(url);
});
afterAll(() => cluster.close());

async function open(keyspace: string): Promise<CartView> {
  const view = openRedisCartView({ url: url!, log: quiet, keyspace });
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true), { timeout: 5_000 });
  return view;
}

cartViewContract('Redis Cluster', async () => {
  const keyspace = `test-${randomUUID()}`;
  const [view, other] = [await open(keyspace), await open(keyspace)];
  return {
    view,
    other,
    wipe: () => cluster.wipe(),
    close: async () => {
      await Promise.all([view.close(), other.close()]);
      await cluster.wipe();
    },
  };
});
