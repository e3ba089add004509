import { create } from '@bufbuild/protobuf';
import { isProblem, LoginRequestSchema, TokenMode, topics } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { contextOf, guest, look, ok, openHarness, outboxOf, password, signIn, signUp } from '../auth.harness.ts';
import { raiseEpoch } from '../revocation/epochs.ts';
import { finishClaims } from './finish-claims.ts';
import { login } from './login.ts';

const email = 'ada@example.com';
const claims = async (harness: Awaited<ReturnType<typeof openHarness>>) =>
  (await outboxOf(harness)).map((row) => row.event).filter((event) => event.includes('guestClaimed'));

async function withAccount() {
  const harness = await openHarness();
  ok(await signUp(harness, email));
  return harness;
}

it('gives a new token, claims the guest cart and kills the guest session', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  const { token, session } = ok(await signIn(harness, email, before.token));
  expect(token).not.toBe(before.token);
  expect(session).toMatchObject({ email, claimedGuestCart: before.subject });
  expect((await look(harness, token!)).session).toMatchObject({ email, claimedGuestCart: before.subject });
  expect((await look(harness, before.token)).session).toBeUndefined();
  expect(await claims(harness)).toEqual([expect.stringContaining(before.subject)]);
  expect(await outboxOf(harness, topics.sessionRevocations)).toMatchObject([{ record_key: before.subject }]);
});

it('refuses a mode that the operator leaves out, whoever knows the password, and begins no session', async () => {
  const harness = await withAccount();
  // The modes of a shop that others reach.
  const auth = { ...harness.auth, allowedModes: ['reference', 'hybrid', 'jwt-denylist'] as const };
  const asking = (mode: TokenMode) =>
    login(auth, contextOf(), create(LoginRequestSchema, { email, password, mode, remoteAddress: '127.0.0.1' }));
  expect(await asking(TokenMode.JWT)).toEqual({ problem: 'invalid_request', detail: 'mode: is not allowed here' });
  expect(ok(await asking(TokenMode.JWT_DENYLIST)).session?.mode).toBe(TokenMode.JWT_DENYLIST);
});

it('ends the old session of a browser that was signed in', async () => {
  const harness = await withAccount();
  const first = ok(await signIn(harness, email));
  const second = ok(await signIn(harness, email, first.token));
  expect((await look(harness, first.token!)).session).toBeUndefined();
  expect((await look(harness, second.token!)).session).toBeDefined();
  expect(await claims(harness)).toEqual([]);
});

it('changes nothing when a login is replayed, and says again what it claimed', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  ok(await signIn(harness, email, before.token));
  const replayed = ok(await signIn(harness, email, before.token));
  expect(replayed.session).toMatchObject({ claimedGuestCart: before.subject });
  expect(await claims(harness)).toHaveLength(1);
});

it('gives one guest cart to exactly one of two users who sign in with it at once', async () => {
  const harness = await withAccount();
  ok(await signUp(harness, 'grace@example.com'));
  const before = await guest(harness);
  const answers = await Promise.all([signIn(harness, email, before.token), signIn(harness, 'grace@example.com', before.token)]);
  const claimed = answers.map((answer) => ok(answer).session?.claimedGuestCart);
  expect(new Set(claimed)).toEqual(new Set(['', before.subject]));
  expect(await claims(harness)).toHaveLength(1);
});

it('lets nobody claim by a guest token that died without a claim', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  harness.clock.advance(8 * 24 * 60 * 60 * 1000);
  expect(ok(await signIn(harness, email, before.token)).session).toMatchObject({ claimedGuestCart: '' });
  expect(await claims(harness)).toEqual([]);
});

it.each(['', 'v1.local.0000.AAAA.BBBB', 'nonsense'])('ignores a current token that never was ours: %j', async (token) => {
  const harness = await withAccount();
  expect(ok(await signIn(harness, email, token)).session).toMatchObject({ claimedGuestCart: '' });
});

it('leaves the guest everything when the store fails before the session is created, and resumes', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  harness.broken.add('create');
  await expect(signIn(harness, email, before.token)).rejects.toThrow('away');
  expect((await look(harness, before.token)).session).toMatchObject({ subject: before.subject });
  expect(await finishClaimsLater(harness)).toBe(0);
  harness.broken.clear();
  expect(ok(await signIn(harness, email, before.token)).session).toMatchObject({ claimedGuestCart: before.subject });
  expect(await claims(harness)).toHaveLength(1);
  expect((await look(harness, before.token)).session).toBeUndefined();
});

it('finishes a sign-in that broke after the session was created, whoever comes back or nobody', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  // The process dies between the two steps, so neither the row nor the store says that the guest's session is dead.
  const { commit } = harness.auth.outbox;
  let commits = 0;
  const dying = { ...harness.auth, outbox: { ...harness.auth.outbox, commit: failing } };
  function failing(change: Parameters<typeof commit>[0]): Promise<never> {
    commits += 1;
    if (commits > 1) throw new Error('the process died');
    return commit(change) as Promise<never>;
  }
  await expect(signIn({ ...harness, auth: dying }, email, before.token)).rejects.toThrow('died');
  expect((await look(harness, before.token)).session).toBeDefined();
  expect(await finishClaims(harness.auth)).toBe(0);
  expect(await finishClaimsLater(harness)).toBe(1);
  expect((await look(harness, before.token)).session).toBeUndefined();
  expect(await finishClaimsLater(harness)).toBe(0);
});

