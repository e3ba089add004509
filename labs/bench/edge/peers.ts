/**
 * `npm run bench -- peers`: reading a cart with a session, behind the gateway and behind common alternatives. The request, the
 * backend and the Redis are the same, and each peer is set up as its own documentation recommends. It measures like edge.ts:
 * interleaved pairs, and only ratios count.
 */
import { join } from 'node:path';
import { portsOf } from '../../../infra/stack/stack.ts';
import { againMark, checked, Load, openGenerator, type Block, type Generator } from '../measuring/load.ts';
import { pinSelf } from '../measuring/machine.ts';
import { cookiesOf, register, signInAll, type Headers } from '../measuring/people.ts';
import { median, rotated } from '../measuring/statistics.ts';
import { backendAddresses, backendOf, openWorld, type World } from '../measuring/world.ts';

export interface PeersRequest {
  readonly base: number;
  readonly pairs: number;
  readonly seconds: number;
  readonly personCount: number;
  /** Warm-up before each block. */
  readonly warmUpSeconds: number;
}

export interface Front {
  readonly name: string;
  /** Whether it asks its store at each request; undefined for the floor, which has no session. */
  readonly asksStore: boolean | undefined;
  /** True for a front that is neither ours nor the floor. */
  readonly isPeer: boolean;
}

export interface PeersMeasured {
  readonly fronts: readonly Front[];
  readonly saturated: Readonly<Record<string, readonly Block[]>>;
  readonly halfLoad: Readonly<Record<string, readonly Block[]>>;
}

export const ours = { hybrid: 'Cloakroom hybrid', reference: 'Cloakroom reference' } as const;
export const floorName = 'no session (floor)';
const peers = [
  { name: 'express-session + connect-redis', peer: 'express', asksStore: true },
  { name: '@fastify/session + connect-redis', peer: 'fastify', asksStore: true },
  { name: 'better-auth + Redis', peer: 'better-auth', asksStore: true },
  { name: 'better-auth + Redis, cookie cache', peer: 'better-auth, cookie cache', asksStore: false },
] as const;

const saturatingConnections = 32;

interface Runnable extends Front {
  readonly load: Load;
  readonly pids: Readonly<Record<string, number>>;
}

export async function benchPeers(request: PeersRequest): Promise<PeersMeasured> {
  pinSelf();
  const generator = await openGenerator(`/tmp/cloakroom-bench-peers-${process.pid}`);
  let world: World | undefined;
  try {
    world = await openWorld({
      name: 'peers',
      base: request.base,
      parts: ['redis-sessions', 'kafka', 'auth', 'gateway-1'],
      programs: [backendOf(request.base)],
      env: () => ({ CART_ADMIN_URL: undefined }),
    });
    const fronts = [...(await openOurs(world, generator, request)), ...(await openPeers(world, generator, request))];
    return await measure(fronts, request, generator);
  } finally {
    await world?.stop();
    await generator.stop();
  }
}

async function openOurs(world: World, generator: Generator, { personCount }: PeersRequest): Promise<Runnable[]> {
  const { base } = world;
  const [gateway] = world.gateways;
  const people = await register(gateway, personCount);
  const fronts: Runnable[] = [];
  for (const mode of ['hybrid', 'reference'] as const) {
    const list = await signInAll(gateway, people, mode);
    if (list === undefined) throw new Error(`${mode} is not allowed here`);
    const front = (name: string): Runnable => ({
      name,
      asksStore: mode === 'reference',
      isPeer: false,
      load: new Load(`http://127.0.0.1:${base}`, '/api/cart', generator.headers(mode, list)),
      pids: world.pids('gateway-1', 'backend', 'auth', 'redis-sessions'),
    });
    fronts.push(front(ours[mode]));
    if (mode === 'hybrid') fronts.push(front(ours.hybrid + againMark));
  }
  await world.add({ name: 'floor', script: join(import.meta.dirname, 'floor.main.ts'), port: base + 50, env: backendAddresses(base) });
  const nobody = generator.headers('nobody', [{}]);
  const load = new Load(`http://127.0.0.1:${base + 50}`, '/api/cart', nobody);
  return [{ name: floorName, asksStore: undefined, isPeer: false, load, pids: world.pids('floor', 'backend') }, ...fronts];
}

async function openPeers(world: World, generator: Generator, { personCount }: PeersRequest): Promise<Runnable[]> {
  const { base } = world;
  const fronts: Runnable[] = [];
  for (const [index, { name, peer, asksStore }] of peers.entries()) {
    const port = base + 60 + index;
    const program = `peer-${index}`;
    const env = { ...backendAddresses(base), PEER: peer, SESSION_REDIS_URL: `redis://127.0.0.1:${portsOf(base).redisSessions}` };
    await world.add({ name: program, script: join(import.meta.dirname, 'peers.main.ts'), port, env });
    const origin = `http://127.0.0.1:${port}`;
    const list: Headers[] = [];
    for (let person = 0; person < personCount; person++) {
      const answer = await fetch(`${origin}/login`, { method: 'POST' });
      if (answer.status !== 200) throw new Error(`${name}: login answered ${answer.status}`);
      list.push({ cookie: cookiesOf(answer) });
    }
    const load = new Load(origin, '/api/cart', generator.headers(program, list));
    fronts.push({ name, asksStore, isPeer: true, load, pids: world.pids(program, 'backend', 'redis-sessions') });
  }
  return fronts;
}

async function measure(
  fronts: readonly Runnable[],
  { pairs, seconds, warmUpSeconds }: PeersRequest,
  generator: Generator,
): Promise<PeersMeasured> {
  const saturated: Record<string, Block[]> = {};
  const halfLoad: Record<string, Block[]> = {};
  const closed = { kind: 'closed', connections: saturatingConnections, seconds, warmUpSeconds } as const;
  for (const { name, load, pids } of fronts) checked(await generator.run(load, closed, pids), name);
  for (let pair = 0; pair < pairs; pair++) {
    for (const { name, load, pids } of rotated(fronts, pair))
      (saturated[name] ??= []).push(checked(await generator.run(load, closed, pids), name));
    console.log(`pair ${pair + 1} of ${pairs} at saturation`);
  }
  for (let pair = 0; pair < pairs; pair++) {
    for (const { name, load, pids } of rotated(fronts, pair)) {
      const rate = Math.floor(median(saturated[name]!.map(({ perSecond }) => perSecond)) / 2);
      (halfLoad[name] ??= []).push(checked(await generator.run(load, { kind: 'open', rate, seconds, warmUpSeconds }, pids), name));
    }
  }
  return { fronts: fronts.map(({ name, asksStore, isPeer }) => ({ name, asksStore, isPeer })), saturated, halfLoad };
}
