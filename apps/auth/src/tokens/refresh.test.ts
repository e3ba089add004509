import { create } from '@bufbuild/protobuf';
import {
  LoginRequestSchema,
  LogoutRequestSchema,
  ReauthenticateRequestSchema,
  RefreshRequestSchema,
  topics,
  TokenMode,
  type Problem,
} from '@cloakroom/contracts';
import { limits, type MemoryEntries, MemorySessionStore, readRefreshToken } from '@cloakroom/session';
import { beforeEach, describe, expect, it } from 'vitest';
import { contextOf, guest, type Harness, look, ok, openHarness, outboxOf, password, signUp } from '../auth.harness.ts';
import type { Issued } from './issue-tokens.ts';
import { listDevices } from '../sessions/list-devices.ts';
import { login } from '../sign-in/login.ts';
import { logout } from '../sessions/logout.ts';
import { noticesOf } from '../accounts/notices.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';
import { refresh } from './refresh.ts';
import { raiseEpoch, raiseGlobalEpoch } from '../revocation/epochs.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness();
  await signUp(harness, 'ada@example.com');
});

interface Pair {
  readonly access: string;
  readonly refresh: string;
  readonly handle: string;
  readonly subject: string;
}

const pairOf = (issued: Issued): Pair => ({
  access: issued.accessToken!,
  refresh: issued.refreshToken!,
  handle: issued.session!.handle!,
  subject: issued.session!.subject!,
});

async function signInSelfContained(mode = TokenMode.JWT_DENYLIST, currentToken = ''): Promise<Pair> {
  const request = create(LoginRequestSchema, { email: 'ada@example.com', password, mode, currentToken, remoteAddress: '127.0.0.1' });
  const issued = ok(await login(harness.auth, contextOf(), request));
  expect(issued.token).toBe('');
  return pairOf(issued);
}

const trade = (refreshToken: string, touch = true) =>
  refresh(harness.auth, contextOf(), create(RefreshRequestSchema, { refreshToken, touch }));
const traded = async (refreshToken: string): Promise<Pair> => pairOf(ok(await trade(refreshToken)));
const generationOf = ({ refresh: token }: Pair) => readRefreshToken(token)!.generation;
const ended: Problem = { problem: 'session_ended' };

describe('a session in a jwt mode', () => {
  it('is given a signed statement and what renews it, and no opaque token', async () => {
    const pair = await signInSelfContained(TokenMode.JWT);
    const claims = await harness.auth.accessTokens.verify(pair.access);
    expect(claims).toMatchObject({
      identity: { subject: pair.subject, handle: pair.handle, accessMode: 'jwt' },
      claims: { email: 'ada@example.com', gen: 0 },
    });
    expect(generationOf(pair)).toBe(0);
  });
  it('states the role of its person, for pages to show, as it is at each renewal', async () => {
    const roleIn = async ({ access }: Pair) => {
      const verified = await harness.auth.accessTokens.verify(access);
      return typeof verified === 'string' ? verified : verified.claims.role;
    };
    const setRole = (role: string) => harness.auth.database.updateTable('accounts').set({ role }).execute();
    const plain = await signInSelfContained();
    expect(await roleIn(plain)).toBeUndefined();
    await setRole('admin');
    const promoted = await traded(plain.refresh);
    expect([await roleIn(promoted), await roleIn(await signInSelfContained())]).toEqual(['admin', 'admin']);
    await setRole('');
    expect(await roleIn(await traded(promoted.refresh))).toBeUndefined();
  });
  it('is found by its access token, and told its real state', async () => {
    const pair = await signInSelfContained();
    const answer = await look(harness, pair.access, 'cart');
    expect(answer).toMatchObject({ session: { handle: pair.handle, mode: TokenMode.JWT_DENYLIST } });
    expect(answer.passport).toBeTruthy();
    await logout(harness.auth, contextOf(), create(LogoutRequestSchema, { token: pair.refresh }));
    expect(await look(harness, pair.access, 'cart')).toEqual({});
  });
  it('is not introspected by its refresh token, nor by an access token that has run out', async () => {
    const pair = await signInSelfContained();
    expect(await look(harness, pair.refresh, 'cart')).toEqual({});
    harness.clock.advance(300_000);
    expect(await look(harness, pair.access, 'cart')).toEqual({});
  });
  it('lives beside others of the same person in other modes, and the list of devices says which is which', async () => {
    const pair = await signInSelfContained(TokenMode.JWT);
    await signInSelfContained(TokenMode.JWT_DENYLIST);
    const identity = await harness.auth.accessTokens.verify(pair.access);
    if (typeof identity === 'string') throw new Error(identity);
    const listed = ok(await listDevices(harness.auth, contextOf(identity.identity) as never));
    expect(listed.devices?.map((device) => device.mode).toSorted()).toEqual([TokenMode.HYBRID, TokenMode.JWT, TokenMode.JWT_DENYLIST]);
  });
  it('replaces a guest, whose cart is claimed, and is replaced by the next sign-in of its browser', async () => {
    const { token, subject } = await guest(harness);
    const pair = await signInSelfContained(TokenMode.JWT_DENYLIST, token);
    expect((await look(harness, pair.access)).session).toMatchObject({ claimedGuestCart: subject });
    const next = await signInSelfContained(TokenMode.JWT, pair.refresh);
    expect(await trade(pair.refresh)).toEqual(ended);
    expect((await traded(next.refresh)).handle).toBe(next.handle);
  });
});

