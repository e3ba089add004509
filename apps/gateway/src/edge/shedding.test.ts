import { uuidV7 } from '@cloakroom/contracts';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ask, openStage, origin, type Stage, until } from '../testing/gateway.fixture.ts';

let stage: Stage;
afterEach(() => stage.stop());

const line = () => ({ commandId: uuidV7(Date.now(), randomBytes(10)), productId: 'scarf', quantity: 1 });

/** Keeps questions to auth waiting until they are released: `count` requests of people are in flight. */
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

it('a crowd that sends its bodies drop by drop holds sockets and nobody’s place', async () => {
  stage = await openStage({ IN_FLIGHT_MAX: '4' });
  const { host, hostname, port } = new URL(stage.url);
  const token = stage.auth.begin('user');
  const begun = `POST /api/session/login HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
  const crowd = Array.from({ length: 8 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    // Sent in one piece with a probe: once the probe is answered, the gateway has begun with the request behind it.
    socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n${begun}`);
    return socket;
  });
  try {
    await Promise.all(crowd.map((socket) => once(socket, 'data')));
    expect((await ask(stage.url, '/api/products')).status).toBe(200);
    expect((await ask(stage.url, '/api/session/logout', { method: 'POST', token })).status).toBe(204);
  } finally {
    for (const socket of crowd) socket.destroy();
  }
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
