/**
 * The contract of the carts' view on a real Redis Cluster: no operation needs two slots. It wipes the cluster of TEST_REDIS_CLUSTER_URL.
 */
import { randomUUID } from 'node:crypto';
import { openTestCluster, type TestCluster, untilStopped } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { newCommandId, newUser, quiet } from '../cart.harness.ts';
import { dotOf, emptyCart, evolve } from '../model/cart.ts';
import { cartViewContract } from './cart.view.contract.ts';
import { openRedisCartView } from './cart.view.redis.ts';
import { type CartView, type Place, ViewUnavailable } from './cart.view.ts';

const url = process.env['TEST_REDIS_CLUSTER_URL'];
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(url);
});
afterAll(() => cluster.close());

async function open(keyspace: string): Promise<CartView> {
  const view = openRedisCartView({ url: url!, log: quiet, keyspace });
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true));
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

it('fails the partitions of a paused primary alone, and each goes on from what its place tells', async () => {
  await cluster.whole();
  const view = await open(`test-${randomUUID()}`);
  try {
    const ada = newUser();
    const added = { type: 'ItemAdded', cartId: ada, atMs: 1, dot: dotOf(ada, newCommandId()), line: 'mug', quantity: 1 } as const;
    const state = evolve(emptyCart(ada), added);
    const cart = { state, position: 1n, missing: new Set<bigint>(), eventsSinceSnapshot: 1, oldestUnsnapshottedAtMs: 1_000 };
    const place = (next: bigint): Place => ({ next, rebuiltAt: 0n, forwardedTo: 0n, logId: 'log' });
    const partitions = Array.from({ length: 24 }, (_, n) => n);
    const paused = await cluster.ownerOf('cart:0');
    const owners = await Promise.all(partitions.map((partition) => cluster.ownerOf(`cart:${partition}`)));
    const isOfPaused = (partition: number): boolean => owners[partition]!.port === paused.port;
    const pid = await cluster.pidOf(paused);
    process.kill(pid, 'SIGSTOP');
    const settled = await untilStopped(pid)
      .then(() => Promise.allSettled(partitions.map((of) => view.apply(of, { expected: undefined, place: place(1n), carts: [cart] }))))
      .finally(() => process.kill(pid, 'SIGCONT'));
    for (const partition of partitions) {
      const outcome = settled[partition]!;
      // On a crowded machine another primary may be late too. It is then an unknown outcome, and never a refusal.
      if (outcome.status === 'fulfilled') expect([isOfPaused(partition), outcome.value]).toEqual([false, true]);
      else expect(outcome.reason).toBeInstanceOf(ViewUnavailable);
    }
    expect(settled.some(({ status }) => status === 'fulfilled')).toBe(true);
    await cluster.whole();
    await vi.waitFor(async () => {
      for (const partition of partitions) {
        const { place: found, carts } = await view.load(partition, [ada]);
        // Written as a whole or not at all.
        expect([found, carts.get(ada)]).toEqual(found === undefined ? [undefined, undefined] : [place(found.next), cart]);
        if (found?.next !== 2n) expect(await view.apply(partition, { expected: found, place: place(2n), carts: [cart] })).toBe(true);
      }
    });
  } finally {
    await view.close();
    await cluster.wipe();
  }
});
