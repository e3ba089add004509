import { randomBytes, randomUUID } from 'node:crypto';
import { makeKnownDevice } from '@cloakroom/session';
import { afterEach, expect, it } from 'vitest';
import { macKeys } from '../testing/fake-auth.fixture.ts';
import { ask, openStage, type Stage, tokenIn } from '../testing/gateway.fixture.ts';

let stage: Stage;
afterEach(() => stage.stop());

const newCookie = (subject = `u_${randomUUID()}`) => makeKnownDevice(subject, randomBytes(32), macKeys).cookie;
const login = (cookie?: string) =>
  ask(stage.url, '/api/session/login', {
    method: 'POST',
    body: { email: 'ada@example.com', password: 'right' },
    headers: cookie === undefined ? {} : { cookie },
  });
const passedOn = () => (stage.auth.requests.at(-1)!.request as { knownDevice: string }).knownDevice;

it('is set by a sign-in, for our own pages alone, and says nothing to scripts', async () => {
  stage = await openStage();
  stage.auth.knownDevice = newCookie();
  const told = await login();
  const set = told.setCookies.find((cookie) => cookie.startsWith('__Host-known-device='));
  expect(set).toBe(`__Host-known-device=${stage.auth.knownDevice}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000`);
  expect(told.text).not.toContain(stage.auth.knownDevice);
});

it('is passed on by sign-ins when it was ours, and never otherwise', async () => {
  stage = await openStage();
  const cookie = newCookie();
  await login(`__Host-known-device=${cookie}`);
  expect(passedOn()).toBe(cookie);
  for (const no of [`__Host-known-device=${cookie}x`, '__Host-known-device=', `__host-known-device=${cookie}`, `known-device=${cookie}`]) {
    await login(no);
    expect(passedOn()).toBe('');
  }
  const two = await login(`__Host-known-device=${cookie}; __Host-known-device=${newCookie()}`);
  expect([two.status, two.body.code]).toEqual([400, 'ambiguous_cookies']);
});

it('is no session, and outlives signing out', async () => {
  stage = await openStage();
  const cookie = `__Host-known-device=${newCookie()}`;
  expect((await ask(stage.url, '/api/session', { headers: { cookie } })).body).toEqual({ state: 'none' });
  expect((await ask(stage.url, '/api/cart', { headers: { cookie } })).status).toBe(401);
  stage.auth.knownDevice = newCookie();
  const token = tokenIn(await login());
  const out = await ask(stage.url, '/api/session/logout', { method: 'POST', headers: { cookie: `__Host-session=${token}; ${cookie}` } });
  expect(out.setCookies.some((set) => set.includes('known-device'))).toBe(false);
});

it('has a share of sign-ins of its own, whatever its address has used up', async () => {
  stage = await openStage({ SIGN_IN_LIMIT_PER_MINUTE: '2' });
  const cookie = `__Host-known-device=${newCookie()}`;
  for (const status of [200, 200, 429]) expect((await login()).status).toBe(status);
  for (const status of [200, 200, 429]) expect((await login(cookie)).status).toBe(status);
});

const statusesOf = async (cookies: readonly string[]) => {
  const statuses = [];
  for (const cookie of cookies) statuses.push((await login(`__Host-known-device=${cookie}`)).status);
  return statuses;
};

it('gives all known devices of one account at one address one share of sign-ins', async () => {
  stage = await openStage({ SIGN_IN_LIMIT_PER_MINUTE: '2' });
  const subject = `u_${randomUUID()}`;
  const statuses = await statusesOf(Array.from({ length: 20 }, () => newCookie(subject)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(2);
});

it('gives all known accounts of one address five shares of sign-ins, and one that floods no more than its own', async () => {
  stage = await openStage({ SIGN_IN_LIMIT_PER_MINUTE: '2' });
  const flood = newCookie();
  const statuses = await statusesOf([...Array.from({ length: 20 }, () => flood), ...Array.from({ length: 20 }, () => newCookie())]);
  expect(statuses.slice(0, 20).filter((status) => status === 200)).toHaveLength(2);
  expect(statuses.filter((status) => status === 200)).toHaveLength(10);
});

it('tells auth the address of who asks for a guest session', async () => {
  stage = await openStage();
  await ask(stage.url, '/api/session/guest', { method: 'POST' });
  expect(stage.auth.requests.at(-1)).toMatchObject({ method: 'createGuest', request: { remoteAddress: '127.0.0.1' } });
});
