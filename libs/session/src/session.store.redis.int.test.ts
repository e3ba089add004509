/** The contract on a real Redis, and the faults that only a real connection can have. Uses logical database 15 of the given server. */
import { randomUUID } from 'node:crypto';
import { hashNamed, t0 as sampleTimeMs, tombstoneOf, userSession } from './session-store.samples.ts';
import { sessionStoreContract } from './contract/session-store.contract.ts';
import type { SessionStoreUnderTest } from './session-store.samples.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sessionKey, subjectKey } from './keys.ts';
import { limits } from './session.limits.ts';
import { indexedIn, plantIn } from './session.redis.fixture.ts';
import { scripts } from './session.scripts.ts';
import { RedisSessionStore } from './session.store.redis.ts';
import { StoreUnavailable } from './session.store.ts';

const url = process.env['TEST_SESSION_REDIS_URL'] ?? 'redis://127.0.0.1:1';
const database = 15;

async function connect(): Promise<Redis> {
  const redis = new Redis(url, {
    db: database,
    commandTimeout: 5_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  });
  redis.on('error', () => {});
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
  return redis;
}

let admin: Redis;
beforeAll(async () => {
  admin = await connect();
});
afterAll(async () => {
  await admin.flushdb();
  await admin.quit();
});

/** A replica is made a primary: its data stay, its name is new, and its connections live on. */
async function promote(): Promise<void> {
  await admin.replicaof('127.0.0.1', 1);
  await admin.replicaof('NO', 'ONE');
}

async function make(options: { readonly epochLifetimeMs?: number }): Promise<SessionStoreUnderTest> {
  await admin.flushdb();
  const [first, second] = [await connect(), await connect()];
  const stores = [new RedisSessionStore(first, options), new RedisSessionStore(second, options)] as const;
  return {
    store: stores[0],
    second: stores[1],
    keys: async () => {
      const keys = await admin.keys('*');
      const ttls = await Promise.all(keys.map((key) => admin.pttl(key)));
      // -2: forgotten between the two questions.
      return keys.map((key, i) => ({ key, ttlMs: ttls[i]! })).filter(({ ttlMs }) => ttlMs !== -2);
    },
    indexed: (tag, subject) => indexedIn(admin, tag, subject),
    plant: (key, record) => plantIn(admin, key, record),
    snapshot: async () => {
      const keys = await admin.keys('*');
      const copies = await Promise.all(keys.map(async (key) => ({ key, ttl: await admin.pttl(key), value: await admin.dumpBuffer(key) })));
      return async () => {
        await admin.flushdb();
        await Promise.all(copies.map(({ key, ttl, value }) => admin.restore(key, ttl, value!)));
      };
    },
    wipe: async () => void (await admin.flushdb()),
    close: async () => void (await Promise.all(stores.map((store) => store.close()))),
  };
}

sessionStoreContract('Redis', make);

