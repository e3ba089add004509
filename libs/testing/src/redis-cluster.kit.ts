/**
 * A real Redis Cluster of three primaries and three replicas for tests, with the faults that it may
 * have: `await openTestCluster(process.env['TEST_REDIS_CLUSTER_URL'])`.
 *
 * infra/launch/dev-services.ts owns the processes, and starts a killed one again after some seconds. The
 * kit asks the nodes for their process ids.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@cloakroom/platform';
import { openRedisCluster, parseClusterUrl, redisReady } from '@cloakroom/platform/redis';
import { Redis } from 'ioredis';
import type { Cluster } from 'ioredis';

export interface ClusterNode {
  readonly port: number;
  readonly redis: Redis;
}

export interface TestCluster {
  /** A client tuned as in production, but for the time that a command may take, if given. `close` closes it at the latest. */
  connect(options?: { readonly commandTimeoutMs: number }): Promise<Cluster>;
  /** The primaries that serve slots now. */
  primaries(): Promise<ClusterNode[]>;
  ownerOf(tag: string): Promise<ClusterNode>;
  replicaOf(primary: ClusterNode): Promise<ClusterNode>;
  pidOf(node: ClusterNode): Promise<number>;
  slotOf(tag: string): Promise<number>;
  /** Moves one slot key by key, and calls `halfway` while its keys are on both nodes. */
  moveSlot(slot: number, from: ClusterNode, to: ClusterNode, halfway: () => Promise<void>): Promise<void>;
  keys(): Promise<{ readonly key: string; readonly ttlMs: number }[]>;
  wipe(): Promise<void>;
  /** Waits until there are six nodes, all slots are served, and each replica has its copy. */
  whole(): Promise<void>;
  close(): Promise<void>;
}

/** A killed node comes back after 6 s and copies its primary. */
const wholeTimeoutMs = 40_000;
const lookIntervalMs = 100;
const primaryCount = 3;

export async function openTestCluster(url: string | undefined): Promise<TestCluster> {
  if (url === undefined) throw new Error('TEST_REDIS_CLUSTER_URL is not set');
  const nodes = parseClusterUrl(url).nodes.map((node) => {
    const { port } = node as { port: number };
    const redis = new Redis({ port, host: '127.0.0.1', commandTimeout: 2_000, maxRetriesPerRequest: 0, retryStrategy: () => 100 });
    redis.on('error', () => {});
    return { port, redis };
  });
  const clients: Cluster[] = [];
  const cluster: TestCluster = {
    async connect(options) {
      const client = openRedisCluster({ url, name: 'cluster-test', log: createLogger('cluster-test', 'silent'), ...options });
      clients.push(client);
      await redisReady(client);
      return client;
    },
    async primaries() {
      const views = await Promise.all(nodes.map(async (node) => ({ node, line: await myself(node).catch(() => '') })));
      return views.filter(({ line }) => / myself,master /.test(line) && / connected \d/.test(line)).map(({ node }) => node);
    },
    ownerOf: async (tag) => ownerOf(nodes, await slotOf(nodes, tag)),
    async replicaOf(primary) {
      const id = (await primary.redis.cluster('MYID')) as string;
      for (const node of nodes) if ((await myself(node)).includes(` myself,slave ${id} `)) return node;
      throw new Error(`node ${primary.port} has no replica`);
    },
    pidOf: async ({ redis }) => Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]),
    slotOf: (tag) => slotOf(nodes, tag),
    moveSlot: (slot, from, to, halfway) => moveSlot(nodes, slot, from, to, halfway),
    async keys() {
      const lists = await Promise.all((await cluster.primaries()).map(keysOf));
      return lists.flat();
    },
    async wipe() {
      const until = performance.now() + wholeTimeoutMs;
      for (; ; await delay(lookIntervalMs)) {
        // A node that is late is told of by nobody, and would keep its keys.
        const primaries = await cluster.primaries();
        const wiped = await Promise.allSettled(primaries.map(({ redis }) => redis.flushall()));
        if (primaries.length >= primaryCount && wiped.every(({ status }) => status === 'fulfilled')) return;
        if (performance.now() > until) throw new Error(`only ${primaries.length} primaries answer, so not all keys are gone`);
      }
    },
    async whole() {
      const until = performance.now() + wholeTimeoutMs;
      for (let lack = ''; ; await delay(lookIntervalMs)) {
        lack = await lackOf(nodes).catch(String);
        if (lack === '') return;
        if (performance.now() > until) throw new Error(`the cluster is not whole again: ${lack}`);
      }
    },
    async close() {
      for (const client of clients) client.disconnect();
      for (const { redis } of nodes) redis.disconnect();
      await Promise.resolve();
    },
  };
  await cluster.whole();
  return cluster;
}

