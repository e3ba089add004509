/** The contract of session stores on a real Redis Cluster: no operation needs two slots. */
import { openTestCluster, type TestCluster } from '@cloakroom/testing';
import { t0 as sampleTimeMs, userSession } from './session-store.samples.ts';
import { sessionStoreContract } from './contract/session-store.contract.ts';
import type { SessionStoreUnderTest } from './session-store.samples.ts';
import type { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexedIn, plantIn } from './session.redis.fixture.ts';
import { RedisSessionStore } from './session.store.redis.ts';

/** The contract says what a store answers. The product's 0.5 s is tried by redis.cluster.int.test.ts. */
const patient = { commandTimeoutMs: 5_000 };

let cluster: TestCluster;
let admin: Cluster;
let clients: [Cluster, Cluster];
beforeAll(async () => {
  cluster = await openTestCluster(process.env['TEST_REDIS_CLUSTER_URL']);
  admin = await cluster.connect(patient);
  clients = [await cluster.connect(patient), await cluster.connect(patient)];
});
afterAll(async () => {
  await cluster.wipe();
  await cluster.close();
});

async function make(options: { readonly epochLifetimeMs?: number }): Promise<SessionStoreUnderTest> {
  await cluster.wipe();
  const stores = clients.map((client) => new RedisSessionStore(client, options)) as [RedisSessionStore, RedisSessionStore];
  return {
    store: stores[0],
    second: stores[1],
    keys: () => cluster.keys(),
    indexed: (tag, subject) => indexedIn(admin, tag, subject),
    plant: (key, record) => plantIn(admin, key, record),
    snapshot: async () => {
      const copies = await Promise.all(
        (await cluster.keys()).map(async ({ key, ttlMs }) => ({ key, ttlMs, value: await admin.dumpBuffer(key) })),
      );
      return async () => {
        await cluster.wipe();
        await Promise.all(copies.map(({ key, ttlMs, value }) => admin.restore(key, ttlMs, value!)));
      };
    },
    wipe: () => cluster.wipe(),
    // The connections are all tests'.
    close: () => Promise.resolve(),
  };
}

sessionStoreContract('Redis Cluster', make);

describe('on a real cluster', () => {
  it('serves persons of every shard, each by one call in one slot', async () => {
    const { store } = await make({});
    const sessions = Array.from({ length: 300 }, (_, i) =>
      userSession(`${i}`, { tag: (i * 218).toString(16).padStart(4, '0'), subject: `u_${i}` }),
    );
    await Promise.all(sessions.map((session) => store.create(session, 10, sampleTimeMs)));
    const found = await Promise.all(sessions.map((session) => store.resolve(session, sampleTimeMs, undefined)));
    expect(found.map((session) => session?.subject)).toEqual(sessions.map(({ subject }) => subject));
    const counts = await Promise.all((await cluster.primaries()).map(({ redis }) => redis.dbsize()));
    expect(counts).toHaveLength(3);
    for (const count of counts) expect(count).toBeGreaterThan(0);
  });
});
