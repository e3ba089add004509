import { afterEach, expect, it } from 'vitest';
import { ask, configOf, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.stop();
  stage = undefined;
});

it('an address that asks too often is told when to come again, before anything is done for it', async () => {
  stage = await openStage({ RATE_LIMIT_PER_10S: '3' });
  for (const _ of [1, 2, 3]) expect((await ask(stage.url, '/api/products')).status).toBe(200);
  const told = await ask(stage.url, '/api/session/login', { method: 'POST', body: { email: 'ada@example.com', password: 'right' } });
  expect([told.status, told.body.code]).toEqual([429, 'too_many_requests']);
  expect(Number(told.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(stage.auth.calls['login']).toBeUndefined();
  expect((await ask(stage.url, '/%61pi/products')).status).toBe(429);
  expect((await ask(stage.url, '/healthz')).status).toBe(200);
});

it('behind a proxy that it knows each person has an address of their own; nobody else is believed', async () => {
  const from = (address: string) => ask(stage!.url, '/api/products', { headers: { 'x-forwarded-for': address } });
  stage = await openStage({ RATE_LIMIT_PER_10S: '1', TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' });
  expect([(await from('192.0.2.1')).status, (await from('192.0.2.2')).status, (await from('192.0.2.1')).status]).toEqual([200, 200, 429]);
  await stage.stop();
  stage = await openStage({ RATE_LIMIT_PER_10S: '1' });
  expect([(await from('192.0.2.3')).status, (await from('192.0.2.4')).status]).toEqual([200, 429]);
});

it('a proxy that writes the port with the address gives nobody a limit of their own by it', async () => {
  const from = (address: string) => ask(stage!.url, '/api/products', { headers: { 'x-forwarded-for': address } });
  stage = await openStage({ RATE_LIMIT_PER_10S: '1', TRUSTED_PROXIES: '127.0.0.1' });
  expect([(await from('203.0.113.7:40001')).status, (await from('203.0.113.7:40002')).status]).toEqual([200, 429]);
  expect([(await from('[2001:db8::7]:443')).status, (await from('[2001:db8::8]:444')).status]).toEqual([200, 429]);
  expect([(await from('_hidden')).status, (await from('_elsewhere')).status]).toEqual([200, 429]);
});

it('sign-ins have a bound of their own', async () => {
  stage = await openStage({ SIGN_IN_LIMIT_PER_MINUTE: '2' });
  const login = () => ask(stage!.url, '/api/session/login', { method: 'POST', body: { email: 'ada@example.com', password: 'right' } });
  expect([(await login()).status, (await login()).status, (await login()).status]).toEqual([200, 200, 429]);
  expect((await ask(stage.url, '/api/products')).status).toBe(200);
});

it('whatever has auth hash a password is within the bound of sign-ins: the hashing that all sign-ins wait for is not one person’s', async () => {
  stage = await openStage({ SIGN_IN_LIMIT_PER_MINUTE: '1' });
  const token = stage.auth.begin('user');
  const change = () => ask(stage!.url, '/api/session/password', { method: 'PUT', token, body: { password: 'another long password' } });
  const told = [await change(), await change()];
  expect(told[0]!.status).not.toBe(429);
  expect(told[1]!.status).toBe(429);
});

it('guest sessions have a bound of their own, by whichever door they begin', async () => {
  stage = await openStage({ GUEST_LIMIT_PER_MINUTE: '1' });
  expect((await ask(stage.url, '/api/session/guest', { method: 'POST' })).status).toBe(201);
  expect((await ask(stage.url, '/api/session/guest', { method: 'POST' })).status).toBe(429);
  const body = { commandId: '01890a5d-ac96-774b-bcce-b302099a8057', productId: 'scarf', quantity: 1 };
  expect((await ask(stage.url, '/api/cart/lines', { method: 'POST', body })).status).toBe(429);
});

it('a configuration that is wrong is refused, each variable by name and none by value', () => {
  expect(() => configOf({ SESSION_MAC_KEY: 'too-short-a-key', PUBLIC_ORIGINS: 'nonsense', AUTH_ADDRESS: '?' })).toThrow(
    /AUTH_ADDRESS[^]*SESSION_MAC_KEY[^]*PUBLIC_ORIGINS/,
  );
  expect(() => configOf({ SESSION_MAC_KEY: 'too-short-a-key' })).not.toThrow(/too-short-a-key/);
});
