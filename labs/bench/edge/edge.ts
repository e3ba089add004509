/**
 * `npm run bench -- edge`: the cost of the gateway compared with the least that a front can do (floor.main.ts). It measures each mode of
 * session, with a warm and a cold cache, and with the session store at a distance.
 *
 * Everything runs at once, and blocks are measured in turn, in an order that rotates. So other work on the machine affects all alike, and
 * only ratios within a pair are published as results.
 */
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { CartService, isProblem } from '@cloakroom/contracts';
import { connectMesh, readTls } from '@cloakroom/mesh';
import { createLogger, startTrace } from '@cloakroom/platform';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { portsOf } from '../../../infra/stack/stack.ts';
import { edgeReport, type Measured } from './edge.report.ts';
import { againMark, checked, Load, openGenerator, type Generator } from '../measuring/load.ts';
import { pinSelf } from '../measuring/machine.ts';
import { makeGuests, register, signInAll, type Mode } from '../measuring/people.ts';
import { profiled } from '../measuring/profile.ts';
import { median, rotated } from '../measuring/statistics.ts';
import { backendAddresses, backendOf, openWorld, type World } from '../measuring/world.ts';

export interface EdgeRequest {
  readonly base: number;
  readonly pairs: number;
  /** The length of one block. */
  readonly seconds: number;
  readonly modes: readonly Mode[];
  /** Milliseconds added to a round trip between auth and its store. */
  readonly storeRttsMs: readonly number[];
  /** Sessions that the gateway has not met. There are more than it is asked for in a minute, which is how long it remembers a session. */
  readonly coldSessionCount: number;
  /** People whose sessions take turns when the cache is warm: about as many as look at one gateway in a second. */
  readonly personCount: number;
  /** Warm-up before each block. */
  readonly warmUpSeconds: number;
  /** Also measures at half of the rate that each point reached. */
  readonly halfLoad: boolean;
  /** Writes a processor profile of the gateway for each kind of request instead of measuring. */
  readonly profile: boolean;
}

/** One measured thing. */
export interface Point {
  readonly name: string;
  readonly load: Load;
  /** The point that it is compared with; a floor has none. */
  readonly floor: string | undefined;
  readonly storeRttMs: number;
  /** Processes on the way. */
  readonly pids: Readonly<Record<string, number>>;
  /** Runs before a block. An access token lives five minutes, and the generator does not renew it as a browser does. */
  readonly renew?: () => Promise<void>;
}

/** Enough to keep a core busy, and few enough that waiting does not become the measurement. */
const saturatingConnections = 32;
/** Long before the token's end, however long a block is. */
const renewAfterMs = 120_000;
/** Processes that are profiled. Each value is the inspector's port, counted from the base. */
const inspectorPorts = { 'gateway-1': 90, auth: 91 } as const;

/** @returns undefined after profiling */
export async function benchEdge(request: EdgeRequest): Promise<Measured | undefined> {
  pinSelf();
  const proxy = await openTcpProxy({ port: portsOf(request.base).redisSessions, protocol: 'any' });
  const generator = await openGenerator(`/tmp/cloakroom-bench-edge-${process.pid}`);
  let world: World | undefined;
  try {
    world = await openEdge(request, proxy);
    const points = await openPoints(world, request, generator);
    if (!request.profile) return await measure(points, request, generator, proxy);
    await profileAll(points, generator, request, proxy);
    return undefined;
  } finally {
    await world?.stop();
    await generator.stop();
    await proxy.close();
  }
}

export { edgeReport };

function openEdge({ base, profile }: EdgeRequest, proxy: TcpProxy): Promise<World> {
  return openWorld({
    name: 'edge',
    base,
    parts: ['redis-sessions', 'kafka', 'auth', 'gateway-1'],
    programs: [backendOf(base)],
    env: (name) => ({
      ...(name === 'auth' && { SESSION_REDIS_URL: `redis://${proxy.address}` }),
      CART_ADMIN_URL: undefined,
    }),
    flags: profile
      ? Object.fromEntries(Object.entries(inspectorPorts).map(([name, port]) => [name, [`--inspect=127.0.0.1:${base + port}`]]))
      : {},
  });
}

