/**
 * `npm run bench -- store`: the cost of a session in the store: round trips, bytes, and reading it compared with a plain GET through the
 * same client. Redis has the core of the system under test to itself; the client has the other core.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createLogger, openRedis, redisReady } from '@cloakroom/platform';
import {
  hashNamed,
  limits,
  type NewSession,
  RedisSessionStore,
  type SessionStore,
  tagFrom,
  tagOf,
  type TokenKey,
  tombstoneOf,
  userSession,
} from '@cloakroom/session';
import type { Redis } from 'ioredis';
import { portsOf } from '../../../infra/stack/stack.ts';
import { pinSelf } from '../measuring/machine.ts';
import { guestSession } from '../measuring/people.ts';
import { openWorld } from '../measuring/world.ts';

export interface StoreRequest {
  readonly base: number;
  readonly pairs: number;
  /** The length of one block. */
  readonly seconds: number;
  /** The largest number of sessions; it goes up to it in powers of ten. */
  readonly sessionCountMax: number;
}

export interface Pair {
  readonly resolvePerSecond: number;
  readonly getPerSecond: number;
  /** The same GET once more (A/A). */
  readonly getAgainPerSecond: number;
}

export interface StoreMeasured {
  /** Commands that the client sent, by operation. Calls of a script inside the server are no round trips. */
  readonly roundTrips: Readonly<Record<string, number>>;
  readonly bytes: { readonly record: number; readonly all: number; readonly parts: Readonly<Record<string, number>> };
  readonly reads: readonly { readonly sessionCount: number; readonly concurrency: number; readonly pairs: readonly Pair[] }[];
  readonly bytesOfAll: readonly { readonly sessionCount: number; readonly bytesEach: number }[];
}

const concurrencies = [1, 64] as const;
const countMin = 1_000;
/** Values that GET chooses from. */
const plainCount = 1_000;
const commandTimeoutMs = 10_000;
/** Sessions made at once while the store is filled. */
const batchCount = 500;

export async function benchStore(request: StoreRequest): Promise<StoreMeasured> {
  pinSelf();
  const world = await openWorld({ name: 'store', base: request.base, parts: ['redis-sessions'] });
  const redis = openRedis({
    url: `redis://127.0.0.1:${portsOf(request.base).redisSessions}`,
    name: 'bench',
    log: createLogger('bench', 'silent'),
  }) as Redis;
  // This measures the rate, not how long a person waits. On a crowded machine filling the store may take longer than the product's 0.5 s.
  redis.options.commandTimeout = commandTimeoutMs;
  try {
    await redisReady(redis, 5_000);
    const store = new RedisSessionStore(redis);
    const roundTrips = await countRoundTrips(redis, store);
    await redis.flushall();
    const bytes = await weigh(redis, store);
    await redis.flushall();
    return { roundTrips, bytes, ...(await read(redis, store, request)) };
  } finally {
    redis.disconnect();
    await world.stop();
  }
}

/** MONITOR shows calls of a script as coming from "lua". The client did not send them, so they do not count. */
async function countRoundTrips(redis: Redis, store: SessionStore): Promise<Record<string, number>> {
  const nowMs = Date.now();
  const own = redis.duplicate();
  const monitor = await own.monitor();
  const seen: string[] = [];
  monitor.on('monitor', (_at: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push(args.join(' '));
  });
  const counts: Record<string, number> = {};
  const count = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    // The first time the server does not know a script, so the client sends it whole: once for a server, not once for a session.
    await work().catch(() => undefined);
    const marks = [randomUUID(), randomUUID()] as const;
    await redis.echo(marks[0]);
    await work();
    await redis.echo(marks[1]);
    while (!seen.some((line) => line.includes(marks[1]))) await new Promise((resolve) => setTimeout(resolve, 1));
    const from = seen.findIndex((line) => line.includes(marks[0]));
    const to = seen.findIndex((line) => line.includes(marks[1]));
    counts[name] = to - from - 1;
  };
  let made = 0;
  const fresh = (): NewSession => userSession(`trip-${made++}`, {}, nowMs);
  const started = async (): Promise<NewSession> => {
    const session = fresh();
    await store.create(session, limits.sessionCountMax, nowMs);
    return session;
  };
  const sessions = [await started(), await started(), await started(), await started(), await started(), await started()];
  const keyOf = ({ tag, hash }: NewSession): TokenKey => ({ tag, hash });
  const touch = { idleTimeoutMs: limits.user.idleTimeoutMs };
  await count('create', () => store.create(fresh(), limits.sessionCountMax, nowMs));
  await count('resolve', () => store.resolve(keyOf(sessions[0]!), nowMs, undefined));
  await count('resolve and touch', () => store.resolve(keyOf(sessions[0]!), nowMs + 120_000, touch));
  await count('rotate', () => store.rotate(keyOf(sessions[made % 2 === 0 ? 1 : 2]!), hashNamed(randomUUID()), nowMs, nowMs));
  await count('revoke', () => store.revoke(tombstoneOf(sessions[3]!), nowMs));
  await count('list', () => store.list(sessions[0]!.tag, sessions[0]!.subject, nowMs));
  await count('revoke all of a person', () => store.raiseEpoch(sessions[0]!.tag, sessions[0]!.subject, undefined, nowMs));
  monitor.disconnect();
  own.disconnect();
  return counts;
}

