/**
 * `npm run bench -- store`: the cost of a session in the store: commands, bytes, and reading it compared with a plain GET through the
 * same client. Redis has the core of the system under test to itself; the client has the other core.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
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

export interface Block {
  readonly perSecond: number;
  /** Processor time of client and Redis together, an operation. Other work on the machine is hardly in it. */
  readonly cpuUs: number;
}

export interface Pair {
  readonly resolve: Block;
  readonly get: Block;
  /** The same GET once more (A/A). */
  readonly getAgain: Block;
  /** `resolve` by a process that meets each session for the first time: a script for each. */
  readonly first: Block;
}

export interface StoreMeasured {
  /** Names of the commands that the client sent, by operation. Calls of a script inside the server are not among them. */
  readonly commands: Readonly<Record<string, string>>;
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
    // This measures the rate, not how long a person waits. On a crowded machine filling the store may take longer than the product's 0.5 s.
    commandTimeoutMs,
  }) as Redis;
  try {
    await redisReady(redis);
    const store = new RedisSessionStore(redis);
    const commands = await watchCommands(redis, store);
    await redis.flushall();
    const bytes = await weigh(redis, store);
    await redis.flushall();
    return { commands, bytes, ...(await read(redis, store, request)) };
  } finally {
    redis.disconnect();
    await world.stop();
  }
}

/** MONITOR shows calls of a script as coming from "lua". The client did not send them, so they do not count. */
async function watchCommands(redis: Redis, store: SessionStore): Promise<Record<string, string>> {
  const nowMs = Date.now();
  const own = redis.duplicate();
  const monitor = await own.monitor();
  const seen: string[] = [];
  monitor.on('monitor', (_at: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push(args.join(' '));
  });
  const commands: Record<string, string> = {};
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
    commands[name] = seen
      .slice(from + 1, to)
      .map((line) => line.slice(0, line.indexOf(' ')).toUpperCase())
      .join(', ');
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
  let laterMs = nowMs;
  await count('resolve and touch', () => store.resolve(keyOf(sessions[0]!), (laterMs += limits.touchIntervalMs), touch));
  await count('rotate', () => store.rotate(keyOf(sessions[made % 2 === 0 ? 1 : 2]!), hashNamed(randomUUID()), nowMs, nowMs));
  await count('revoke', () => store.revoke(tombstoneOf(sessions[3]!), nowMs));
  await count('list', () => store.list(sessions[0]!.tag, sessions[0]!.subject, nowMs));
  await count('revoke all of a person', () => store.raiseEpoch(sessions[0]!.tag, sessions[0]!.subject, undefined, nowMs));
  monitor.disconnect();
  own.disconnect();
  return commands;
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
      const block = (work: () => Promise<unknown>) => measure(redis, work, concurrency, request.seconds);
      const resolve = () => block(() => store.resolve(anyKey(), nowMs, undefined));
      const get = () => block(() => redis.get(plain[Math.floor(Math.random() * plainCount)]!));
      // A store of its own for each read knows no session.
      const first = () => block(() => new RedisSessionStore(redis).resolve(anyKey(), nowMs, undefined));
      await resolve();
      await get();
      const pairs: Pair[] = [];
      for (let pair = 0; pair < request.pairs; pair++) {
        const before = pair % 2 === 0 ? await resolve() : await get();
        const after = pair % 2 === 0 ? await get() : await resolve();
        const [one, other] = pair % 2 === 0 ? [before, after] : [after, before];
        pairs.push({ resolve: one, get: other, getAgain: await get(), first: await first() });
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

/** Microseconds of the thread that runs commands. */
async function redisCpuUs(redis: Redis): Promise<number> {
  const used = [...(await redis.info('cpu')).matchAll(/^used_cpu_(?:user|sys)_main_thread:([\d.]+)/gm)];
  return used.reduce((sum, [, seconds]) => sum + Number(seconds) * 1e6, 0);
}

async function measure(redis: Redis, work: () => Promise<unknown>, concurrency: number, seconds: number): Promise<Block> {
  const redisBeforeUs = await redisCpuUs(redis);
  const ownBefore = process.cpuUsage();
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
  const perSecond = (done * 1000) / (performance.now() - startedMs);
  const { user, system } = process.cpuUsage(ownBefore);
  return { perSecond, cpuUs: (user + system + (await redisCpuUs(redis)) - redisBeforeUs) / done };
}