async function openPoints(world: World, request: EdgeRequest, generator: Generator): Promise<Point[]> {
  const [gateway] = world.gateways;
  const nobody = generator.headers('nobody', [{}]);
  const { base } = world;
  await world.add({
    name: 'floor',
    script: join(import.meta.dirname, 'floor.main.ts'),
    port: base + 50,
    env: { ...backendAddresses(base), ANSWER_HEADERS: await headersOf(`${gateway}/api/products/p-mug`) },
  });
  const floorUrl = `http://127.0.0.1:${base + 50}`;
  const gatewayUrl = `http://127.0.0.1:${base}`;
  const ours = (...more: string[]) => world.pids('gateway-1', 'backend', ...more);
  const cart = (name: string, file: string, storeRttMs: number): Point => ({
    name,
    load: new Load(gatewayUrl, '/api/cart', file),
    floor: 'floor: cart',
    storeRttMs,
    pids: ours('auth', 'redis-sessions'),
  });
  const floor = (what: string, path: string): Point => ({
    name: `floor: ${what}`,
    load: new Load(floorUrl, path, nobody),
    floor: undefined,
    storeRttMs: 0,
    pids: world.pids('floor', 'backend'),
  });
  const points = [
    floor('cart', '/api/cart'),
    { ...floor(`cart${againMark}`, '/api/cart'), floor: 'floor: cart' },
    floor('product', '/api/products/p-mug'),
    { ...cart('anonymous', nobody, 0), load: new Load(gatewayUrl, '/api/products/p-mug', nobody), floor: 'floor: product' },
  ];
  for (const mode of request.modes) {
    points.push(...(await pointsOf(mode, { gateway, request, generator, cart })));
  }
  const redisUrl = `redis://127.0.0.1:${portsOf(base).redisSessions}`;
  const unmet = await makeGuests(redisUrl, world.macKey, request.coldSessionCount);
  const cold = generator.headers(
    'cold',
    unmet.map(({ cookie }) => ({ cookie })),
  );
  // All distances share one list: the generator continues where the last block ended.
  const load = new Load(gatewayUrl, '/api/cart', cold);
  for (const rtt of request.storeRttsMs) points.push({ ...cart(nameOf('hybrid', ' cold', rtt), cold, rtt), load });
  await sameBodies(floorUrl, gatewayUrl, { cookie: unmet.at(-1)!.cookie });
  await refusesForgery(backendAddresses(base).CART_ADDRESS, world.tlsDir);
  return points;
}

/** @returns no points where this build lacks the mode or the operator does not allow it: there is nothing to measure */
async function pointsOf(
  mode: Mode,
  parts: {
    readonly gateway: string;
    readonly request: EdgeRequest;
    readonly generator: Generator;
    readonly cart: (name: string, file: string, storeRttMs: number) => Point;
  },
): Promise<Point[]> {
  const { gateway, request, generator, cart } = parts;
  // Separate people: signing in again and again would end the oldest of a person's sessions.
  const people = await register(gateway, request.personCount);
  let times = 0;
  const signedIn = async (): Promise<string | undefined> => {
    const list = await signInAll(gateway, people, mode);
    return list === undefined ? undefined : generator.headers(`${mode}-${++times}`, list);
  };
  const file = await signedIn();
  if (file === undefined) return [];
  const points = request.storeRttsMs.map((rtt) => cart(nameOf(mode, mode === 'reference' ? '' : ' warm', rtt), file, rtt));
  let renewedMs = performance.now();
  const renew = async (): Promise<void> => {
    if (performance.now() - renewedMs < renewAfterMs) return;
    const newer = (await signedIn())!;
    for (const { load } of points) load.headersFile = newer;
    renewedMs = performance.now();
  };
  return points.map((point) => (mode.startsWith('jwt') ? { ...point, renew } : point));
}

const nameOf = (mode: string, cache: string, rttMs: number): string => `${mode}${cache}${rttMs === 0 ? '' : `, store +${rttMs} ms`}`;