/** A user's only session as it is made, then the same with a tombstone of a rotated token. */
async function weigh(redis: Redis, store: SessionStore): Promise<StoreMeasured['bytes']> {
  const nowMs = Date.now();
  const subject = `u_${randomUUID()}`;
  const session = userSession(
    'weighed',
    { subject, tag: tagOf(subject), handle: randomUUID(), claimedGuestCart: `g_${randomUUID()}` },
    nowMs,
  );
  await store.create(session, limits.sessionCountMax, nowMs);
  const successor = hashNamed('successor');
  await store.rotate({ tag: session.tag, hash: session.hash }, successor, nowMs, nowMs);
  const parts: Record<string, number> = {};
  for (const key of await redis.keys('*')) {
    const kind = ({ s: 'record', u: 'index and epoch', t: 'tombstone' } as Record<string, string>)[key.split(':')[1] ?? ''] ?? key;
    parts[kind] = (parts[kind] ?? 0) + Number(await redis.memory('USAGE', key));
  }
  return { record: parts['record'] ?? Number.NaN, all: Object.values(parts).reduce((sum, one) => sum + one, 0), parts };
}

async function read(redis: Redis, store: SessionStore, request: StoreRequest): Promise<Pick<StoreMeasured, 'reads' | 'bytesOfAll'>> {
  const nowMs = Date.now();
  const keys: TokenKey[] = [];
  const reads: StoreMeasured['reads'][number][] = [];
  const bytesOfAll: StoreMeasured['bytesOfAll'][number][] = [];
  // As long as one of our records, and as many keys: the same work for the network and the client.
  const value = randomBytes(150).toString('hex');
  const emptyBytes = await usedBytes(redis);
  for (let sessionCount = countMin; sessionCount <= request.sessionCountMax; sessionCount *= 10) {
    while (keys.length < sessionCount) {
      const batch = Array.from({ length: Math.min(batchCount, sessionCount - keys.length) }, () => {
        const key = { tag: tagFrom(randomBytes(2)), hash: hashNamed(randomUUID()) };
        keys.push(key);
        return store.create(guestSession(key, `g_${randomUUID()}`, 'hybrid', nowMs), 1, nowMs);
      });
      await Promise.all(batch);
    }
    bytesOfAll.push({ sessionCount, bytesEach: Math.round(((await usedBytes(redis)) - emptyBytes) / sessionCount) });
    const plain = Array.from({ length: plainCount }, (_, index) => `plain:${index}`);
    await redis.mset(Object.fromEntries(plain.map((key) => [key, value])));
    const anyKey = (): TokenKey => keys[Math.floor(Math.random() * keys.length)]!;
    for (const concurrency of concurrencies) {
      const resolve = () => perSecond(() => store.resolve(anyKey(), nowMs, undefined), concurrency, request.seconds);
      const get = () => perSecond(() => redis.get(plain[Math.floor(Math.random() * plainCount)]!), concurrency, request.seconds);
      await resolve();
      await get();
      const pairs: Pair[] = [];
      for (let pair = 0; pair < request.pairs; pair++) {
        const first = pair % 2 === 0 ? await resolve() : await get();
        const second = pair % 2 === 0 ? await get() : await resolve();
        const [resolvePerSecond, getPerSecond] = pair % 2 === 0 ? [first, second] : [second, first];
        pairs.push({ resolvePerSecond, getPerSecond, getAgainPerSecond: await get() });
      }
      reads.push({ sessionCount, concurrency, pairs });
    }
    console.log(`${sessionCount} sessions`);
  }
  return { reads, bytesOfAll };
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

async function perSecond(work: () => Promise<unknown>, concurrency: number, seconds: number): Promise<number> {
  let done = 0;
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const one = async (): Promise<void> => {
    while (performance.now() < endMs) {
      if ((await work()) === undefined) throw new Error('the store did not find what it holds');
      done++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return (done * 1000) / (performance.now() - startedMs);
}
