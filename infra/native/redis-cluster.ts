/**
 * Six Redis processes that form one cluster: three primaries with a replica each.
 *
 * The processes are ordinary ones (`clusterNodeLaunch`, under any supervisor). `createCluster` joins them once all answer. Nodes
 * remember the cluster in their folder, so after a restart there is nothing to create, and it only waits. After an interrupted
 * creation it repeats only the missing steps.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { LaunchSpec } from '../supervisor/child.ts';
import { StackError } from '../stack/outcome.ts';
import { redisLaunch } from './redis.ts';
import type { RedisPlace } from './redis.ts';

export const slotCount = 16_384;
export const primaryCount = 3;
/** The first three begin as primaries; each of the others is the replica of the node three before it. */
export const clusterNodeCount = 2 * primaryCount;

const settings = join(import.meta.dirname, '..', 'redis', 'redis-cluster.conf');

/**
 * Nodes talk among themselves on a second port. Redis' own choice (+10000) is not used: a base above
 * 22767 would put it among the ephemeral ports.
 */
export const busPortOf = (port: number): number => port + 40;

export function clusterNodeLaunch(binary: string, place: RedisPlace): LaunchSpec {
  const launch = redisLaunch(binary, place);
  return { ...launch, args: [...launch.args, '--include', settings, '--cluster-port', String(busPortOf(place.port))] };
}

/** The address for an app: any of the nodes is enough to find the others. */
export const clusterUrl = (ports: readonly number[]): string => `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;

/** Gossip needs some rounds of a second each, and on a busy laptop six processes are slow to answer. */
const createTimeoutMs = 180_000;
const askTimeoutMs = 2_000;
const pauseMs = 100;

/**
 * Joins the nodes unless they are joined. It waits until every slot is served, every replica has its copy, and every node knows it.
 * @param ports of six nodes that answer
 * @throws StackError when that takes longer than three minutes
 */
export async function createCluster(ports: readonly number[]): Promise<void> {
  if (ports.length !== clusterNodeCount) throw new Error(`a cluster has ${clusterNodeCount} nodes, these are ${ports.length}`);
  const nodes = ports.map(openNode);
  const until = performance.now() + createTimeoutMs;
  let missing = 'nothing was asked';
  try {
    for (;;) {
      try {
        const next = await nextStep(nodes);
        if (next === undefined) return;
        missing = next;
      } catch (error) {
        missing = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() > until) break;
      await delay(pauseMs);
    }
  } finally {
    for (const { redis } of nodes) redis.disconnect();
  }
  throw new StackError(`the Redis cluster on ${ports.join(', ')} did not form: ${missing}`, 'start with --fresh');
}

interface Node {
  readonly port: number;
  readonly redis: Redis;
}

interface View extends Node {
  readonly id: string;
  readonly primary: boolean;
  readonly slots: number;
  readonly known: number;
  readonly info: Record<string, string>;
}

function openNode(port: number): Node {
  const redis = new Redis({ port, host: '127.0.0.1', commandTimeout: askTimeoutMs, connectTimeout: askTimeoutMs, maxRetriesPerRequest: 1 });
  // The command that fails reports the error.
  redis.on('error', () => undefined);
  return { port, redis };
}

/** Takes the steps that are possible now. @returns what is still missing, or undefined when everything is there */
async function nextStep(nodes: readonly Node[]): Promise<string | undefined> {
  const views = await Promise.all(nodes.map(look));
  const fresh = views.every(({ slots, known }) => slots === 0 && known === 1);
  // Each primary gets its own number at the start: two with the same number would first have to agree.
  if (fresh) await Promise.all(views.map(({ redis }, index) => redis.cluster('SET-CONFIG-EPOCH', index + 1).catch(() => undefined)));
  if (views.some(({ known }) => known < nodes.length)) {
    await Promise.all(views.slice(1).map(({ redis }) => redis.cluster('MEET', '127.0.0.1', nodes[0]!.port, busPortOf(nodes[0]!.port))));
    if (!fresh) return 'not every node knows every other';
  }
  const assigned = Math.max(...views.map(({ info }) => Number(info['cluster_slots_assigned'])));
  if (assigned < slotCount) {
    await assignSlots(views);
    return `${assigned} of ${slotCount} slots are assigned`;
  }
  const late = await attachReplicas(views);
  if (late !== undefined) return late;
  const unsure = views.find(({ info }) => info['cluster_state'] !== 'ok' || Number(info['cluster_slots_ok']) !== slotCount);
  return unsure === undefined ? undefined : `node ${unsure.port} sees ${unsure.info['cluster_slots_ok']} slots served`;
}

async function look(node: Node): Promise<View> {
  const [nodesText, infoText, replication] = await Promise.all([
    node.redis.cluster('NODES') as Promise<string>,
    node.redis.cluster('INFO') as Promise<string>,
    node.redis.info('replication'),
  ]);
  const lines = nodesText.trim().split('\n');
  const [id = '', , flags = '', , , , , , ...slots] = lines.find((line) => line.includes('myself'))!.split(' ');
  const info = { ...fields(infoText), ...fields(replication) };
  const known = lines.filter((line) => !/handshake|noaddr/.test(line)).length;
  return { ...node, id, primary: flags.includes('master'), slots: slots.length, known, info };
}

function fields(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, value]) => [name!, value!]));
}

/** Even thirds for the first three nodes. */
async function assignSlots(views: readonly View[]): Promise<void> {
  for (const [index, view] of views.slice(0, primaryCount).entries()) {
    if (view.slots > 0) continue;
    const from = Math.round((index * slotCount) / primaryCount);
    const to = Math.round(((index + 1) * slotCount) / primaryCount) - 1;
    await view.redis.cluster('ADDSLOTSRANGE', from, to);
  }
}

/** A primary without a slot is a node that has not been told yet which primary it follows. */
async function attachReplicas(views: readonly View[]): Promise<string | undefined> {
  let late: string | undefined;
  for (const [index, view] of views.entries()) {
    if (view.primary && view.slots === 0) {
      late = `node ${view.port} has neither slots nor a primary`;
      await view.redis.cluster('REPLICATE', views[index % primaryCount]!.id);
    } else if (!view.primary && view.info['master_link_status'] !== 'up') late = `replica ${view.port} has no copy yet`;
  }
  return late;
}
