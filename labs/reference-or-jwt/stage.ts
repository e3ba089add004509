/**
 * A shop of real processes, whose auth reaches its session store through a proxy that answers late. It measures two things of one mode at one
 * distance: how long a request takes, and how long a session is accepted after its end.
 */
import { randomUUID } from 'node:crypto';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import type { TokenModeName } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import { portsOf } from '../../infra/stack/stack.ts';
import { type Block, checked, Load, openGenerator, type Generator } from '../bench/measuring/load.ts';
import { register, signIn, type Person } from '../bench/measuring/people.ts';
import { openWorld, type World } from '../bench/measuring/world.ts';
import { openAcceptors, type Acceptors } from '../bench/sessions/revocation.acceptors.ts';
import { trial } from '../bench/sessions/revocation.ts';

export interface StageRequest {
  readonly base: number;
  /** The life of an access token, in seconds. */
  readonly lifetimeS: number;
  readonly blockSeconds: number;
  /** Sessions in the mode jwt that end at the beginning: each takes the whole lifetime of its token. */
  readonly endedJwtCount: number;
}

export interface Seen {
  readonly p10Ms: number;
  readonly p50Ms: number;
  readonly readsPerRequest: number;
  readonly acceptedMs: number;
}

export interface Stage {
  /** @param storeRttMs what the way to the session store adds to a round trip */
  measure(mode: TokenModeName, storeRttMs: number): Promise<Seen>;
  close(): Promise<void>;
}

/** Fills the caches and connections; its requests are not measured. */
const warmUpSeconds = 0.15;
/** Auth hashes two passwords at once. More sign-ins would wait, and the life of a token runs while its owner waits. */
const endingsAtOnce = 2;
/** A busy machine may miss the time-out of a request. A block with such an answer is measured again. */
const attemptsMax = 3;

export async function openStage({ base, lifetimeS, blockSeconds, endedJwtCount }: StageRequest): Promise<Stage> {
  const proxy = await openTcpProxy({ port: portsOf(base).redisSessions, protocol: 'any' });
  const generator = await openGenerator(`/tmp/cloakroom-lab-tokens-${process.pid}`);
  const closing: (() => Promise<unknown>)[] = [() => proxy.close(), () => generator.stop()];
  const close = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one();
  };
  try {
    const world = await openWorld({
      name: 'reference-or-jwt',
      base,
      // An empty cart has no products to look up, and nobody looks at a profile.
      parts: ['redis-sessions', 'redis-carts', 'kafka', 'auth', 'cart', 'gateway-1', 'gateway-2'],
      env: (name) =>
        name === 'auth' ? { SESSION_REDIS_URL: `redis://${proxy.address}`, ACCESS_TOKEN_LIFETIME_MS: String(lifetimeS * 1_000) } : {},
      unpinned: true,
    });
    closing.push(() => world.stop());
    const acceptors = await openAcceptors(world);
    closing.push(async () => acceptors.close());
    const store = await openCounter(base);
    closing.push(() => store.close());
    const [person] = await register(world.gateways[0], 1);
    const shop = { world, acceptors, person: person!, generator, proxy, store };
    // They run on while other things are measured. No store is asked in this mode, so the distance does not count.
    const jwt = await endSome(shop, endedJwtCount);
    return { measure: (mode, rttMs) => measure(shop, mode, rttMs, blockSeconds, jwt), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Shop {
  readonly world: World;
  readonly acceptors: Acceptors;
  readonly person: Person;
  readonly generator: Generator;
  readonly proxy: TcpProxy;
  readonly store: Counter;
}

interface Ending {
  /** Milliseconds, at the gateway that accepted it longest. */
  readonly accepted: Promise<number>;
}

async function endSome(shop: Shop, count: number): Promise<Ending[]> {
  const endings: Ending[] = [];
  while (endings.length < count)
    endings.push(
      ...(await Promise.all(Array.from({ length: Math.min(endingsAtOnce, count - endings.length) }, () => endOne(shop, 'jwt')))),
    );
  return endings;
}

async function measure(shop: Shop, mode: TokenModeName, rttMs: number, seconds: number, jwt: Ending[]): Promise<Seen> {
  const { world, generator, proxy, store } = shop;
  const [gateway] = world.gateways;
  const cookie = await signedIn(shop, mode);
  // The generator reads a file once, so each session has one of its own.
  const load = new Load(gateway, '/api/cart', generator.headers(`${mode}-${randomUUID()}`, [{ cookie }]));
  const run = async (length: number): Promise<Block> => {
    for (let attempt = 1; ; attempt++) {
      const block = await generator.run(load, { kind: 'closed', connections: 1, seconds: length, warmUpSeconds: 0 }, {});
      if (attempt === attemptsMax) return checked(block, mode);
      if (block.answered > 0 && Object.keys(block.wrong).length === 0) return block;
    }
  };
  try {
    proxy.delay(rttMs, 'answers');
    await run(warmUpSeconds);
    const before = await store.reads();
    const { latency, answered } = await run(seconds);
    const readsPerRequest = ((await store.reads()) - before) / answered;
    const [p10Ms, p50Ms] = [latency.p10 / 1_000, latency.p50 / 1_000];
    // A distance that nobody feels would make all modes alike.
    if (mode === 'reference' && p10Ms < rttMs) throw new Error(`the store was to be ${rttMs} ms away, and a look-up took ${p10Ms} ms`);
    const ending = mode === 'jwt' ? jwt.pop() : await endOne(shop, mode);
    if (ending === undefined) throw new Error('more sessions were measured in the mode jwt than were ended');
    return { p10Ms, p50Ms, readsPerRequest, acceptedMs: await ending.accepted };
  } finally {
    proxy.delay(0);
  }
}

/** Signs in, is accepted at both gateways, and ends the session. Resolves once the end is on its way. */
async function endOne(shop: Shop, mode: TokenModeName): Promise<Ending> {
  const { acceptors } = shop;
  const cookie = await signedIn(shop, mode);
  const where = [acceptors.gateway(0, cookie), acceptors.gateway(1, cookie)];
  const ended = Promise.withResolvers<void>();
  const end = () => acceptors.logOut(cookie).finally(ended.resolve);
  const accepted = trial(where, end, mode).then((lags) => Math.max(...Object.values(lags)));
  // A failure is told where the result is asked for, which may be later.
  await Promise.race([ended.promise, accepted.catch(() => undefined)]);
  return { accepted };
}

async function signedIn({ world, person }: Shop, mode: TokenModeName): Promise<string> {
  const cookie = await signIn(world.gateways[0], person, mode);
  if (cookie === undefined) throw new Error(`this shop does not allow the mode ${mode}`);
  return cookie;
}

interface Counter {
  /** Sessions that the store has read since its start. A read is one MGET (docs/decisions/0037-sessions-are-read-without-a-script.md). */
  reads(): Promise<number>;
  close(): Promise<void>;
}

/** Asks the store itself, past the proxy. */
async function openCounter(base: number): Promise<Counter> {
  const url = `redis://127.0.0.1:${portsOf(base).redisSessions}`;
  const redis = openRedis({ url, name: 'lab', log: createLogger('lab', 'silent') });
  await redisReady(redis);
  return {
    reads: async () => Number(/^cmdstat_mget:calls=(\d+)/m.exec(await redis.info('commandstats'))?.[1] ?? 0),
    close: async () => void (await redis.quit()),
  };
}
