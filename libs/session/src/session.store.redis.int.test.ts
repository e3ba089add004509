/** The contract on a real Redis, and what only a real connection can get wrong. Uses logical database 15 of the given server. */
import { sampleTimeMs, sessionStoreContract, tombstoneOf, userSession } from '@cloakroom/testing';
import type { SessionStoreUnderTest } from '@cloakroom/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sessionKey, subjectKey } from './keys.ts';
import { limits } from './session.limits.ts';
import { recordFields, scripts } from './session.scripts.ts';
import { RedisSessionStore } from './session.store.redis.ts';
import type { SessionRecord } from './session.store.ts';
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
  await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 5_000 });
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
    indexed: async (tag, subject) => {
      const { epoch: _, ...hashes } = await admin.hgetall(subjectKey(tag, subject));
      return Object.values(hashes);
    },
    plant: async (key, record) =>
      void (await admin
        .multi()
        .hset(sessionKey(key.tag, key.hash), fieldsOf(record))
        .pexpire(sessionKey(key.tag, key.hash), 60_000)
        .exec()),
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

function fieldsOf(r: SessionRecord): Record<string, string | number> {
  const values = [
    r.hash,
    r.tag,
    r.handle,
    r.subject,
    r.state,
    r.mode,
    r.epoch,
    r.globalEpoch,
    r.createdAtMs,
    r.authenticatedAtMs,
    r.lastSeenAtMs,
    r.idleExpiresAtMs,
  ];
  return Object.fromEntries(
    [...values, r.expiresAtMs, r.device, r.claimedGuestCart, r.region].map((value, i) => [recordFields[i]!, value]),
  );
}

sessionStoreContract('Redis', make);

describe('on a real Redis', () => {
  it('keeps records and indexes in the compact encoding at their longest', async () => {
    const { store, close } = await make({});
    const long = 'x'.repeat(64);
    for (let i = 0; i < 10; i++)
      await store.create(userSession(`${i}`, { subject: long, device: long, claimedGuestCart: long, region: long }), 10, sampleTimeMs);
    for (const key of await admin.keys('*')) expect(await admin.object('ENCODING', key), `encoding of ${key}`).toBe('listpack');
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
  it('asks the server for one call an operation, and each of its keys is in one slot', async () => {
    const { store, close } = await make({});
    await store.create(userSession('a'), 10, sampleTimeMs);
    const slots = await Promise.all((await admin.keys('*')).map((key) => slotOf(key)));
    expect(new Set(slots).size).toBe(1);
    const sent = vi.spyOn(Redis.prototype, 'sendCommand');
    await store.resolve(userSession('a'), sampleTimeMs + 120_000, { idleTimeoutMs: 1_000_000 });
    expect(sent.mock.calls.map(([command]) => command.name)).toEqual(['evalsha']);
    sent.mockRestore();
    await close();
  });
  it('cannot reach into another slot with any script', () => {
    for (const lua of Object.values(scripts)) expect(lua).toMatch(/^#!lua( flags=allow-oom)?\n/);
  });
});

/** The tag alone decides (Redis Cluster specification, "hash tags"); asked of the server where it knows the command. */
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
    for (const session of [mine, theirs]) await store.create(session, 10, sampleTimeMs);
    // What a cancelled read does to a connection: from then on everybody gets the answer before his own.
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const shifted = vi
      .spyOn(redis, 'evalsha')
      .mockImplementationOnce(((sha: string, count: number, _key: string, prefix: string, now: number) =>
        evalsha(sha, count, sessionKey(theirs.tag, theirs.hash), prefix, now, theirs.hash, '')) as unknown as typeof redis.evalsha);
    await expect(store.resolve(mine, sampleTimeMs, undefined)).rejects.toBeInstanceOf(StoreUnavailable);
    shifted.mockRestore();
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
    await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 5_000 });
    expect(await store.resolve(mine, sampleTimeMs, undefined)).toMatchObject({ subject: mine.subject });
    await store.close();
  });
  it('asks again which server it is after every reconnect, before it trusts an answer, and replays only to another one', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    const replayed: string[] = [];
    const pretended: string[] = [];
    const info = redis.info.bind(redis) as (...args: unknown[]) => Promise<string>;
    vi.spyOn(redis, 'info').mockImplementation((async (...args: unknown[]) => {
      const text = await info(...args);
      return pretended[0] === undefined ? text : text.replace(/run_id:\S+/, `run_id:${pretended[0]}`);
    }) as unknown as typeof redis.info);
    store.onIncarnationChange(async (which) => void replayed.push(which));
    const reconnect = async () => {
      redis.disconnect(true);
      await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
      await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 5_000 });
    };
    await store.list('0abc', 'u_person', sampleTimeMs);
    await store.list('0abc', 'u_person', sampleTimeMs);
    expect(replayed).toEqual([await store.incarnation()]);
    await reconnect();
    await store.list('0abc', 'u_person', sampleTimeMs);
    expect(replayed).toHaveLength(1);
    pretended.push('restarted');
    await reconnect();
    await Promise.all([store.list('0abc', 'u_person', sampleTimeMs), store.resolve(userSession('a'), sampleTimeMs, undefined)]);
    expect(replayed).toHaveLength(2);
    expect(replayed[1]).toMatch(/^restarted\./);
    await store.close();
  });
  it('believes no answer that was under way when the connection changed', async () => {
    const redis = await connect();
    const store = new RedisSessionStore(redis);
    await store.create(userSession('a'), 10, sampleTimeMs);
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const slow = vi.spyOn(redis, 'evalsha').mockImplementationOnce((async (...args: unknown[]) => {
      const answer = await evalsha(...args);
      redis.emit('close');
      return answer;
    }) as unknown as typeof redis.evalsha);
    await expect(store.resolve(userSession('a'), sampleTimeMs, undefined)).rejects.toBeInstanceOf(StoreUnavailable);
    slow.mockRestore();
    expect(await store.resolve(userSession('a'), sampleTimeMs, undefined)).toBeDefined();
    await store.close();
  });
});
