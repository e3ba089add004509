/** A paused auth takes connections and requests, and says nothing (like a proxy that loses every answer). */
import { openTcpProxy, type TcpProxy, watchCrowd } from '@cloakroom/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ask, openStage, type Stage, until } from '../testing/gateway.fixture.ts';

/** A request waits at most this long until its caller is identified (identify-reference-token.ts). */
const resolveBudgetMs = 800;
let stage: Stage;
let proxy: TcpProxy;
beforeEach(async () => {
  stage = await openStage(async (addresses) => {
    proxy = await openTcpProxy({ port: Number(addresses['AUTH_ADDRESS']!.split(':')[1]), protocol: 'any' });
    return { AUTH_ADDRESS: `localhost:${proxy.port}` };
  });
});
afterEach(async () => {
  await stage.stop();
  await proxy.close();
});

const profileOf = (token: string) => ask(stage.url, '/api/profile', { token });
/** These people wait together, until the mesh knows that auth is silent. */
const firstToSuffer = () => Promise.all(Array.from({ length: 3 }, () => profileOf(stage.auth.begin('user'))));
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

it('keeps the first few waiting, and then nobody: 503 at once, with the time to come again', async () => {
  proxy.mute();
  for (const told of await firstToSuffer()) expect([told.status, told.body.code]).toEqual([503, 'identity_unavailable']);
  const crowd = watchCrowd();
  const tookMs = await timeOf(async () => {
    for (let i = 0; i < 20; i += 1) {
      const told = await profileOf(stage.auth.begin('user'));
      expect([told.status, told.body.code]).toEqual([503, 'identity_unavailable']);
      expect(Number(told.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });
  // Twenty requests in sequence take less than the wait of one. On a crowded machine they may take half of the wait of all.
  expect(tookMs).toBeLessThan(crowd.roomMs(resolveBudgetMs, 10 * resolveBudgetMs));
});

it('shows carts that were cached at once, and browsing as a guest sees it', async () => {
  const token = stage.auth.begin('user');
  expect((await ask(stage.url, '/api/cart', { token })).status).toBe(200);
  proxy.mute();
  stage.relay.stopBeating();
  await until(async () => (await ask(stage.url, '/readyz')).body.parts.feed.leased === false);
  await firstToSuffer();
  const crowd = watchCrowd();
  const tookMs = await timeOf(async () => {
    for (let i = 0; i < 10; i += 1) {
      const cart = await ask(stage.url, '/api/cart', { token });
      expect([cart.status, cart.headers.get('server-timing')]).toEqual([200, expect.stringContaining('hybrid degraded')]);
      const page = await ask(stage.url, '/api/products', { token: stage.auth.begin('user') });
      expect([page.status, page.headers.get('x-session-view')]).toEqual([200, expect.stringContaining('guest')]);
    }
  });
  expect(tookMs).toBeLessThan(crowd.roomMs(resolveBudgetMs, 5 * resolveBudgetMs));
});

it('lets everybody in again when auth goes on', async () => {
  proxy.mute();
  await firstToSuffer();
  proxy.mend();
  const token = stage.auth.begin('user');
  await until(async () => (await profileOf(token)).status === 200, 15_000);
});

it('is asked once a question: nothing in the mesh repeats what was lost', async () => {
  const before = stage.auth.calls['resolve'] ?? 0;
  proxy.mute();
  await profileOf(stage.auth.begin('user'));
  await ask(stage.url, '/api/session/login', { method: 'POST', body: { email: 'ada@example.com', password: 'right' } });
  expect([(stage.auth.calls['resolve'] ?? 0) - before, stage.auth.calls['login']]).toEqual([1, 1]);
});
