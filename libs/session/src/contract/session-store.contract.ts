/**
 * The contract of every session store, run against each adapter: `sessionStoreContract('Redis', make)`. The races are in
 * session-store.races.contract.ts, random histories in session-store.histories.contract.ts.
 */
import type { SessionRecord } from '../index.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kept, rolledBack } from './session-store.durability.contract.ts';
import { histories } from './session-store.histories.contract.ts';
import { races } from './session-store.races.contract.ts';
import { refreshes } from './session-store.refreshes.contract.ts';
import type { MakeSessionStore, SessionStoreUnderTest, Under } from '../session-store.samples.ts';
import { day, hashNamed, hour, life, minute, tombstoneOf, t0, userSession } from '../session-store.samples.ts';

export function sessionStoreContract(name: string, make: MakeSessionStore): void {
  describe(`session store: ${name}`, () => {
    let current: SessionStoreUnderTest;
    beforeEach(async () => {
      current = await make({});
    });
    afterEach(() => current.close());
    const under: Under = () => current;
    describe('a life', () => {
      lives(under);
    });
    describe('limits of time', () => {
      timeLimits(under);
    });
    describe('parallel sessions', () => {
      parallelSessions(under);
    });
    describe('rotation', () => {
      rotations(under);
    });
    describe('refresh', () => {
      refreshes(under);
    });
    describe('revocation', () => {
      revocations(under);
    });
    describe('epochs', () => {
      epochs(under);
    });
    describe('a store that lost writes', () => {
      rolledBack(under);
    });
    describe('what is kept', () => {
      kept(under, make);
    });
    describe('races', () => {
      races(under);
    });
    describe('histories', () => {
      histories(under);
    });
  });
}

function lives(under: Under): void {
  it('gives back what was created', async () => {
    const session = userSession('a', {
      device: 'Firefox on Linux',
      claimedGuestCart: 'g_1',
      mode: 'reference',
      globalEpoch: 7,
      amr: 'pwd otp mfa',
    });
    const expected = { ...session, epoch: 0 };
    expect(await under().store.create(session, 10, t0)).toEqual({ session: expected, ended: [] });
    expect(await under().second.resolve(session, t0, undefined)).toEqual(expected);
    expect(await under().store.list(session.tag, session.subject, t0)).toEqual([expected]);
  });
  it('knows no token that it was not given', async () => {
    await under().store.create(userSession('a'), 10, t0);
    expect(await under().store.resolve({ tag: userSession('a').tag, hash: hashNamed('b') }, t0, undefined)).toBeUndefined();
    expect(await under().store.resolve({ tag: 'ffff', hash: hashNamed('a') }, t0, undefined)).toBeUndefined();
    expect(await under().store.list('ffff', 'u_nobody', t0)).toEqual([]);
  });
  it('refuses a record that does not hold its own hash', async () => {
    const { session: mine } = (await under().store.create(userSession('mine'), 10, t0)) as { session: SessionRecord };
    await under().plant(mine, { ...mine, hash: hashNamed('other') });
    expect(await under().store.resolve(mine, t0, { idleTimeoutMs: day })).toBeUndefined();
    expect(await under().store.list(mine.tag, mine.subject, t0)).toEqual([]);
  });
  it('refuses a session that its person does not list: what lost its index, and so its epoch, is dead', async () => {
    const unlisted = { ...userSession('a'), epoch: 0 };
    await under().plant(unlisted, unlisted);
    expect(await under().store.resolve(unlisted, t0, { idleTimeoutMs: day })).toBeUndefined();
    await under().store.create(userSession('b'), 10, t0);
    expect(await under().store.resolve(unlisted, t0, { idleTimeoutMs: day }), 'an index that lists another').toBeUndefined();
    expect(await under().store.rotate(unlisted, hashNamed('next'), t0, t0)).toBeUndefined();
  });
  it('refuses a record under the hash of another token', async () => {
    const mine = userSession('mine');
    const { session: other } = (await under().store.create(userSession('other', { subject: 'u_other' }), 10, t0)) as {
      session: SessionRecord;
    };
    await under().plant(mine, other);
    expect(await under().store.resolve(mine, t0, undefined)).toBeUndefined();
    expect(await under().store.rotate(mine, hashNamed('next'), t0, t0)).toBeUndefined();
    expect(await under().store.resolve(other, t0, undefined)).toEqual(other);
  });
  it('cuts a device label to 64 bytes at the boundary of a character', async () => {
    const session = userSession('a', { device: `${'x'.repeat(62)}ñandú` });
    await under().store.create(session, 10, t0);
    expect((await under().store.resolve(session, t0, undefined))?.device).toBe(`${'x'.repeat(62)}ñ`);
    const emoji = userSession('b', { device: `${'x'.repeat(62)}🧥` });
    await under().store.create(emoji, 10, t0);
    expect((await under().store.resolve(emoji, t0, undefined))?.device).toBe('x'.repeat(62));
  });
  it('refuses any other field of more than 64 bytes, and a session that would be born expired', async () => {
    const long = 'x'.repeat(65);
    for (const field of ['handle', 'subject', 'region', 'claimedGuestCart', 'hash'] as const) {
      await expect(under().store.create(userSession('a', { [field]: long }), 10, t0)).rejects.toThrow(RangeError);
    }
    await expect(under().store.create(userSession('a', { idleExpiresAtMs: t0 }), 10, t0)).rejects.toThrow(RangeError);
    expect(await under().keys(t0)).toEqual([]);
  });
  it('creates once when a saga repeats itself, and ends nobody twice', async () => {
    const first = await under().store.create(userSession('a'), 10, t0);
    expect(await under().store.create(userSession('a'), 10, t0 + 5)).toEqual(first);
    expect(await under().store.list(userSession('a').tag, userSession('a').subject, t0 + 5)).toHaveLength(1);
  });
  it('replaces the token when a saga resumes without the first one', async () => {
    const again = userSession('a', { hash: hashNamed('a2') });
    await under().store.create(userSession('a'), 10, t0);
    await under().store.create(again, 10, t0 + 5);
    expect(await under().store.resolve(userSession('a'), t0 + 5, undefined)).toBeUndefined();
    expect((await under().store.list(again.tag, again.subject, t0 + 5)).map((s) => s.hash)).toEqual([again.hash]);
  });
}