describe('on a real Redis', () => {
  it('keeps a session in 400 bytes, and with its index, epoch and a tombstone in 700', async () => {
    const { store, close } = await make({});
    const [handle, subject, claimedGuestCart] = ['', 'u_', 'g_'].map((kind) => `${kind}${randomUUID()}`) as [string, string, string];
    const session = userSession('a', { handle, subject, claimedGuestCart, device: 'Firefox on Linux' });
    await store.create(session, 10, sampleTimeMs);
    const next = await store.rotate(session, hashNamed('next'), sampleTimeMs + 1, sampleTimeMs + 1);
    const bytes = await Promise.all((await admin.keys('*')).map(async (key) => Number(await admin.memory('USAGE', key))));
    expect(bytes).toHaveLength(3);
    expect(bytes.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(700);
    expect(await admin.memory('USAGE', sessionKey(next!.tag, next!.hash))).toBeLessThanOrEqual(400);
    await close();
  });
  it('renews the life of an epoch at each create', async () => {
    const { store, close } = await make({});
    const { tag, subject } = userSession('a');
    await store.raiseEpoch(tag, subject, undefined, sampleTimeMs);
    await admin.pexpire(subjectKey(tag, subject), 60_000);
    await store.create(userSession('a'), 10, sampleTimeMs);
    expect(await admin.pttl(subjectKey(tag, subject))).toBeGreaterThan(limits.user.absoluteTimeoutMs);
    await close();
  });
  it('sends a script again to a server that does not have it any more', async () => {
    const { store, close } = await make({});
    await store.create(userSession('a'), 10, sampleTimeMs);
    await admin.script('FLUSH');
    expect(await store.resolve(userSession('a'), sampleTimeMs, undefined)).toMatchObject({ handle: 'handle-a' });
    await close();
  });
  it('asks for one MGET or one script, and each of its keys is in one slot', async () => {
    const { store, second, close } = await make({});
    await store.create(userSession('a'), 10, sampleTimeMs);
    const touch = { idleTimeoutMs: 1_000_000 };
    // The server gets to know the script.
    await second.resolve(userSession('a'), sampleTimeMs, undefined);
    const slots = await Promise.all((await admin.keys('*')).map((key) => slotOf(key)));
    expect(new Set(slots).size).toBe(1);
    const sent = vi.spyOn(Redis.prototype, 'sendCommand');
    const names = () => sent.mock.calls.splice(0).map(([command]) => command.name);
    await store.resolve(userSession('a'), sampleTimeMs + limits.touchIntervalMs - 1, touch);
    expect(names()).toEqual(['mget', 'info']);
    await store.resolve(userSession('a'), sampleTimeMs + limits.touchIntervalMs, touch);
    expect(names()).toEqual(['mget', 'info', 'evalsha']);
    await Promise.all([1, 2, 3].map(() => store.resolve(userSession('a'), sampleTimeMs, undefined)));
    expect(names(), 'one look for all reads of a turn').toEqual(['mget', 'mget', 'mget', 'info']);
    sent.mockRestore();
    await close();
  });
  it('cannot reach into another slot with any script', () => {
    for (const lua of Object.values(scripts)) expect(lua).toMatch(/^#!lua( flags=allow-oom)?\n/);
  });
});

/** The tag alone decides the slot (Redis Cluster specification, "hash tags"). The test asks the server where it knows the command. */
async function slotOf(key: string): Promise<unknown> {
  return admin.cluster('KEYSLOT', key).catch(() => /\{([^}]+)\}/.exec(key)?.[1]);
}

describe('a connection that fails', () => {
  it('says so within its time-out, whatever was asked', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    redis.disconnect();
    await vi.waitFor(() => expect(redis.status).toBe('end'));
    const session = userSession('a');
    const asked = [
      () => store.create(session, 10, sampleTimeMs),
      () => store.resolve(session, sampleTimeMs, undefined),
      () => store.rotate(session, 'next', sampleTimeMs, sampleTimeMs),
      () => store.revoke(tombstoneOf(session), sampleTimeMs),
      () => store.buryToken(tombstoneOf(session), sampleTimeMs),
      () => store.raiseEpoch(session.tag, session.subject, undefined, sampleTimeMs),
      () => store.list(session.tag, session.subject, sampleTimeMs),
      () => store.incarnation(),
    ];
    for (const ask of asked) await expect(ask()).rejects.toBeInstanceOf(StoreUnavailable);
    await store.close();
  });
  it('is noticed also by whoever only looks whether the store is there, when the server hangs', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    await store.incarnation();
    vi.spyOn(redis, 'info').mockRejectedValue(new Error('Command timed out'));
    await expect(store.incarnation()).rejects.toBeInstanceOf(StoreUnavailable);
    await store.close();
  });
  it('gives no answer on that belongs to another question, and drops the connection', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    const [mine, theirs] = [userSession('mine'), userSession('theirs', { subject: 'u_other' })];
    // Another process made them: this one asks a script.
    const elsewhere = new RedisSessionStore(admin);
    for (const session of [mine, theirs]) await elsewhere.create(session, 10, sampleTimeMs);
    // A cancelled read does this to a connection: from then on every caller gets the previous answer.
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const shifted = vi
      .spyOn(redis, 'evalsha')
      .mockImplementationOnce(((sha: string, count: number, _key: string, prefix: string, now: number) =>
        evalsha(
          sha,
          count,
          sessionKey(theirs.tag, theirs.hash),
          prefix,
          now,
          theirs.hash,
          '',
          'packed',
          '*',
        )) as unknown as typeof redis.evalsha);
    await expect(store.resolve(mine, sampleTimeMs, undefined)).rejects.toBeInstanceOf(StoreUnavailable);
    shifted.mockRestore();
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
    await vi.waitFor(() => expect(redis.status).toBe('ready'));
    expect(await store.resolve(mine, sampleTimeMs, undefined)).toMatchObject({ subject: mine.subject });
    await store.close();
  });
  it('does nothing on a server that took over under a living connection, until that was told everything', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    const replayed: string[] = [];
    store.onIncarnationChange(async (which) => {
      replayed.push(which);
      // The database knows that the session is over.
      if (replayed.length > 1) await store.revoke(tombstoneOf(userSession('a')), sampleTimeMs);
    });
    await store.create(userSession('a'), 10, sampleTimeMs);
    expect(replayed).toEqual([await store.incarnation()]);
    expect(await store.resolve(userSession('a'), sampleTimeMs, undefined)).toBeDefined();
    await promote();
    const asked = [1, 2, 3].map(() => store.resolve(userSession('a'), sampleTimeMs, { idleTimeoutMs: 1_000_000 }));
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined]);
    expect(replayed).toHaveLength(2);
    expect(replayed[1]).toBe(await store.incarnation());
    expect(replayed[1]).not.toBe(replayed[0]);
    await store.close();
  });
  it('writes nothing on a server that was not told everything', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    let fail = false;
    store.onIncarnationChange(() => (fail ? Promise.reject(new Error('the database is away')) : Promise.resolve()));
    await store.create(userSession('a'), 10, sampleTimeMs);
    const before = await admin.get(sessionKey(userSession('a').tag, userSession('a').hash));
    fail = true;
    await promote();
    const later = sampleTimeMs + limits.touchIntervalMs;
    await expect(store.resolve(userSession('a'), later, { idleTimeoutMs: 1_000_000 })).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.rotate(userSession('a'), 'next', later, later)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await admin.get(sessionKey(userSession('a').tag, userSession('a').hash))).toBe(before);
    await store.close();
  });
});

it('a refresh that Redis gets to long after its caller gave up moves nothing: the next one is no theft', async () => {
  await admin.flushdb();
  const impatient = new Redis(url, { db: database, commandTimeout: 500, maxRetriesPerRequest: 0 });
  const store = new RedisSessionStore(impatient);
  const session = userSession('late', { mode: 'jwt-denylist' });
  await store.create(session, 10, sampleTimeMs);
  const refresh = (generation: number, nowMs: number) =>
    store.refresh({ key: session, generation, proof: 'none', touch: undefined }, nowMs);
  expect(await refresh(0, sampleTimeMs)).toMatchObject({ verdict: 'rotated' });
  // Like SIGSTOP: the server carries out the commands sent meanwhile afterwards.
  await admin.client('PAUSE', 3_500, 'ALL');
  await expect(refresh(1, sampleTimeMs + 1_000)).rejects.toThrow(StoreUnavailable);
  await admin.ping();
  expect(await refresh(1, sampleTimeMs + 1_000 + limits.refreshGraceMs)).toMatchObject({ verdict: 'rotated', session: { generation: 2 } });
  await store.close();
});