/** `<id> <address> <flags> <primary's id> ... <link> [slots...]` */
async function myself({ redis }: ClusterNode): Promise<string> {
  const text = (await redis.cluster('NODES')) as string;
  return text.split('\n').find((line) => line.includes('myself')) ?? '';
}

const slotOf = async ([node]: readonly ClusterNode[], tag: string): Promise<number> =>
  (await node!.redis.cluster('KEYSLOT', `{${tag}}`)) as number;

async function ownerOf(nodes: readonly ClusterNode[], slot: number): Promise<ClusterNode> {
  for (const node of nodes) {
    const ranges = (await myself(node).catch(() => '')).split(' connected ')[1]?.split(' ') ?? [];
    const owns = ranges.some((range) => {
      const [from, to = from] = range.split('-').map(Number);
      return slot >= from! && slot <= to!;
    });
    if (owns) return node;
  }
  throw new Error(`no node serves slot ${slot}`);
}

async function keysOf({ redis }: ClusterNode): Promise<{ key: string; ttlMs: number }[]> {
  const keys = await redis.keys('*');
  const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
  // -2: forgotten between the two questions.
  return keys.map((key, index) => ({ key, ttlMs: ttls[index]! })).filter(({ ttlMs }) => ttlMs !== -2);
}

/** Every node must agree: a node that was away believes its old view for a moment. */
async function lackOf(nodes: readonly ClusterNode[]): Promise<string> {
  let primaries = 0;
  for (const { port, redis } of nodes) {
    const [info, replication] = [(await redis.cluster('INFO')) as string, await redis.info('replication')];
    if (!/cluster_state:ok\r[^]*cluster_slots_ok:16384\r[^]*cluster_known_nodes:6\r/.test(info)) return `node ${port} sees less`;
    if (/role:master/.test(replication)) {
      primaries += 1;
      if (!/connected_slaves:1\r/.test(replication)) return `node ${port} has no replica`;
    } else if (!/master_link_status:up/.test(replication)) return `node ${port} has no copy`;
  }
  return primaries === primaryCount ? '' : `${primaries} primaries`;
}

/** See `TestCluster.moveSlot`. @param nodes all that are told of the new owner */
export async function moveSlot(
  nodes: readonly ClusterNode[],
  slot: number,
  from: ClusterNode,
  to: ClusterNode,
  halfway: () => Promise<void>,
): Promise<void> {
  const [source, target] = (await Promise.all([from, to].map(({ redis }) => redis.cluster('MYID')))) as [string, string];
  await to.redis.cluster('SETSLOT', slot, 'IMPORTING', source);
  await from.redis.cluster('SETSLOT', slot, 'MIGRATING', target);
  const keys = (await from.redis.cluster('GETKEYSINSLOT', slot, 10_000)) as string[];
  for (const [index, key] of keys.entries()) {
    await from.redis.migrate('127.0.0.1', to.port, key, 0, 2_000);
    if (index === Math.floor(keys.length / 2)) await halfway();
  }
  // Keys that were written meanwhile.
  for (const key of (await from.redis.cluster('GETKEYSINSLOT', slot, 10_000)) as string[])
    await from.redis.migrate('127.0.0.1', to.port, key, 0, 2_000);
  // The new owner is told first, then all others. In this order the slot is never without an owner.
  const others = nodes.filter(({ port }) => port !== to.port);
  await to.redis.cluster('SETSLOT', slot, 'NODE', target);
  for (const { redis } of others) await redis.cluster('SETSLOT', slot, 'NODE', target).catch(() => undefined);
}
