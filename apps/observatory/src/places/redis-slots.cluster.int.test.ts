/** A slot really moves between the primaries of a Redis cluster, with its keys. Needs TEST_REDIS_CLUSTER_URL. */
import type { LinkedProcess } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { parseClusterUrl } from '@cloakroom/platform/redis';
import { openTestCluster, type TestCluster } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NodeConnections } from './node-connections.ts';
import { moveSlot, primaryOf, slotNodes, slotOf } from './redis-slots.ts';

const connections = new NodeConnections(createLogger('test', 'silent'));
const url = process.env['TEST_REDIS_CLUSTER_URL'];
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(url);
  await cluster.wipe();
});
afterAll(async () => {
  connections.close();
  await cluster.wipe();
  await cluster.close();
});

const processes = (): LinkedProcess[] =>
  parseClusterUrl(url!).nodes.map((node, index) => ({
    name: `redis-sessions-${index + 1}`,
    kind: 'redis',
    apps: [],
    needs: [],
    url: '',
    ports: [(node as { port: number }).port],
    readyUrls: [],
    state: 'ready',
    pid: 1,
    restarts: 0,
  }));

it('a moved slot is served by the next primary, with all of its keys, and nothing stays behind', async () => {
  // More than one MIGRATE takes along.
  const keyCount = 130;
  const tag = 'beef';
  const client = await cluster.connect();
  for (let index = 0; index < keyCount; index++) await client.set(`{${tag}}:${index}`, String(index));
  const nodes = await slotNodes(processes(), connections);
  expect(nodes.map(({ role }) => role).toSorted()).toEqual([...Array<string>(3).fill('primary'), ...Array<string>(3).fill('replica')]);
  expect(nodes.reduce((sum, { slotCount }) => sum + slotCount, 0)).toBe(16_384);
  const before = primaryOf(slotOf(tag), nodes)!;

  const moved = await moveSlot(slotOf(tag), nodes, connections);
  expect(moved).toMatchObject({ slot: await cluster.slotOf(tag), from: before.process, keyCount });
  const after = await slotNodes(processes(), connections);
  expect(primaryOf(slotOf(tag), after)?.process).toBe(moved.to);
  expect(moved.to).not.toBe(before.process);
  expect(after.find(({ process }) => process === before.process)).toMatchObject({ keyCount: 0, slotCount: before.slotCount - 1 });
  const read = await Promise.all(Array.from({ length: keyCount }, (_, index) => client.get(`{${tag}}:${index}`)));
  expect(read).toEqual(Array.from({ length: keyCount }, (_, index) => String(index)));
  await moveSlot(slotOf(tag), after, connections);
});
