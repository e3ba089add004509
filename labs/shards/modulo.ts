/**
 * THE ANTI-PATTERN, to look at: some single Redis, and a client that finds a key's node by its hash modulo their number. A node is added by telling
 * the clients another number. `flip` does only that. `copy` copies every key that will be looked for elsewhere, and then flips.
 */
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import { RedisSessionStore, slotOf } from '@cloakroom/session';
import type { RedisFarm, RedisNode } from '../runner/redis.ts';
import { openCrowd, type Played, type Reshard } from './crowd.ts';

export async function playModulo(
  farm: RedisFarm,
  how: 'flip' | 'copy',
  { name, people, nodeCount, ports, ticks }: Reshard,
): Promise<Played> {
  const nodes = await Promise.all(ports.map((port) => farm.single(port)));
  const log = createLogger('lab', 'silent');
  const clients = ports.map((port) => openRedis({ url: `redis://127.0.0.1:${port}`, name: 'lab', log }));
  for (const client of clients) await redisReady(client);
  const stores = clients.map((client) => new RedisSessionStore(client));
  let count = nodeCount;
  try {
    const crowd = await openCrowd(name, people, (tag) => stores[slotOf(tag) % count]!);
    const stop = crowd.read();
    const keys = await keysOf(nodes);
    const moving = keys.filter(({ tag }) => slotOf(tag) % nodeCount !== slotOf(tag) % (nodeCount + 1));
    const every = Math.ceil(moving.length / ticks);
    for (const [index, { key, tag, node }] of moving.entries()) {
      if (how === 'copy') await copyKey(node, nodes[slotOf(tag) % (nodeCount + 1)]!, key);
      if ((index + 1) % every === 0) await crowd.tick();
    }
    count = nodeCount + 1;
    await stop();
    return { movedPercent: (100 * moving.length) / keys.length, ...(await crowd.count()) };
  } finally {
    for (const store of stores) await store.close();
  }
}

interface Placed {
  readonly key: string;
  readonly tag: string;
  readonly node: RedisNode;
}

async function keysOf(nodes: readonly RedisNode[]): Promise<Placed[]> {
  const lists = await Promise.all(
    nodes.map(async (node) => (await node.redis.keys('*')).map((key): Placed => ({ key, node, tag: /^\{(\w+)\}:/.exec(key)![1]! }))),
  );
  return lists.flat();
}

async function copyKey(from: RedisNode, to: RedisNode, key: string): Promise<void> {
  const [value, ttlMs] = await Promise.all([from.redis.dumpBuffer(key), from.redis.pttl(key)]);
  if (value !== null) await to.redis.restore(key, Math.max(0, ttlMs), value, 'REPLACE');
}
