import { uuidV7 } from '@cloakroom/contracts';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { ask, openStage, type Stage, until } from './gateway.fixture.ts';

let stage: Stage;
afterEach(() => stage.stop());

const line = () => ({ commandId: uuidV7(Date.now(), randomBytes(10)), productId: 'scarf', quantity: 1 });

/** Questions to auth hang until they are released: `count` requests of people are in flight. */
async function hang(count: number): Promise<() => Promise<number[]>> {
  const gate = Promise.withResolvers<void>();
  stage.auth.gate = gate.promise;
  const before = stage.auth.calls['resolve'] ?? 0;
  const tokens = Array.from({ length: count }, () => stage.auth.begin('user'));
  const told = tokens.map((token) => ask(stage.url, '/api/session/devices', { token }));
  await until(() => (stage.auth.calls['resolve'] ?? 0) >= before + count);
  return async () => {
    gate.resolve();
    stage.auth.gate = undefined;
    return (await Promise.all(told)).map(({ status }) => status);
  };
}

it('refuses browsing first, then carts, and lets people sign in and out to the last', async () => {
  stage = await openStage({ IN_FLIGHT_MAX: '10' });
  const token = stage.auth.begin('user');
  const asked = () =>
    Promise.all([
      ask(stage.url, '/api/products').then(({ status }) => status),
      ask(stage.url, '/api/cart/lines', { method: 'POST', body: line() }).then(({ status }) => status),
      ask(stage.url, '/api/session/logout', { method: 'POST', token }).then(({ status }) => status),
    ]);
  const five = await hang(5);
  const { status, body, headers } = await ask(stage.url, '/api/products');
  expect([status, body.code]).toEqual([503, 'unavailable']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(headers.get('server-timing')).toBe('shed;desc="public in_flight"');
  await five();
  const eight = await hang(8);
  expect(await asked()).toEqual([503, 503, 204]);
  expect(await eight()).toEqual(Array.from({ length: 8 }, () => 200));
  expect((await asked())[0]).toBe(200);
});

it('asks nobody for what it refuses, and answers probes whatever happens', async () => {
  stage = await openStage({ IN_FLIGHT_MAX: '10' });
  const release = await hang(10);
  const before = { ...stage.auth.calls };
  const { seen } = stage.services;
  const calls = seen.length;
  for (const path of ['/api/products', '/api/cart', '/api/session', '/api/session/devices', '/api/unknown']) {
    expect([path, (await ask(stage.url, path, { token: stage.auth.begin('user') })).status]).toEqual([path, 503]);
  }
  expect([stage.auth.calls, seen.length]).toEqual([before, calls]);
  for (const path of ['/healthz', '/readyz', '/metrics']) expect((await ask(stage.url, path)).status).toBe(200);
  await release();
});

it('forgets a request whose browser has gone', async () => {
  stage = await openStage({ IN_FLIGHT_MAX: '2' });
  const release = await hang(0);
  const gate = Promise.withResolvers<void>();
  stage.auth.gate = gate.promise;
  const gone = new AbortController();
  const token = stage.auth.begin('user');
  const asked = fetch(`${stage.url}/api/session/devices`, { headers: { cookie: `__Host-session=${token}` }, signal: gone.signal });
  await until(async () => (await ask(stage.url, '/api/products')).status === 503);
  gone.abort();
  await expect(asked).rejects.toThrow();
  await until(async () => (await ask(stage.url, '/api/products')).status === 200);
  gate.resolve();
  await release();
});
