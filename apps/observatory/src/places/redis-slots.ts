/**
 * The Redis cluster of the sessions, asked node by node: which process is primary, which slots it serves, and where a person's session lies. It also
 * moves a slot, with Redis' own steps: https://redis.io/docs/latest/commands/cluster-setslot/
 *
 * The subtlety is in the order of a move. The target imports before the source migrates, so a client that is redirected finds a willing node. The
 * target learns first that it owns the slot. Otherwise nobody owns it for a moment, and a crash then would lose it.
 */
import type { LinkedProcess } from '@cloakroom/contracts';
import type { NodeConnections } from './node-connections.ts';
import type { SlotMoveView, SlotNodeView } from './places-view.ts';
import { Refusal } from '../edge/refusal.ts';

const loopback = '127.0.0.1';
/** Keys that one MIGRATE takes along. A slot of a trial shop has a handful. */
const keysAtOnce = 100;
const migrateTimeoutMs = 1_000;

type Range = readonly [from: number, to: number];

export interface SlotNode extends SlotNodeView {
  readonly port: number;
  readonly id: string;
  readonly ranges: readonly Range[];
}

const isNode = ({ kind, name }: LinkedProcess): boolean => kind === 'redis' && /^redis-sessions-\d+$/.test(name);

/** @returns none where the stack has no cluster */
export async function slotNodes(processes: readonly LinkedProcess[], connections: NodeConnections): Promise<SlotNode[]> {
  const all = processes.filter(isNode);
  const nameOf = new Map(all.map(({ ports, name }) => [ports[0], name]));
  const asked = await Promise.all(
    all.map(async ({ name, ports: [port = 0], state }): Promise<readonly [string, number, string, number] | undefined> => {
      if (state !== 'ready') return undefined;
      try {
        const call = await connections.to(port);
        return [name, port, await call<string>('CLUSTER', 'NODES'), await call<number>('DBSIZE')] as const;
      } catch {
        return undefined;
      }
    }),
  );
  return all.map(({ name, ports: [port = 0] }, index) => {
    const [, , text, keyCount] = asked[index] ?? [];
    const silent = {
      process: name,
      port,
      role: 'no answer',
      of: undefined,
      slotCount: 0,
      keyCount: undefined,
      id: '',
      ranges: [],
    } as const;
    return text === undefined ? silent : { process: name, port, keyCount, ...readNodes(text, nameOf) };
  });
}

/** The line of the node itself in the answer to CLUSTER NODES. */
export function readNodes(text: string, nameOf: ReadonlyMap<number | undefined, string>): Omit<SlotNode, 'process' | 'port' | 'keyCount'> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' '));
  const [id = '', , flags = '', primary = '', , , , , ...served] = lines.find(([, , all = '']) => all.includes('myself')) ?? [];
  // A slot on its way is shown in brackets, beside the ranges.
  const ranges = served
    .filter((range) => !range.startsWith('['))
    .map((range): Range => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return [from, to];
    });
  const of = lines.find(([one]) => one === primary)?.[1];
  return {
    id,
    role: flags.includes('master') ? 'primary' : 'replica',
    of: of === undefined ? undefined : nameOf.get(Number(/:(\d+)@/.exec(of)?.[1])),
    slotCount: ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
    ranges,
  };
}

export const primaryOf = (slot: number, nodes: readonly SlotNode[]): SlotNode | undefined =>
  nodes.find(({ role, ranges }) => role === 'primary' && ranges.some(([from, to]) => from <= slot && slot <= to));

/** @throws Refusal where the cluster cannot move it now */
export async function moveSlot(
  slot: number,
  nodes: readonly SlotNode[],
  connections: NodeConnections,
): Promise<Omit<SlotMoveView, 'reads'>> {
  const source = primaryOf(slot, nodes);
  const primaries = nodes.filter(({ role, slotCount }) => role === 'primary' && slotCount > 0);
  const target = primaries[(primaries.findIndex((one) => one === source) + 1) % primaries.length];
  if (source === undefined || target === undefined || target === source)
    throw new Refusal('cannot_act', `No two primaries answer, so slot ${slot} cannot move now.`);
  const sinceMs = performance.now();
  const [here, there] = [await connections.to(source.port), await connections.to(target.port)];
  await there('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id);
  await here('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
  let keyCount = 0;
  for (;;) {
    const keys = await here<string[]>('CLUSTER', 'GETKEYSINSLOT', slot, keysAtOnce);
    if (keys.length === 0) break;
    await here('MIGRATE', loopback, target.port, '', 0, migrateTimeoutMs, 'KEYS', ...keys);
    keyCount += keys.length;
  }
  await there('CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  await here('CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  // The other primaries hear it by gossip; told at once, they redirect nobody to the old place.
  for (const { port } of primaries.filter((one) => one !== source && one !== target)) {
    const call = await connections.to(port).catch(() => undefined);
    await call?.('CLUSTER', 'SETSLOT', slot, 'NODE', target.id).catch(() => undefined);
  }
  return { slot, from: source.process, to: target.process, keyCount, durationMs: performance.now() - sinceMs };
}

/** The slot of a key whose hash tag is `tag`: CRC16 (XMODEM), modulo 16,384. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc % 16_384;
}
