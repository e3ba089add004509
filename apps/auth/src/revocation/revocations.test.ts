import { parseToken } from '@cloakroom/session';
import { topics } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { guest, type Harness, look, openHarness, outboxOf } from '../auth.harness.ts';
import { endSession, pruneRevocations } from './revocations.ts';

async function guestSession(harness: Harness) {
  const { token } = await guest(harness);
  const { auth, clock } = harness;
  return { token, session: (await auth.store.resolve(parseToken(token, auth.macKeys)!.key, clock.nowMs(), undefined))! };
}

it('records and announces an end once, however often and at once it is asked for', async () => {
  const harness = await openHarness();
  const { token, session } = await guestSession(harness);
  await Promise.all([1, 2, 3].map(() => endSession(harness.auth, undefined, session)));
  await endSession(harness.auth, undefined, session);
  expect(await harness.auth.database.selectFrom('revocations').selectAll().execute()).toHaveLength(1);
  expect(await outboxOf(harness, topics.sessionRevocations)).toHaveLength(1);
  expect((await look(harness, token)).session).toBeUndefined();
});

it('records nothing, tells nobody and ends nothing when the transaction fails', async () => {
  const harness = await openHarness();
  const { token, session } = await guestSession(harness);
  await expect(endSession(harness.auth, undefined, session, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
  expect(await harness.auth.database.selectFrom('revocations').selectAll().execute()).toEqual([]);
  expect(await outboxOf(harness, topics.sessionRevocations)).toEqual([]);
  expect((await look(harness, token)).session).toBeDefined();
});

it('forgets a revocation only when nothing that it killed could be alive', async () => {
  const harness = await openHarness();
  const { session } = await guestSession(harness);
  await endSession(harness.auth, undefined, session);
  expect(await pruneRevocations(harness.auth.database, session.expiresAtMs - 1)).toBe(0);
  expect(await pruneRevocations(harness.auth.database, session.expiresAtMs)).toBe(1);
});