function timeLimits(under: Under): void {
  const touch = { idleTimeoutMs: life.idleTimeoutMs };
  it('moves the idle limit at most once a minute', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    expect(await under().store.resolve(session, t0 + minute - 1, touch)).toMatchObject({ lastSeenAtMs: t0, idleExpiresAtMs: t0 + day });
    expect(await under().store.resolve(session, t0 + minute, touch)).toMatchObject({
      lastSeenAtMs: t0 + minute,
      idleExpiresAtMs: t0 + minute + day,
    });
    expect(await under().store.resolve(session, t0 + 2 * minute - 1, touch)).toMatchObject({ lastSeenAtMs: t0 + minute });
  });
  it('does not move the idle limit when nobody did anything', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    expect(await under().store.resolve(session, t0 + 23 * hour, undefined)).toMatchObject({ lastSeenAtMs: t0, idleExpiresAtMs: t0 + day });
    expect(await under().store.resolve(session, t0 + day, undefined)).toBeUndefined();
  });
  it('never moves the idle limit past the absolute limit', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    let now = t0;
    for (; now + 20 * hour < session.expiresAtMs; now += 20 * hour) expect(await under().store.resolve(session, now, touch)).toBeDefined();
    expect(await under().store.resolve(session, now, touch)).toMatchObject({ idleExpiresAtMs: session.expiresAtMs });
    expect(await under().store.resolve(session, session.expiresAtMs - 1, touch)).toBeDefined();
    expect(await under().store.resolve(session, session.expiresAtMs, touch)).toBeUndefined();
  });
  it('does not list, touch, rotate or count what has expired', async () => {
    const session = userSession('a');
    await under().store.create(session, 1, t0);
    const late = t0 + day;
    expect(await under().store.resolve(session, late, touch)).toBeUndefined();
    expect(await under().store.rotate(session, hashNamed('next'), late, late)).toBeUndefined();
    expect(await under().store.revoke(tombstoneOf(session), late)).toBeUndefined();
    expect(await under().store.create(userSession('b', {}, late), 1, late)).toMatchObject({ ended: [] });
    expect((await under().store.list(session.tag, session.subject, late)).map((s) => s.handle)).toEqual(['handle-b']);
    expect(await under().indexed(session.tag, session.subject)).toEqual([hashNamed('b')]);
  });
}

