import { SessionState } from '@cloakroom/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rightCode } from '../testing/fake-account.fixture.ts';
import { ask, openStage, type Stage, tokenIn } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());

const asked = (method: string) => stage.services.seen.findLast((call) => call.method === method);
const user = () => stage.auth.begin('user');
const admin = () => stage.auth.begin('user', { role: 'admin' });

describe('a second factor at sign-in', () => {
  it('is asked for with a challenge and its methods, and no session begins', async () => {
    const told = await ask(stage.url, '/api/session/login', {
      method: 'POST',
      body: { email: 'ada@example.com', password: 'needs-second-factor' },
    });
    expect(told.status).toBe(401);
    expect(told.body).toMatchObject({
      code: 'second_factor_required',
      challenge: 'second-1',
      methods: ['totp', 'passkey'],
      options: { challenge: 'AAAA' },
    });
    expect(tokenIn(told)).toBeUndefined();
  });

  it('goes on with the challenge, the session of the browser and its device', async () => {
    const guest = stage.auth.begin('guest');
    const told = await ask(stage.url, '/api/session/login/second-factor', {
      method: 'POST',
      token: guest,
      body: { challenge: 'second-1', code: rightCode },
    });
    expect(told.status).toBe(200);
    expect(tokenIn(told)).toBeDefined();
    expect(asked('loginSecondFactor')?.request).toMatchObject({
      challenge: 'second-1',
      currentToken: guest,
      proof: { case: 'code', value: rightCode },
    });
  });

  it.each([{}, { code: rightCode, recoveryCode: 'ABCDEF' }, { code: 'abcdef' }, { response: 'text' }])(
    'takes exactly one proof, and not %j',
    async (proofs) => {
      const told = await ask(stage.url, '/api/session/login/second-factor', { method: 'POST', body: { challenge: 'second-1', ...proofs } });
      expect(told.body).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );

  it('is asked for at a step-up without a challenge, and the token stays', async () => {
    const token = user();
    const told = await ask(stage.url, '/api/session/reauthenticate', { method: 'POST', token, body: { password: 'needs-second-factor' } });
    expect(told.body).toMatchObject({ code: 'second_factor_required', methods: ['totp'] });
    expect(told.body.challenge).toBeUndefined();
    expect((await ask(stage.url, '/api/session', { token })).body.state).toBe('user');
  });
});

describe('a step-up', () => {
  it('is done by passkey instead of a password', async () => {
    const body = { challenge: 'challenge-1', response: { id: 'AAAA' } };
    const told = await ask(stage.url, '/api/session/reauthenticate', { method: 'POST', token: user(), body });
    expect(told.status).toBe(200);
    expect(tokenIn(told)).toBeDefined();
    expect(asked('reauthenticateWithPasskey')?.request).toMatchObject({ challenge: 'challenge-1', response: '{"id":"AAAA"}' });
  });

  it.each([{}, { password: 'x', challenge: 'c', response: { id: 'A' } }, { challenge: 'c' }])('does not take %j', async (body) => {
    const told = await ask(stage.url, '/api/session/reauthenticate', { method: 'POST', token: user(), body });
    expect(told.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

it('forgets the old token at once when the password changes, and says who the person still is', async () => {
  const token = user();
  const told = await ask(stage.url, '/api/session/password', {
    method: 'PUT',
    token,
    body: { password: 'a new long one', endOthers: true },
  });
  expect(told.status).toBe(200);
  expect(told.body.state).toBe('user');
  expect(asked('changePassword')?.request).toMatchObject({ password: 'a new long one', endOthers: true, token });
  expect((await ask(stage.url, '/api/session', { token })).body).toEqual({ state: 'none' });
  expect((await ask(stage.url, '/api/session', { token: tokenIn(told)! })).body.state).toBe('user');
});

it('tells how many other sessions there are when a factor goes', async () => {
  const told = await ask(stage.url, '/api/session/factors/totp', { method: 'DELETE', token: user() });
  expect([told.status, told.body]).toEqual([200, { otherSessions: 2 }]);
});

describe('administration', () => {
  const paths = ['users/u_1/disable', 'users/u_1/enable', 'users/u_1/revoke', 'revoke-everything'];

  it.each(paths)('refuses %s to anyone else, without asking auth to do it', async (path) => {
    const before = { ...stage.auth.calls };
    const told = await ask(stage.url, `/api/admin/${path}`, { method: 'POST', token: user() });
    expect(told.body).toMatchObject({ status: 403, code: 'forbidden' });
    for (const method of ['disableUser', 'enableUser', 'revokeUser', 'revokeEverything'])
      expect(stage.auth.calls[method]).toBe(before[method]);
  });

  it('refuses the list of people to anyone else', async () => {
    expect((await ask(stage.url, '/api/admin/users', { token: user() })).body).toMatchObject({ code: 'forbidden' });
  });

  it('lists people to an administrator who proved it within five minutes, and asks any other for a proof', async () => {
    const proven = async (agoS: number) => {
      const token = admin();
      stage.auth.sessionOf(token).view.authenticatedAtMs -= BigInt(agoS * 1000);
      const { status, body } = await ask(stage.url, '/api/admin/users', { token });
      return [status, body.code];
    };
    expect(await proven(240)).toEqual([200, undefined]);
    expect(await proven(301)).toEqual([401, 'step_up_required']);
  });

  it('passes the word of auth on, which knows who is an administrator and who has stepped up', async () => {
    stage.auth.failing = undefined;
    const told = await ask(stage.url, '/api/admin/users/unknown/disable', { method: 'POST', token: admin() });
    expect(told.body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('clears the cookies of the administrator who ended every session', async () => {
    const told = await ask(stage.url, '/api/admin/revoke-everything', { method: 'POST', token: admin() });
    expect(told.status).toBe(204);
    expect(told.setCookies.some((cookie) => /^__Host-session=;.*Max-Age=0/.test(cookie))).toBe(true);
  });

  it('shows the role to an administrator alone', async () => {
    expect((await ask(stage.url, '/api/session', { token: admin() })).body.user).toMatchObject({ role: 'admin' });
    const told = await ask(stage.url, '/api/session', { token: user() });
    expect(told.body.state).toBe('user');
    expect(told.body.user).not.toHaveProperty('role');
    expect(stage.auth.sessionOf(user()).view.state).toBe(SessionState.USER);
  });
});
