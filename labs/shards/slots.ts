/** Slots: a real Redis Cluster of some primaries gets one more. The slots that it is due are moved to it, key by key, while people go on. */
import { createLogger } from '@cloakroom/platform';
import { openRedisCluster, redisReady } from '@cloakroom/platform/redis';
import { RedisSessionStore, slotOf } from '@cloakroom/session';
import { moveSlot } from '@cloakroom/testing';
import { busPortOf, clusterUrl, slotCount } from '../../infra/native/redis-cluster.ts';
import { type RedisFarm, type RedisNode, until } from '../runner/redis.ts';
import { openCrowd, type Played, type Reshard } from './crowd.ts';

export async function playSlots(farm: RedisFarm, { name, people, nodeCount, ports, ticks }: Reshard): Promise<Played> {
  const nodes = await Promise.all(ports.map((port) => farm.clusterNode(port)));
  await joinNodes(nodes, nodeCount);
  const url = clusterUrl(ports.slice(0, nodeCount));
  const cluster = openRedisCluster({ url, name: 'lab', log: createLogger('lab', 'silent') });
  await redisReady(cluster);
  const store = new RedisSessionStore(cluster);
  try {
    const crowd = await openCrowd(name, people, () => store);
    await checkSlots(nodes[0]!, crowd.tags);
    const stop = crowd.read();
    const added = nodes.at(-1)!;
    let moved = 0;
    const every = Math.ceil(dueSlots(nodeCount).flat().length / ticks);
    const streams = dueSlots(nodeCount).map(async (slots, index) => {
      for (const slot of slots) {
        await moveSlot(nodes, slot, nodes[index]!, added, () => Promise.resolve());
        moved += 1;
        if (moved % every === 0) await crowd.tick();
      }
    });
    await Promise.all(streams);
    await stop();
    const sizes = await Promise.all(nodes.map(({ redis }) => redis.dbsize()));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return { movedPercent: (100 * sizes.at(-1)!) / total, ...(await crowd.count()) };
  } finally {
    await store.close();
  }
}

/** Even ranges for the first nodes; the last one has none yet. */
async function joinNodes(nodes: readonly RedisNode[], ownerCount: number): Promise<void> {
  for (const [index, { redis }] of nodes.entries()) {
    // Each has a number of its own from the start: two with the same would first have to agree.
    await redis.cluster('SET-CONFIG-EPOCH', index + 1);
    if (index < ownerCount) await redis.cluster('ADDSLOTSRANGE', firstSlot(index, ownerCount), firstSlot(index + 1, ownerCount) - 1);
  }
  const [first] = nodes;
  for (const { redis } of nodes.slice(1)) await redis.cluster('MEET', '127.0.0.1', first!.port, busPortOf(first!.port));
  const joined = new RegExp(`cluster_state:ok\\r[^]*cluster_slots_ok:${slotCount}\\r[^]*cluster_known_nodes:${nodes.length}\\r`);
  for (const { port, redis } of nodes)
    await until(`node ${port} knows the cluster`, async () => joined.test((await redis.cluster('INFO')) as string));
}

const firstSlot = (index: number, count: number): number => Math.round((index * slotCount) / count);

/** The slots that each owner gives to the one that is added: as many as leave all with the same number. */
function dueSlots(ownerCount: number): number[][] {
  return Array.from({ length: ownerCount }, (_, index) => {
    const [from, to] = [firstSlot(index, ownerCount), firstSlot(index + 1, ownerCount)];
    return Array.from({ length: Math.round((to - from) / (ownerCount + 1)) }, (_none, at) => from + at);
  });
}

/** The hash that both arms use is that of the real cluster. @throws where it is not */
async function checkSlots({ redis }: RedisNode, tags: ReadonlySet<string>): Promise<void> {
  for (const tag of [...tags].slice(0, 100))
    if ((await redis.cluster('KEYSLOT', `{${tag}}:u:any`)) !== slotOf(tag)) throw new Error(`the slot of ${tag} is not the cluster's`);
}