function parallelSessions(under: Under): void {
  it('ends the one idle longest when an 11th begins, and says which', async () => {
    for (let i = 0; i < 10; i++) await under().store.create(userSession(`${i}`, {}, t0 + i), 10, t0 + i);
    // The oldest two come back to life, so the third is now the one idle longest.
    for (const i of [0, 1]) await under().store.resolve(userSession(`${i}`), t0 + hour, { idleTimeoutMs: day });
    const created = await under().store.create(userSession('new', {}, t0 + hour), 10, t0 + hour);
    expect(created).toMatchObject({ session: { handle: 'handle-new' }, ended: [{ handle: 'handle-2' }] });
    expect(await under().store.resolve(userSession('2'), t0 + hour, undefined)).toBeUndefined();
    expect(await under().store.list(userSession('2').tag, userSession('2').subject, t0 + hour)).toHaveLength(10);
    expect(await under().store.create(userSession('2'), 10, t0 + hour)).toBe('tombstoned');
  });
  it('lists the newest activity first', async () => {
    for (const [i, name] of ['a', 'b', 'c'].entries()) await under().store.create(userSession(name, {}, t0 + i), 10, t0 + i);
    await under().store.resolve(userSession('a'), t0 + hour, { idleTimeoutMs: day });
    const listed = await under().store.list(userSession('a').tag, userSession('a').subject, t0 + hour);
    expect(listed.map((s) => s.handle)).toEqual(['handle-a', 'handle-c', 'handle-b']);
  });
  it('keeps two persons of one shard apart', async () => {
    await under().store.create(userSession('a'), 1, t0);
    expect(await under().store.create(userSession('b', { subject: 'u_other' }), 1, t0)).toMatchObject({ ended: [] });
    await under().store.raiseEpoch(userSession('a').tag, 'u_other', undefined, t0);
    expect(await under().store.resolve(userSession('a'), t0, undefined)).toBeDefined();
    expect(await under().store.resolve(userSession('b'), t0, undefined)).toBeUndefined();
  });
}

function rotations(under: Under): void {
  it('replaces the token, keeps the session, and buries the old token', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    const rotated = await under().store.rotate(session, hashNamed('a2'), t0 + hour, t0 + hour);
    expect(rotated).toEqual({ ...session, epoch: 0, hash: hashNamed('a2'), authenticatedAtMs: t0 + hour });
    expect(await under().store.resolve(session, t0 + hour, undefined)).toBeUndefined();
    expect(await under().store.resolve(rotated!, t0 + hour, undefined)).toEqual(rotated);
    expect((await under().keys(t0 + hour)).map(({ key }) => key)).toContain(`{${session.tag}}:t:${session.hash}`);
  });
  it('refuses a successor that is dead, taken, or the token itself', async () => {
    const [a, b] = [userSession('a'), userSession('b')];
    await under().store.create(a, 10, t0);
    await under().store.create(b, 10, t0);
    await under().store.buryToken(tombstoneOf(a, hashNamed('dead')), t0);
    for (const successor of [hashNamed('dead'), b.hash, a.hash]) expect(await under().store.rotate(a, successor, t0, t0)).toBeUndefined();
    expect(await under().store.resolve(a, t0, undefined)).toBeDefined();
  });
}