it('has recorded the guest session as dead even when the store could not be told', async () => {
  const harness = await withAccount();
  const before = await guest(harness);
  harness.broken.add('revoke');
  await expect(signIn(harness, email, before.token)).rejects.toThrow('away');
  expect(await harness.auth.database.selectFrom('revocations').selectAll().execute()).toMatchObject([
    { subject: before.subject, ended: 1 },
  ]);
  expect(await outboxOf(harness, topics.sessionRevocations)).toMatchObject([{ applied: 0, published: 0 }]);
});

it('answers an unknown account as it answers a wrong password, at the cost of one hash', async () => {
  const verified: string[] = [];
  const harness = await openHarness({
    argon2: {
      hash: (text) => Promise.resolve(`hash of ${text}`),
      verify: (hash, text) => {
        verified.push(hash);
        return Promise.resolve(hash === `hash of ${text}`);
      },
    },
  });
  ok(await signUp(harness, email));
  expect(await signIn(harness, email, '', 'wrong password')).toEqual({ problem: 'invalid_credentials' });
  expect(await signIn(harness, 'nobody@example.com', '', 'wrong password')).toEqual({ problem: 'invalid_credentials' });
  // Also with the one password that matches the dummy hash.
  expect(await signIn(harness, 'nobody@example.com', '', 'no account has this password')).toEqual({ problem: 'invalid_credentials' });
  expect(verified).toHaveLength(3);
});

it('knows an e-mail by its normal form', async () => {
  const harness = await withAccount();
  expect(ok(await signIn(harness, '  ADA@Example.COM ')).session).toMatchObject({ email });
  expect(await signIn(harness, 'not an address')).toMatchObject({ problem: 'invalid_request' });
});

it('ends the session idle longest when there is an eleventh, and says so', async () => {
  const harness = await openHarness();
  const tokens: string[] = [ok(await signUp(harness, email)).token!];
  for (let i = 1; i < 10; i += 1) {
    harness.clock.advance(1_000);
    const { token, endedOldest } = ok(await signIn(harness, email));
    expect(endedOldest).toBe(false);
    tokens.push(token!);
  }
  harness.clock.advance(1_000);
  expect(ok(await signIn(harness, email)).endedOldest).toBe(true);
  expect((await look(harness, tokens[0]!)).session).toBeUndefined();
  expect((await look(harness, tokens[1]!)).session).toBeDefined();
  expect(await outboxOf(harness, topics.sessionRevocations)).toHaveLength(1);
});

it('ends no other device when the browser that signs in again is the tenth', async () => {
  const harness = await openHarness();
  const tokens: string[] = [ok(await signUp(harness, email)).token!];
  for (let i = 1; i < 10; i += 1) {
    harness.clock.advance(1_000);
    tokens.push(ok(await signIn(harness, email)).token!);
  }
  harness.clock.advance(1_000);
  expect(ok(await signIn(harness, email, tokens[9])).endedOldest).toBe(false);
  expect((await look(harness, tokens[0]!)).session).toBeDefined();
});

it('stops guessing after ten failures, later and later, but not the owner on a signed-in device', async () => {
  const harness = await openHarness();
  const owner = ok(await signUp(harness, email)).token!;
  for (let i = 0; i < 10; i += 1) expect(await signIn(harness, email, '', 'wrong')).toEqual({ problem: 'invalid_credentials' });
  expect(harness.slept).toEqual([0, 0, 0, 100, 200, 400, 800, 1_600, 1_600, 1_600]);
  expect(await signIn(harness, email, '', password)).toMatchObject({ problem: 'too_many_attempts', retryAfterS: expect.any(Number) });
  expect(ok(await signIn(harness, email, owner, password)).session).toMatchObject({ email });
});

it('counts only failures', async () => {
  const harness = await withAccount();
  for (let i = 0; i < 30; i += 1) ok(await signIn(harness, email));
});

async function finishClaimsLater(harness: Awaited<ReturnType<typeof openHarness>>): Promise<number> {
  harness.clock.advance(60_000);
  return finishClaims(harness.auth);
}

it('does not survive a revoke-all that came while the password was compared', async () => {
  let meanwhile = () => Promise.resolve(0);
  const harness = await openHarness({
    argon2: { hash: (secret) => Promise.resolve(secret), verify: async (hash, secret) => (await meanwhile(), hash === secret) },
  });
  const { session } = ok(await signUp(harness, email));
  meanwhile = () => raiseEpoch(harness.auth, undefined, session!.subject!);
  const answer = await signIn(harness, email);
  expect(isProblem(answer) && answer.problem).toBe('session_ended');
});
