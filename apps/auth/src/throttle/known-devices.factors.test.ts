/** Strangers can fill counts of failures, but no such count keeps out an owner on a known device or a live session, whatever the proof. */
import { create } from '@bufbuild/protobuf';
import {
  ChangeEmailRequestSchema,
  LoginRequestSchema,
  LoginSecondFactorRequestSchema,
  LoginWithPasskeyRequestSchema,
  ReauthenticateRequestSchema,
  ReauthenticateWithPasskeyRequestSchema,
} from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { askForPasskey, email, withApp, withPasskey } from '../account.harness.ts';
import { contextOf, type Harness, ok, openHarness, password, personWith, signUp } from '../auth.harness.ts';
import { changeEmail } from '../sign-in/change-email.ts';
import { login } from '../sign-in/login.ts';
import { loginSecondFactor } from '../sign-in/login-second-factor.ts';
import { loginWithPasskey } from '../sign-in/login-with-passkey.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';
import { reauthenticateWithPasskey } from '../sign-in/reauthenticate-with-passkey.ts';

/** Everybody in this file sits behind this one NAT. */
const remoteAddress = '192.0.2.1';
const tooMany = { problem: 'too_many_attempts' };

async function withOwner() {
  const harness = await openHarness();
  const issued = ok(await signUp(harness, email));
  return { harness, token: issued.token!, subject: issued.session!.subject!, knownDevice: issued.knownDevice! };
}

/** A hundred wrong passwords from the address, so that strangers there are refused from now on. */
async function useUpTheAddress({ auth }: Harness) {
  for (let i = 0; i < 100; i += 1) {
    const guess = { email: `${i}@example.com`, password: 'wrong', remoteAddress };
    await login(auth, contextOf(), create(LoginRequestSchema, guess));
  }
}

const firstHalf = async ({ auth }: Harness, knownDevice: string) =>
  ok(await login(auth, contextOf(), create(LoginRequestSchema, { email, password, knownDevice, remoteAddress }))).secondFactor!.challenge!;

const secondHalf = ({ auth }: Harness, challenge: string, value: string, from: { knownDevice?: string; currentToken?: string }) =>
  loginSecondFactor(
    auth,
    contextOf(),
    create(LoginSecondFactorRequestSchema, { challenge, proof: { case: 'code', value }, remoteAddress, ...from }),
  );

it('takes the right code from a known device behind an address that strangers have used up, and from no other device', async () => {
  const owner = await withOwner();
  const { harness, knownDevice } = owner;
  const app = await withApp(owner);
  await useUpTheAddress(harness);
  const challenge = await firstHalf(harness, knownDevice);
  expect(await secondHalf(harness, challenge, app.code(), {})).toMatchObject(tooMany);
  expect(ok(await secondHalf(harness, challenge, app.code(), { knownDevice })).session).toMatchObject({ email });
});

it('takes the right code from a browser that still has a session of the account', async () => {
  const owner = await withOwner();
  const { harness, knownDevice, token } = owner;
  const app = await withApp(owner);
  await useUpTheAddress(harness);
  const challenge = await firstHalf(harness, knownDevice);
  expect(ok(await secondHalf(harness, challenge, app.code(), { currentToken: token })).session).toMatchObject({ email });
});

it('gives a known device ten wrong codes of its own, and a stranger none of them', async () => {
  const owner = await withOwner();
  const { harness, knownDevice } = owner;
  const app = await withApp(owner);
  const guess = async (from: { knownDevice?: string }, times: number) => {
    for (let i = 0; i < times; i += 1) {
      const answer = await secondHalf(harness, await firstHalf(harness, knownDevice), '000000', from);
      expect(answer).toEqual({ problem: 'invalid_second_factor' });
    }
  };
  await guess({ knownDevice }, 10);
  expect(await secondHalf(harness, await firstHalf(harness, knownDevice), app.code(), { knownDevice })).toMatchObject(tooMany);
  await guess({}, 10);
  expect(await secondHalf(harness, await firstHalf(harness, knownDevice), app.code(), {})).toMatchObject(tooMany);
});

it('lets a live session step up with password and code behind an address that strangers have used up', async () => {
  const owner = await withOwner();
  const { harness, token } = owner;
  const app = await withApp(owner);
  await useUpTheAddress(harness);
  const request = create(ReauthenticateRequestSchema, { password, code: app.code(), token, remoteAddress });
  expect(ok(await reauthenticate(harness.auth, await personWith(harness, token), request)).token).toBeTruthy();
});

it('signs in by passkey from a known device behind an address that strangers have used up, and from no other device', async () => {
  const owner = await withOwner();
  const { harness, knownDevice } = owner;
  const { authenticator } = await withPasskey(owner);
  await useUpTheAddress(harness);
  const from = async (cookie: string) => {
    const { challenge, options } = await askForPasskey(harness);
    const request = { challenge, response: authenticator.get(options), knownDevice: cookie, remoteAddress };
    return loginWithPasskey(harness.auth, contextOf(), create(LoginWithPasskeyRequestSchema, request));
  };
  expect(await from('')).toMatchObject(tooMany);
  expect(ok(await from(knownDevice)).session).toMatchObject({ email });
});

it('lets a live session step up by passkey behind an address that strangers have used up', async () => {
  const owner = await withOwner();
  const { harness, token } = owner;
  const { authenticator } = await withPasskey(owner);
  await useUpTheAddress(harness);
  const { challenge, options } = await askForPasskey(harness);
  const request = create(ReauthenticateWithPasskeyRequestSchema, { challenge, response: authenticator.get(options), token, remoteAddress });
  expect(ok(await reauthenticateWithPasskey(harness.auth, await personWith(harness, token), request)).token).toBeTruthy();
});

it('lets a signed-in person change the e-mail address behind an address whose passwords strangers have used up', async () => {
  const { harness, token } = await withOwner();
  await useUpTheAddress(harness);
  const request = create(ChangeEmailRequestSchema, { email: 'countess@example.com', token, remoteAddress });
  expect(ok(await changeEmail(harness.auth, await personWith(harness, token), request)).session).toMatchObject({
    email: 'countess@example.com',
  });
});

it('lets nobody ask for more than a hundred taken e-mail addresses from one address, with however many accounts', async () => {
  const { harness, knownDevice } = await withOwner();
  let [refused, answered] = [0, 0];
  for (let i = 0; i < 11; i += 1) {
    const { token } = ok(await signUp(harness, `prober-${i}@example.com`));
    const person = await personWith(harness, token!);
    for (let j = 0; j < 10; j += 1) {
      const answer = await changeEmail(harness.auth, person, create(ChangeEmailRequestSchema, { email, token: token!, remoteAddress }));
      if ('problem' in answer && answer.problem === 'email_taken') answered += 1;
      else refused += 1;
    }
  }
  expect([answered, refused]).toEqual([100, 10]);
  // An ordinary sign-in at that address still passes.
  ok(await login(harness.auth, contextOf(), create(LoginRequestSchema, { email, password, knownDevice: '', remoteAddress })));
  expect(knownDevice).not.toBe('');
});
