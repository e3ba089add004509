import { topics } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { contextOf, guest, look, ok, openHarness, outboxOf, signIn, signUp } from '../auth.harness.ts';
import { seedAccounts } from '../accounts/seed-accounts.ts';

const email = 'ada@example.com';

it('announces the account before the claim, and signs in', async () => {
  const harness = await openHarness();
  const before = await guest(harness);
  const { token, session } = ok(await signUp(harness, ' Ada@Example.com ', before.token));
  expect(session).toMatchObject({ email, name: 'Ada', claimedGuestCart: before.subject });
  expect((await look(harness, token!)).session).toMatchObject({ email });
  expect((await look(harness, before.token)).session).toBeUndefined();
  const events = (await outboxOf(harness)).map((row) => Object.keys(JSON.parse(row.event) as object));
  expect(events).toEqual([expect.arrayContaining(['accountRegistered']), expect.arrayContaining(['guestClaimed'])]);
});

it('makes one account of two registrations at once', async () => {
  const harness = await openHarness();
  const answers = await Promise.all([signUp(harness, email), signUp(harness, email)]);
  expect(answers.filter((answer) => 'problem' in answer)).toEqual([{ problem: 'email_taken' }]);
  expect(await outboxOf(harness)).toHaveLength(1);
});

it('leaves the guest alone when the e-mail is taken', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, email));
  const before = await guest(harness);
  expect(await signUp(harness, email, before.token)).toEqual({ problem: 'email_taken' });
  expect((await look(harness, before.token)).session).toMatchObject({ subject: before.subject });
  expect(await outboxOf(harness, topics.sessionRevocations)).toEqual([]);
});

it('keeps an account whose session could not be created: signing in resumes the claim', async () => {
  const harness = await openHarness();
  const before = await guest(harness);
  harness.broken.add('create');
  await expect(signUp(harness, email, before.token)).rejects.toThrow('away');
  expect((await look(harness, before.token)).session).toMatchObject({ subject: before.subject });
  harness.broken.clear();
  expect(ok(await signIn(harness, email, before.token)).session).toMatchObject({ claimedGuestCart: before.subject });
  expect(await outboxOf(harness)).toHaveLength(2);
});

it('names every field that is wrong', async () => {
  const harness = await openHarness();
  const { auth } = harness;
  const { register } = await import('./register.ts');
  const answer = await register(auth, contextOf(), {
    $typeName: 'cloakroom.auth.v1.RegisterRequest',
    email: 'nobody',
    password: 'short',
    name: ' ',
    currentToken: '',
    knownDevice: '',
    mode: 0,
    remoteAddress: '',
  });
  expect(answer).toMatchObject({ problem: 'invalid_request', detail: expect.stringMatching(/email: .*password: .*name: /) });
});

it('seeds the accounts once', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  await seedAccounts(harness.auth);
  expect(await outboxOf(harness)).toHaveLength(3);
  ok(await signIn(harness, 'grace@example.com'));
});