function revocations(under: Under): void {
  it('ends a session by its handle, whatever its token is by now, and once', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    await under().store.rotate(session, hashNamed('a2'), t0, t0);
    expect(await under().store.revoke(tombstoneOf(session), t0)).toMatchObject({ hash: hashNamed('a2') });
    expect(await under().store.revoke(tombstoneOf(session), t0)).toBeUndefined();
    expect(await under().store.resolve({ ...session, hash: hashNamed('a2') }, t0, undefined)).toBeUndefined();
    expect(await under().store.list(session.tag, session.subject, t0)).toEqual([]);
    expect(await under().indexed(session.tag, session.subject)).toEqual([]);
  });
  it('keeps a tombstone until the absolute limit, and never shortens it', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    const left = async () => (await under().keys(t0)).find(({ key }) => key.endsWith(':t:handle-a'))?.ttlMs ?? 0;
    await under().store.revoke({ ...tombstoneOf(session), untilMs: t0 + minute }, t0);
    expect(await left()).toBeGreaterThan(life.absoluteTimeoutMs - minute);
    await under().store.revoke({ ...tombstoneOf(session), untilMs: t0 + minute }, t0);
    expect(await left()).toBeGreaterThan(life.absoluteTimeoutMs - minute);
    await under().store.revoke({ ...tombstoneOf(session), untilMs: t0 + 2 * life.absoluteTimeoutMs }, t0);
    expect(await left()).toBeGreaterThan(life.absoluteTimeoutMs);
  });
  it('buries one token and leaves the session to its successor', async () => {
    const session = userSession('a');
    await under().store.create(session, 10, t0);
    await under().store.rotate(session, hashNamed('a2'), t0, t0);
    await under().store.buryToken(tombstoneOf(session, session.hash), t0);
    expect(await under().store.resolve({ ...session, hash: hashNamed('a2') }, t0, undefined)).toBeDefined();
    await under().store.buryToken(tombstoneOf(session, hashNamed('a2')), t0);
    expect(await under().store.list(session.tag, session.subject, t0)).toEqual([]);
  });
}

function epochs(under: Under): void {
  const { tag, subject } = userSession('a');
  it('rises by at least one and to at least the time, and never falls', async () => {
    const raise = (epoch: number | undefined, now: number) => under().store.raiseEpoch(tag, subject, epoch, now);
    expect(await raise(undefined, t0)).toBe(t0);
    expect(await raise(undefined, t0)).toBe(t0 + 1);
    expect(await raise(undefined, t0 - hour)).toBe(t0 + 2);
    expect(await raise(t0, t0)).toBe(t0 + 2);
    expect(await raise(t0 + 9, t0)).toBe(t0 + 9);
    expect(await raise(t0 + 9, t0)).toBe(t0 + 9);
  });
  it('kills every session created before a raise and none created after', async () => {
    for (const name of ['a', 'b']) await under().store.create(userSession(name), 10, t0);
    const epoch = await under().store.raiseEpoch(tag, subject, undefined, t0);
    expect((await under().keys(t0)).filter(({ key }) => key.includes(':s:'))).toEqual([]);
    expect(await under().store.create(userSession('c'), 10, t0)).toMatchObject({ session: { epoch }, ended: [] });
    expect(await under().store.resolve(userSession('a'), t0, undefined)).toBeUndefined();
    expect((await under().store.list(tag, subject, t0)).map((s) => s.handle)).toEqual(['handle-c']);
    expect(await under().indexed(tag, subject)).toEqual([hashNamed('c')]);
  });
  it('creates nothing for a sign-in that was proved before the raise', async () => {
    const epoch = await under().store.raiseEpoch(tag, subject, undefined, t0);
    expect(await under().store.create(userSession('a', { epoch: epoch - 1 }), 10, t0)).toBe('tombstoned');
    expect(await under().store.create(userSession('b', { epoch }), 10, t0)).toMatchObject({ session: { epoch } });
  });
  it('learns a higher epoch from a sign-in, when the store had lost it', async () => {
    await under().store.create(userSession('a'), 10, t0);
    await under().store.create(userSession('b', { epoch: t0 }), 10, t0);
    expect((await under().store.list(tag, subject, t0)).map((s) => s.handle)).toEqual(['handle-b']);
    expect(await under().store.raiseEpoch(tag, subject, 0, t0)).toBe(t0);
  });
  it('outlives the absolute limit and is renewed at each create', async () => {
    const left = async (now: number) => (await under().keys(now)).find(({ key }) => key.includes(':u:'))?.ttlMs ?? 0;
    await under().store.raiseEpoch(tag, subject, undefined, t0);
    expect(await left(t0)).toBeGreaterThan(life.absoluteTimeoutMs);
    const later = t0 + 20 * day;
    await under().store.create(userSession('a', {}, later), 10, later);
    expect(await left(later)).toBeGreaterThan(life.absoluteTimeoutMs);
  });
}