describe('a refresh', () => {
  it('gives the next token and a new statement, for as long as the person comes back', async () => {
    let pair = await signInSelfContained();
    for (let generation = 1; generation <= 5; generation++) {
      harness.clock.advance(limits.user.idleTimeoutMs - 1);
      pair = await traded(pair.refresh);
      expect(generationOf(pair)).toBe(generation);
      expect(await harness.auth.accessTokens.verify(pair.access)).toMatchObject({ claims: { gen: generation } });
    }
  });
  it('gives 20 at once one lineage, and signs nobody out', async () => {
    const pair = await signInSelfContained();
    harness.clock.advance(60_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => traded(pair.refresh)));
    expect(new Set(answers.map((answer) => answer.refresh)).size).toBe(1);
    expect(generationOf(answers[0]!)).toBe(1);
    expect(generationOf(await traded(answers[0]!.refresh))).toBe(2);
  });
  it('of a token that was used before ends the session everywhere, once, and tells the person', async () => {
    const pair = await signInSelfContained();
    const next = await traded(pair.refresh);
    harness.clock.advance(limits.refreshGraceMs + 1);
    expect(await trade(pair.refresh)).toEqual(ended);
    expect(await trade(next.refresh), 'the family is over').toEqual(ended);
    expect(await look(harness, next.access)).toEqual({});
    expect(await trade(pair.refresh)).toEqual(ended);
    const rows = await harness.auth.database.selectFrom('revocations').selectAll().where('handle', '=', pair.handle).execute();
    expect(rows).toMatchObject([{ ended: 1 }]);
    expect(await outboxOf(harness, topics.sessionRevocations)).toHaveLength(1);
    expect((await noticesOf(harness.auth.database, pair.subject)).map(({ kind }) => kind)).toContain('refresh_reused');
  });
  it('of a token that never was ours asks no store, and says that it is nobody’s', async () => {
    const pair = await signInSelfContained();
    harness.broken.add('refresh');
    for (const forged of [
      '',
      'r1',
      pair.refresh.replace('.0.', '.1.'),
      `${pair.refresh.slice(0, -1)}${pair.refresh.endsWith('A') ? 'B' : 'A'}`,
    ])
      expect(await trade(forged)).toEqual({ problem: 'session_required' });
  });
  it('finds nothing once the person, or everybody, was signed out', async () => {
    const [one, other] = [await signInSelfContained(), await signInSelfContained()];
    await raiseEpoch(harness.auth, undefined, one.subject);
    expect(await trade(one.refresh)).toEqual(ended);
    const later = await signInSelfContained();
    await raiseGlobalEpoch(harness.auth, undefined);
    expect(await trade(later.refresh)).toEqual(ended);
    expect(await trade(other.refresh)).toEqual(ended);
  });
  it('gives nothing to a disabled account, whatever its sessions still are', async () => {
    const pair = await signInSelfContained();
    await harness.auth.database.updateTable('accounts').set({ disabled: 1 }).where('id', '=', pair.subject).execute();
    expect(await trade(pair.refresh)).toEqual(ended);
  });
  it('goes on after the store was rolled back', async () => {
    const entries: MemoryEntries = new Map();
    harness = await openHarness({ store: new MemorySessionStore({ incarnation: 'one', entries }) });
    await signUp(harness, 'ada@example.com');
    const first = await signInSelfContained();
    const before = structuredClone(entries);
    const third = await traded((await traded(first.refresh)).refresh);
    entries.clear();
    for (const [key, entry] of before) entries.set(key, entry);
    const next = await traded(third.refresh);
    expect(generationOf(next)).toBe(3);
    harness.clock.advance(limits.refreshGraceMs + 1);
    expect(await trade(first.refresh), 'and still knows a copy').toEqual(ended);
  });
});