/** The real cart verifies each passport, so the backend must do it too: one that accepts a forged passport would flatter `reference`. */
async function refusesForgery(address: string, tlsDir: string): Promise<void> {
  const log = createLogger('bench', 'silent');
  const cart = connectMesh(CartService, { address, tls: await readTls(tlsDir, 'gateway'), log });
  try {
    const call = { budgetMs: 1_500, trace: startTrace(randomBytes), passport: 'not.a.passport' };
    const answer = await cart.client.getCart(call, {});
    if (!isProblem(answer)) throw new Error('the backend accepts a forged passport');
  } finally {
    cart.close();
  }
}

/** All headers of an answer except those that Node makes itself: the floor sends the same bytes. */
async function headersOf(url: string): Promise<string> {
  const answer = await fetch(url);
  const own = new Set(['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']);
  return JSON.stringify(Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name))));
}

async function sameBodies(floor: string, gateway: string, headers: Record<string, string>): Promise<void> {
  for (const path of ['/api/cart', '/api/products/p-mug']) {
    const [one, other] = await Promise.all([fetch(floor + path), fetch(gateway + path, { headers })]);
    const [left, right] = [await one.text(), await other.text()];
    if (left !== right) throw new Error(`${path} differs: the floor says ${left}, the gateway ${right}`);
  }
}

async function measure(points: readonly Point[], request: EdgeRequest, generator: Generator, proxy: TcpProxy): Promise<Measured> {
  const { pairs, seconds, warmUpSeconds } = request;
  const saturated: Measured['saturated'] = {};
  const halfLoad: Measured['halfLoad'] = {};
  const sameRate: Measured['sameRate'] = {};
  const block = async (point: Point, how: { kind: 'closed'; connections: number } | { kind: 'open'; rate: number }) => {
    proxy.delay(0);
    await point.renew?.();
    proxy.delay(point.storeRttMs, 'answers');
    return checked(await generator.run(point.load, { ...how, seconds, warmUpSeconds }, point.pids), point.name);
  };
  // A warm-up that no pair counts: after it the compilers have seen all the code, and products and keys are known.
  for (const point of points) await block(point, { kind: 'closed', connections: saturatingConnections });
  for (let pair = 0; pair < pairs; pair++) {
    for (const point of rotated(points, pair))
      (saturated[point.name] ??= []).push(await block(point, { kind: 'closed', connections: saturatingConnections }));
    console.log(`pair ${pair + 1} of ${pairs} at saturation`);
  }
  const mostOf = (name: string): number => median(saturated[name]!.map(({ perSecond }) => perSecond));
  // One rate for all points, which the slowest can serve.
  const commonRate = Math.floor(Math.min(...points.map(({ name }) => mostOf(name))) / 2);
  for (let pair = 0; pair < pairs; pair++) {
    for (const point of rotated(points, pair)) {
      if (request.halfLoad)
        (halfLoad[point.name] ??= []).push(await block(point, { kind: 'open', rate: Math.floor(mostOf(point.name) / 2) }));
      (sameRate[point.name] ??= []).push(await block(point, { kind: 'open', rate: commonRate }));
    }
    console.log(`pair ${pair + 1} of ${pairs} at fixed rates`);
  }
  return {
    points: points.map(({ name, floor, storeRttMs }) => ({ name, floor, storeRttMs })),
    saturated,
    halfLoad,
    sameRate,
    commonRate,
  };
}

async function profileAll(points: readonly Point[], generator: Generator, { base, seconds }: EdgeRequest, proxy: TcpProxy): Promise<void> {
  for (const point of points) {
    if (point.floor === undefined || point.storeRttMs > 0) continue;
    proxy.delay(0);
    const run = () =>
      generator.run(point.load, { kind: 'closed', connections: saturatingConnections, seconds, warmUpSeconds: 2 }, point.pids);
    const label = point.name.replaceAll(/\W+/g, '-');
    await profiled(base + inspectorPorts['gateway-1'], `edge-${label}`, () =>
      profiled(base + inspectorPorts.auth, `edge-${label}-auth`, run),
    );
  }
}
