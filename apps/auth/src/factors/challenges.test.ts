import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { openHarness } from '../auth.harness.ts';
import { challengeLifetimeMs, closeChallenge, kindCountMax, openChallenge, takeChallenge, tryChallenge } from './challenges.ts';

async function opened() {
  const harness = await openHarness();
  const open = async (kind: 'passkey_request' | 'second_factor' = 'passkey_request', subject = '') => {
    const id = await openChallenge(harness.auth, kind, { subject });
    if (isProblem(id)) throw new Error(id.problem);
    return id;
  };
  return { ...harness, open };
}

it('gives a challenge to one of those who answer at once', async () => {
  const { auth, open } = await opened();
  const id = await open();
  const taken = await Promise.all([1, 2, 3].map(() => takeChallenge(auth, 'passkey_request', id)));
  expect(taken.filter((each) => each !== undefined)).toHaveLength(1);
});

it('knows no challenge of another kind, and none after 5 minutes', async () => {
  const { auth, clock, open } = await opened();
  const id = await open();
  expect(await takeChallenge(auth, 'passkey_creation', id)).toBeUndefined();
  clock.advance(challengeLifetimeMs);
  expect(await takeChallenge(auth, 'passkey_request', id)).toBeUndefined();
});

it('is closed by one of those who proved it at once', async () => {
  const { auth, open } = await opened();
  const id = await open('second_factor', 'u_ada');
  const tried = await Promise.all([tryChallenge(auth, 'second_factor', id), tryChallenge(auth, 'second_factor', id)]);
  expect(tried.map((each) => each?.subject)).toEqual(['u_ada', 'u_ada']);
  const closed = [];
  for (let i = 0; i < 2; i++) closed.push(await auth.outbox.commit((trx) => closeChallenge(trx, id)));
  expect(closed).toEqual([true, false]);
});

it('keeps five of a person, the newest among them, and forgets those that are over', async () => {
  const { auth, clock, open } = await opened();
  const stranger = await open('second_factor', 'u_grace');
  for (let i = 0; i < 8; i++) {
    const id = await open('second_factor', 'u_ada');
    expect(await tryChallenge(auth, 'second_factor', id), 'the one just opened').toBeDefined();
  }
  const rows = await auth.database.selectFrom('challenges').select('subject').execute();
  expect(rows.filter(({ subject }) => subject === 'u_ada')).toHaveLength(5);
  expect(await tryChallenge(auth, 'second_factor', stranger)).toBeDefined();
  clock.advance(challengeLifetimeMs);
  await open();
  expect(await auth.database.selectFrom('challenges').selectAll().execute()).toHaveLength(1);
});

it('lets a flood of sign-ins by passkey cost those who are slow, and nobody who is not or who proved a password', async () => {
  const { auth, clock, open } = await opened();
  const proven = await open('second_factor', 'u_ada');
  const slow = await open();
  clock.advance(1);
  const row = { kind: 'passkey_request', subject: '', webauthn: '', proof_version: 0, epoch: 0, mode: '', attempts: 0 };
  const expires_at_ms = auth.clock.nowMs() + challengeLifetimeMs;
  for (let from = 0; from < kindCountMax; from += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ ...row, id: `flood-${from + i}`, expires_at_ms }));
    await auth.database.insertInto('challenges').values(rows).execute();
  }
  clock.advance(1);
  const quick = await open();
  expect(await takeChallenge(auth, 'passkey_request', slow)).toBeUndefined();
  expect(await takeChallenge(auth, 'passkey_request', quick)).toBeDefined();
  expect(await tryChallenge(auth, 'second_factor', proven)).toBeDefined();
  const { count } = await auth.database
    .selectFrom('challenges')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('kind', '=', 'passkey_request')
    .executeTakeFirstOrThrow();
  expect(Number(count)).toBeLessThanOrEqual(kindCountMax);
});

it('refuses what only people who proved a password ask for, once too many wait', async () => {
  const { auth } = await opened();
  const row = { kind: 'second_factor', webauthn: '', proof_version: 0, epoch: 0, mode: '', attempts: 0 };
  const expires_at_ms = auth.clock.nowMs() + challengeLifetimeMs;
  for (let from = 0; from < kindCountMax; from += 1_000) {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ ...row, subject: `u_${from + i}`, id: `other-${from + i}`, expires_at_ms }));
    await auth.database.insertInto('challenges').values(rows).execute();
  }
  expect(await openChallenge(auth, 'second_factor', { subject: 'u_ada' })).toEqual({ problem: 'too_many_requests' });
});
