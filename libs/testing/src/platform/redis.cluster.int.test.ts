/** A connection to a cluster whose primary hangs. Needs TEST_REDIS_CLUSTER_URL. */
import { setTimeout as delay } from 'node:timers/promises';
import { openTestCluster, untilStopped, type TestCluster } from '../index.ts';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseClusterUrl } from '@cloakroom/platform/redis';

const url = process.env['TEST_REDIS_CLUSTER_URL'];
/** The deadline of a command is 500 ms; the rest is for a busy machine. Below the pause that would make the others vote the node out. */
const settleMaxMs = 1_500;
/** Longer than the kit waits for one answer. */
const slowMs = 2_500;
const tag = '0abc';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(url);
});
afterAll(async () => {
  await cluster.whole();
  await cluster.close();
});

const outcomeOf = (asked: Promise<unknown>): Promise<string> =>
  Promise.race([
    asked.then(
      () => 'answered',
      () => 'refused',
    ),
    delay(settleMaxMs, 'hangs'),
  ]);

it('refuses within its deadline what a paused primary does not answer, where the defaults hang', async () => {
  const tuned = await cluster.connect();
  const untuned = new Cluster([...parseClusterUrl(url!).nodes]);
  untuned.on('error', () => {});
  expect(await Promise.all([tuned, untuned].map((client) => outcomeOf(client.get(`{${tag}}`))))).toEqual(['answered', 'answered']);
  const pid = await cluster.pidOf(await cluster.ownerOf(tag));
  process.kill(pid, 'SIGSTOP');
  await untilStopped(pid);
  const asked = [tuned, untuned].map((client) => outcomeOf(client.get(`{${tag}}`)));
  const outcomes = await Promise.all(asked).finally(() => process.kill(pid, 'SIGCONT'));
  untuned.disconnect();
  expect(outcomes).toEqual(['refused', 'hangs']);
});

it('keeps nothing waiting for a cluster that cannot be reached', async () => {
  const tuned = await cluster.connect();
  tuned.disconnect();
  expect(await outcomeOf(tuned.get(`{${tag}}`))).toBe('refused');
});

it('of the kit: leaves no key behind on a node that is slow to answer', async () => {
  const client = await cluster.connect();
  await client.set(`{${tag}}left`, 'behind');
  const pid = await cluster.pidOf(await cluster.ownerOf(tag));
  process.kill(pid, 'SIGSTOP');
  await untilStopped(pid);
  const wiped = cluster.wipe();
  await Promise.race([wiped, delay(slowMs)]).finally(() => process.kill(pid, 'SIGCONT'));
  await wiped;
  await cluster.whole();
  expect(await cluster.keys()).toEqual([]);
});
