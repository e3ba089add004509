/** Measures how long a new cluster is held back while auth tells it the revocations. Needs TEST_REDIS_CLUSTER_URL, which it wipes. */
import { RedisSessionStore, tagOf } from '@cloakroom/session';
import { openTestCluster, type TestCluster } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openHarness } from '../auth.harness.ts';
import { replayRevocations } from './replay.ts';

const revocationCount = 100_000;
const insertCount = 500;
/** On two busy cores; about a second on idle ones. */
const replayMaxMs = 60_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(process.env['TEST_REDIS_CLUSTER_URL']);
  await cluster.wipe();
});
afterAll(async () => {
  await cluster.wipe();
  await cluster.close();
});

it('tells a cluster 100,000 revocations before anything is resolved, each where its person is', { timeout: 240_000 }, async () => {
  const store = new RedisSessionStore(await cluster.connect());
  const harness = await openHarness({ store });
  const nowMs = harness.clock.nowMs();
  const rows = Array.from({ length: revocationCount }, (_, i) => ({
    name: `h_${i}`,
    tag: tagOf(`u_${i}`),
    subject: `u_${i}`,
    handle: `h_${i}`,
    token_hash: `hash-${i}`,
    ended: 1,
    revoked_at_ms: nowMs,
    forget_after_ms: nowMs + 3_600_000,
  }));
  for (let from = 0; from < rows.length; from += insertCount)
    await harness.auth.database
      .insertInto('revocations')
      .values(rows.slice(from, from + insertCount))
      .execute();
  replayRevocations({ ...harness.auth, store });
  const began = performance.now();
  await vi.waitFor(() => store.list(tagOf('u_1'), 'u_1', nowMs), { timeout: replayMaxMs, interval: 10 });
  const tookMs = performance.now() - began;
  const counts = await Promise.all((await cluster.primaries()).map(({ redis }) => redis.dbsize()));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(revocationCount);
  process.stdout.write(`| replay of ${revocationCount} revocations to 3 primaries | ${Math.round(tookMs)} ms |\n`);
});
