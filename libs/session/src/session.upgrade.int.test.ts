/**
 * Two layouts on one Redis: data of builds before decision 0037, such a build beside this one, and values that no build can read. Uses logical database
 * 13 of the given server.
 */
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { races } from './contract/session-store.races.contract.ts';
import { HashLayoutStore } from './hash-layout/store.fixture.ts';
import { sessionKey, subjectKey, tombstoneKey } from './keys.ts';
import { day, hashNamed, hour, minute, t0, tombstoneOf, userSession } from './session-store.samples.ts';
import { limits } from './session.limits.ts';
import { hashOf, indexedIn, plantIn } from './session.redis.fixture.ts';
import { pack } from './session.redis.record.ts';
import { RedisSessionStore, type RedisStoreOptions } from './session.store.redis.ts';
import { type SessionRecord, type SessionStore, StoreUnavailable } from './session.store.ts';

const url = process.env['TEST_SESSION_REDIS_URL'] ?? 'redis://127.0.0.1:1';
const database = 13;
const touch = { idleTimeoutMs: limits.user.idleTimeoutMs };

const toClose: Redis[] = [];
async function connect(port?: number, commandTimeout = 1_000): Promise<Redis> {
  const options = {
    db: database,
    commandTimeout,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  const redis = port === undefined ? new Redis(url, options) : new Redis(port, '127.0.0.1', options);
  redis.on('error', () => {});
  toClose.push(redis);
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
  return redis;
}

let admin: Redis;
beforeAll(async () => {
  admin = await connect();
});
beforeEach(() => admin.flushdb());
afterAll(async () => {
  await admin.flushdb();
  for (const redis of toClose) redis.disconnect();
});

const ours = async (options: RedisStoreOptions = {}): Promise<RedisSessionStore> => new RedisSessionStore(await connect(), options);
const before = async (): Promise<HashLayoutStore> => new HashLayoutStore(await connect());
const kindOf = (session: { tag: string; hash: string; subject: string }) =>
  Promise.all([admin.type(sessionKey(session.tag, session.hash)), admin.type(subjectKey(session.tag, session.subject))]);

/** The races of the contract, with neighbouring requests at two builds. */
function racesBetween(make: () => Promise<[SessionStore, SessionStore]>): void {
  let stores: [SessionStore, SessionStore];
  beforeEach(async () => {
    stores = await make();
  });
  races(() => ({
    store: stores[0],
    second: stores[1],
    keys: async () => (await admin.keys('*')).map((key) => ({ key, ttlMs: 1 })),
    indexed: (tag, subject) => indexedIn(admin, tag, subject),
    plant: (key, record) => plantIn(admin, key, record),
    snapshot: () => Promise.reject(new Error('no race rolls back')),
    wipe: async () => void (await admin.flushdb()),
    close: () => Promise.resolve(),
  }));
}

describe('first step: a build of before beside one that is told to write hashes', () => {
  racesBetween(async () => [await ours({ layout: 'hash' }), await before()]);
});
describe('second step: a build that writes hashes beside one that writes strings', () => {
  racesBetween(async () => [await ours(), await ours({ layout: 'hash' })]);
});

describe('data of before', () => {
  const old = userSession('old', { amr: 'pwd otp mfa', device: 'Firefox on Linux', claimedGuestCart: 'g_1', mode: 'jwt-denylist' });
  const record: SessionRecord = { ...old, epoch: 0 };

  it('is read as it was, and stays so until something is written', async () => {
    await (await before()).create(old, 10, t0);
    const store = await ours();
    expect(await store.resolve(old, t0, undefined)).toEqual(record);
    expect(await store.resolve(old, t0, touch), 'once more, with the names known').toEqual(record);
    expect(await store.list(old.tag, old.subject, t0)).toEqual([record]);
    expect(await kindOf(old)).toEqual(['hash', 'hash']);
    expect(await admin.hgetall(sessionKey(old.tag, old.hash))).toMatchObject({ handle: old.handle, amr: old.amr });
  });
  it('becomes a string with the first touch, with all it held and its idle limit as its life', async () => {
    await (await before()).create(old, 10, t0);
    const store = await ours();
    const touched = { ...record, lastSeenAtMs: t0 + minute, idleExpiresAtMs: t0 + minute + day };
    expect(await store.resolve(old, t0 + minute, touch)).toEqual(touched);
    expect(await kindOf(old)).toEqual(['string', 'hash']);
    expect(await admin.pttl(sessionKey(old.tag, old.hash))).toBeGreaterThan(day - minute);
    // Half upgraded: record and index are each read in their own layout.
    expect(await store.resolve(old, t0 + minute, undefined)).toEqual(touched);
    await store.create(userSession('new'), 10, t0 + minute);
    expect(await kindOf(old)).toEqual(['string', 'string']);
    expect(await admin.pttl(subjectKey(old.tag, old.subject))).toBeGreaterThan(limits.user.absoluteTimeoutMs);
    expect(await store.resolve(old, t0 + minute, undefined)).toEqual(touched);
  });
  it('keeps its counter through a refresh, and its person through a rotation', async () => {
    const builds = [await before(), await ours()] as const;
    const refresh = (store: SessionStore, generation: number) =>
      store.refresh({ key: old, generation, proof: 'none', touch: undefined }, t0 + hour);
    await builds[0].create(old, 10, t0);
    expect(await refresh(builds[0], 0)).toMatchObject({ verdict: 'rotated', session: { generation: 1 } });
    expect(await refresh(builds[1], 0)).toMatchObject({ verdict: 'repeated', session: { generation: 1, rotatedAtMs: t0 + hour } });
    expect(await refresh(builds[1], 1)).toMatchObject({ verdict: 'rotated', session: { generation: 2, amr: old.amr } });
    expect(await builds[1].rotate(old, hashNamed('next'), t0 + hour, t0 + hour)).toMatchObject({ generation: 2, handle: old.handle });
    expect(await indexedIn(admin, old.tag, old.subject)).toEqual([hashNamed('next')]);
  });
  it('stays dead: tombstones and epochs of before count', async () => {
    const [then, now] = [await before(), await ours()];
    for (const name of ['a', 'b', 'c']) await then.create(userSession(name, { subject: `u_${name}` }), 10, t0);
    await then.revoke(tombstoneOf(userSession('a', { subject: 'u_a' })), t0);
    const epoch = await then.raiseEpoch(old.tag, 'u_b', undefined, t0);
    expect(await now.create(userSession('a', { subject: 'u_a' }), 10, t0)).toBe('tombstoned');
    expect(await now.create(userSession('b2', { subject: 'u_b', epoch: epoch - 1 }), 10, t0)).toBe('tombstoned');
    expect(await now.raiseEpoch(old.tag, 'u_b', undefined, t0)).toBe(epoch + 1);
    expect(await now.revoke(tombstoneOf(userSession('c', { subject: 'u_c' })), t0)).toMatchObject({ handle: 'handle-c' });
    for (const name of ['a', 'b', 'c']) expect(await now.resolve(userSession(name), t0, undefined)).toBeUndefined();
  });
});

it('in one step, without the setting, a build of before answers errors: it calls no session ended, and ends none that lives', async () => {
  const [now, then] = [await ours(), await before()];
  const session = userSession('a');
  await now.create(session, 10, t0);
  const asked = [
    () => then.resolve(session, t0, touch),
    () => then.rotate(session, hashNamed('next'), t0, t0),
    () => then.create(userSession('b'), 10, t0),
    () => then.revoke(tombstoneOf(session), t0),
    () => then.raiseEpoch(session.tag, session.subject, undefined, t0),
  ];
  for (const ask of asked) await expect(ask()).rejects.toThrow('WRONGTYPE');
  expect(await now.resolve(session, t0, undefined)).toMatchObject({ handle: session.handle });
  // The relay repeats the revocation, until a build that can gets it.
  await now.revoke(tombstoneOf(session), t0);
  expect(await now.resolve(session, t0, undefined)).toBeUndefined();
});

describe('a value that cannot be read', () => {
  const session = userSession('a');
  const key = sessionKey(session.tag, session.hash);
  const index = subjectKey(session.tag, session.subject);
  const unreadable: string[] = [];
  let store: SessionStore;
  beforeEach(async () => {
    unreadable.length = 0;
    store = await ours({ onUnreadable: (why) => unreadable.push(why) });
    await store.create(session, 10, t0);
  });
  const plant: [string, () => Promise<unknown>][] = [
    ['text that is none', () => admin.set(key, 'nonsense', 'PX', 60_000)],
    ['a record cut short', () => admin.set(key, pack({ ...session, epoch: 0 }).slice(0, 100), 'PX', 60_000)],
    ['a number that is none', () => admin.set(key, pack({ ...session, epoch: 0 }).replace(String(t0), 'soon'), 'PX', 60_000)],
    ['a list', () => admin.multi().del(key).rpush(key, 'x').pexpire(key, 60_000).exec()],
    [
      'a hash without a number',
      () =>
        admin
          .multi()
          .del(key)
          .hset(key, { ...hashOf({ ...session, epoch: 0 }), exp: 'x' })
          .exec(),
    ],
  ];
  it.each(plant)('is never a session, is counted, and is gone with the next look at the person: %s', async (_what, damage) => {
    await damage();
    expect(await store.resolve(session, t0, touch)).toBeUndefined();
    expect(unreadable).toEqual(['damaged']);
    expect(await store.rotate(session, hashNamed('next'), t0, t0)).toBeUndefined();
    expect(await store.list(session.tag, session.subject, t0)).toEqual([]);
    expect(await admin.exists(key)).toBe(0);
    expect(await indexedIn(admin, session.tag, session.subject)).toEqual([]);
    expect(await store.create(userSession('b'), 10, t0)).toMatchObject({ session: { handle: 'handle-b' } });
  });
  it('ends the sessions of a person whose index is damaged, and the next sign-in makes a new one', async () => {
    await admin.set(index, 'nonsense', 'PX', 60_000);
    expect(await store.resolve(session, t0, touch)).toBeUndefined();
    expect(unreadable).toEqual(['damaged']);
    expect(await store.create(userSession('b', { epoch: 7 }), 10, t0)).toMatchObject({ session: { epoch: 7 } });
    expect(await store.resolve(session, t0, touch)).toBeUndefined();
    expect(await admin.pttl(index)).toBeGreaterThan(limits.user.absoluteTimeoutMs);
  });
  it('fails, and loses nothing, where a newer build wrote the record: its own replicas can read it', async () => {
    const newer = `2${pack({ ...session, epoch: 0 }).slice(1)}`;
    await admin.set(key, newer, 'PX', 60_000);
    const asked = [
      () => store.resolve(session, t0, touch),
      () => store.rotate(session, hashNamed('next'), t0, t0),
      () => store.create({ ...session, handle: 'handle-b' }, 10, t0),
    ];
    for (const ask of asked) await expect(ask()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(unreadable).toEqual(['newer', 'newer', 'newer']);
    expect(await store.list(session.tag, session.subject, t0)).toEqual([]);
    expect(await admin.get(key)).toBe(newer);
    expect(await indexedIn(admin, session.tag, session.subject)).toEqual([session.hash]);
    await store.revoke(tombstoneOf(session), t0);
    expect(await admin.exists(key)).toBe(0);
  });
  it('buries a session even where a newer build wrote the index, and says that it is not done', async () => {
    await admin.set(index, `2${(await admin.get(index))!.slice(1)}`, 'PX', 60_000);
    await expect(store.revoke(tombstoneOf(session), t0)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await admin.exists(tombstoneKey(session.tag, session.handle))).toBe(1);
    await expect(store.raiseEpoch(session.tag, session.subject, undefined, t0)).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

/** Each race that one script closed while it read and touched. The read is over, and its touch not yet begun. */
describe('between a read and its touch', () => {
  const session = userSession('a');
  const later = t0 + minute;
  const meanwhile: [string, (other: SessionStore) => Promise<unknown>][] = [
    ['the session ends', (other) => other.revoke(tombstoneOf(session), later)],
    ['its token is buried', (other) => other.buryToken(tombstoneOf(session, session.hash), later)],
    ['its epoch is raised', (other) => other.raiseEpoch(session.tag, session.subject, undefined, later)],
    ['its token is rotated', (other) => other.rotate(session, hashNamed('next'), later, later)],
    ['the server lets it expire', () => admin.pexpire(sessionKey(session.tag, session.hash), 0)],
    ['its index is lost', () => admin.del(subjectKey(session.tag, session.subject))],
  ];
  it.each(meanwhile)('%s: it is over, and nothing of it comes back', async (what, change) => {
    const [redis, other] = [await connect(), await ours()];
    const store = new RedisSessionStore(redis);
    await store.create(session, 10, t0);
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const between = vi.spyOn(redis, 'evalsha').mockImplementationOnce(async (...args: unknown[]) => {
      await change(other);
      return evalsha(...args);
    });
    expect(await store.resolve(session, later, touch)).toBeUndefined();
    expect(between).toHaveBeenCalledOnce();
    expect(await store.resolve(session, later, undefined)).toBeUndefined();
    expect(await other.list(session.tag, session.subject, later)).toHaveLength(what === 'its token is rotated' ? 1 : 0);
  });
  it('another touch wins: the limit moves once', async () => {
    const stores = [await ours(), await ours()] as const;
    await stores[0].create(session, 10, t0);
    const both = await Promise.all(stores.map((store, i) => store.resolve(session, later + i, touch)));
    expect(new Set(both.map((one) => one?.lastSeenAtMs)).size).toBe(1);
  });
});

describe('a connection that fails in the midst of a read', () => {
  const session = userSession('a');
  let proxy: TcpProxy;
  let store: SessionStore;
  beforeEach(async () => {
    proxy = await openTcpProxy({ port: Number(new URL(url).port), protocol: 'any' });
    store = new RedisSessionStore(await connect(proxy.port));
    await store.create(session, 10, t0);
  });
  afterEach(() => proxy.close());
  it('is no ended session when it is cut, and works again when it is mended', async () => {
    proxy.hold('answers');
    const asked = [1, 2, 3].map(() => store.resolve(session, t0, undefined));
    const settled = Promise.allSettled(asked);
    proxy.cut();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(asked[0]).rejects.toBeInstanceOf(StoreUnavailable);
    proxy.mend();
    await vi.waitFor(async () => expect(await store.resolve(session, t0, undefined)).toBeDefined());
  });
  it('is no ended session when the answer is lost, and settles within the time-out of one command', async () => {
    const commandTimeoutMs = 6_000;
    store = new RedisSessionStore(await connect(proxy.port, commandTimeoutMs));
    await store.resolve(session, t0, undefined);
    proxy.mute();
    const begun = performance.now();
    await expect(store.resolve(session, t0, undefined)).rejects.toBeInstanceOf(StoreUnavailable);
    // Two commands after each other would take twice as long.
    expect(performance.now() - begun).toBeLessThan(2 * commandTimeoutMs - 100);
  });
  it('waits for a slow answer', async () => {
    proxy.delay(100, 'answers');
    expect(await store.resolve(session, t0, undefined)).toMatchObject({ handle: session.handle });
  });
});