it('a logout of a session that the store has lost is heard by all, once, and holds when the store finds it again', async () => {
  const entries: MemoryEntries = new Map();
  harness = await openHarness({ store: new MemorySessionStore({ incarnation: 'one', entries }) });
  await signUp(harness, 'ada@example.com');
  const pair = await signInSelfContained();
  const kept = structuredClone(entries);
  entries.clear();
  for (let times = 0; times < 2; times++) await logout(harness.auth, contextOf(), create(LogoutRequestSchema, { token: pair.refresh }));
  const announced = (await outboxOf(harness, topics.sessionRevocations)).map(({ event }) => JSON.parse(event) as object);
  expect(announced).toMatchObject([{ sessionRevoked: { handle: pair.handle, ended: true } }]);
  for (const [key, entry] of kept) entries.set(key, entry);
  expect(await trade(pair.refresh)).toEqual(ended);
  expect(await look(harness, pair.access)).toEqual({});
});

describe('a proof', () => {
  const prove = async (pair: Pair) => {
    const verified = await harness.auth.accessTokens.verify(pair.access);
    if (typeof verified === 'string') throw new Error(verified);
    const request = create(ReauthenticateRequestSchema, { password, token: pair.refresh, remoteAddress: '127.0.0.1' });
    return reauthenticate(harness.auth, contextOf(verified.identity) as never, request);
  };
  it('gives a successor that the predecessor is refused, within the grace too, without ending the session', async () => {
    const pair = await signInSelfContained();
    harness.clock.advance(60_000);
    const proven = pairOf(ok(await prove(pair)));
    expect(generationOf(proven)).toBe(1);
    expect(await trade(pair.refresh)).toEqual(ended);
    expect((await noticesOf(harness.auth.database, pair.subject)).map(({ kind }) => kind)).not.toContain('refresh_reused');
    const next = await traded(proven.refresh);
    expect(await harness.auth.accessTokens.verify(next.access)).toMatchObject({
      identity: { authenticatedAtMs: harness.clock.nowMs(), handle: pair.handle },
    });
  });
  it('is announced by its date, and the token that it gave is not older', async () => {
    const pair = await signInSelfContained();
    harness.clock.advance(61_234);
    const proven = pairOf(ok(await prove(pair)));
    const [row] = await outboxOf(harness, topics.sessionRevocations);
    const { revokedAtMs, ended: over, tokenHash } = (JSON.parse(row!.event) as { sessionRevoked: Record<string, string> }).sessionRevoked;
    expect([over, tokenHash, row!.tag]).toEqual([undefined, undefined, '']);
    const verified = await harness.auth.accessTokens.verify(proven.access);
    if (typeof verified === 'string') throw new Error(verified);
    expect(verified.identity.issuedAtMs).toBe(Number(revokedAtMs));
  });
  it('needs the refresh token: an access token, which is shown to every service, renews nothing', async () => {
    const pair = await signInSelfContained();
    expect(await prove({ ...pair, refresh: pair.access })).toEqual(ended);
    const other = await signInSelfContained();
    expect(await prove({ ...pair, refresh: other.refresh }), 'that of another session').toEqual(ended);
  });
});
