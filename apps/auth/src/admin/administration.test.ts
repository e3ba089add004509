import { create } from '@bufbuild/protobuf';
import {
  DisableUserRequestSchema,
  EnableUserRequestSchema,
  FindUsersRequestSchema,
  RevokeUserRequestSchema,
  topics,
} from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { alive, askForPasskey, email, kindsOf, loginPasskey, signedUp, withPasskey } from '../account.harness.ts';
import { contextOf, ok, outboxOf, password, personWith, signIn, signUp } from '../auth.harness.ts';
import { disableUser } from './disable-user.ts';
import { enableUser } from './enable-user.ts';
import { findUsers } from './find-users.ts';
import { noticesOf } from '../accounts/notices.ts';
import { revokeEverything, revokeEverythingByOperator } from './revoke-all-sessions.ts';
import { revokeUser } from './revoke-user.ts';

async function withAdmin() {
  const ada = await signedUp();
  const { harness } = ada;
  const { token, session } = ok(await signUp(harness, 'admin@example.com'));
  await harness.auth.database.updateTable('accounts').set({ role: 'admin' }).where('id', '=', session!.subject!).execute();
  const admin = await personWith(harness, token!);
  const adminId = session!.subject!;
  const disable = (userId: string, person = admin) => disableUser(harness.auth, person, create(DisableUserRequestSchema, { userId }));
  const enable = (userId: string, person = admin) => enableUser(harness.auth, person, create(EnableUserRequestSchema, { userId }));
  const revoke = (userId: string, person = admin) => revokeUser(harness.auth, person, create(RevokeUserRequestSchema, { userId }));
  return { ada, harness, admin, adminId, adminToken: token!, disable, enable, revoke };
}

it('lets nobody but an administrator do it, and asks the database who is one', async () => {
  const { ada, harness, admin, adminId, disable, enable, revoke } = await withAdmin();
  const person = await personWith(harness, ada.token);
  const find = (by = person) => findUsers(harness.auth, by, create(FindUsersRequestSchema, { query: '' }));
  const forbidden = { problem: 'forbidden' };
  for (const answer of [
    await disable(adminId, person),
    await enable(adminId, person),
    await revoke(adminId, person),
    await revokeEverything(harness.auth, person),
    await find(),
  ])
    expect(answer).toEqual(forbidden);
  await harness.auth.database.updateTable('accounts').set({ role: '' }).where('id', '=', adminId).execute();
  expect(await find(admin)).toEqual(forbidden);
  expect(await alive(harness, ada.token)).toBe(true);
});

it('ends every session of a disabled account, announces it, and answers its sign-ins as a wrong password', async () => {
  const { ada, harness, disable } = await withAdmin();
  const phone = ok(await signIn(harness, email)).token!;
  expect(await disable(ada.subject)).toEqual({});
  expect([await alive(harness, ada.token), await alive(harness, phone)]).toEqual([false, false]);
  const announced = (await outboxOf(harness, topics.sessionRevocations)).map((row) => row.event);
  expect(announced.some((event) => event.includes('userEpochRaised') && event.includes(ada.subject))).toBe(true);
  harness.slept.length = 0;
  const right = await signIn(harness, email);
  const wrong = await signIn(harness, email, '', 'not the password');
  const unknown = await signIn(harness, 'nobody@example.com', '', 'not the password');
  expect([right, wrong, unknown]).toEqual(Array(3).fill({ problem: 'invalid_credentials' }));
  // Each caller waited as long as after a failure: the right password has no shorter way.
  expect(harness.slept).toHaveLength(3);
});

it('gives no session to a passkey of a disabled account', async () => {
  const { ada, harness, disable } = await withAdmin();
  const { authenticator } = await withPasskey(ada);
  const { challenge, options } = await askForPasskey(harness);
  await disable(ada.subject);
  expect(await loginPasskey(harness, challenge, authenticator.get(options))).toEqual({ problem: 'invalid_second_factor' });
});

it('lets the person in again once enabled, and brings no session back', async () => {
  const { ada, harness, disable, enable } = await withAdmin();
  await disable(ada.subject);
  expect(await enable(ada.subject)).toEqual({});
  expect(await alive(harness, ada.token)).toBe(false);
  harness.clock.advance(1);
  expect(await alive(harness, ok(await signIn(harness, email)).token!)).toBe(true);
});

it('does not let an administrator shut the own door, and knows no account that is not there', async () => {
  const { harness, adminId, adminToken, disable, enable, revoke } = await withAdmin();
  expect(await disable(adminId)).toMatchObject({ problem: 'invalid_request' });
  expect(await alive(harness, adminToken)).toBe(true);
  for (const answer of [await disable('u_nobody'), await enable('u_nobody'), await revoke('u_nobody')])
    expect(answer).toEqual({ problem: 'not_found' });
});

it('ends the sessions of one user and of no other, and tells that user', async () => {
  const { ada, harness, adminToken, revoke } = await withAdmin();
  await revoke(ada.subject);
  expect([await alive(harness, ada.token), await alive(harness, adminToken)]).toEqual([false, true]);
  expect((await noticesOf(harness.auth.database, ada.subject)).map(({ kind }) => kind)).toContain('account_sessions_ended');
  harness.clock.advance(1);
  expect(ok(await signIn(harness, email, '', password)).token).toBeTruthy();
});

it('ends everything by one number, for the operator as for an administrator', async () => {
  const { ada, harness, admin, adminToken } = await withAdmin();
  ok(await revokeEverything(harness.auth, admin));
  expect([await alive(harness, ada.token), await alive(harness, adminToken)]).toEqual([false, false]);
  const again = ok(await signIn(harness, email)).token!;
  expect(await alive(harness, again)).toBe(true);
  ok(await revokeEverythingByOperator(harness.auth, contextOf()));
  expect(await alive(harness, again)).toBe(false);
});

it('finds people by a part of name or e-mail, taking its wildcards as letters', async () => {
  const { ada, harness, admin, disable } = await withAdmin();
  ok(await signUp(harness, 'under_score@example.com'));
  await disable(ada.subject);
  const find = async (query: string) =>
    ok(await findUsers(harness.auth, admin, create(FindUsersRequestSchema, { query }))).users!.map((user) => user.email);
  expect(await find('ADA@')).toEqual([email]);
  expect(await find(ada.subject)).toEqual([email]);
  expect(await find('r_s')).toEqual(['under_score@example.com']);
  expect(await find('%')).toEqual([]);
  expect(await find('')).toHaveLength(3);
  const { users } = ok(await findUsers(harness.auth, admin, create(FindUsersRequestSchema, { query: 'ada@' })));
  expect(users).toEqual([expect.objectContaining({ disabled: true, sessions: 0, role: '' })]);
});

it('tells the person when the eleventh session ended the one that was idle longest', async () => {
  const signed = await signedUp();
  const { harness } = signed;
  for (let i = 0; i < 9; i++) {
    harness.clock.advance(1_000);
    expect(ok(await signIn(harness, email)).endedOldest).toBe(false);
  }
  expect(await kindsOf(signed)).not.toContain('oldest_ended');
  harness.clock.advance(1_000);
  expect(ok(await signIn(harness, email)).endedOldest).toBe(true);
  expect(await alive(harness, signed.token)).toBe(false);
  expect(await kindsOf(signed)).toContain('oldest_ended');
});
