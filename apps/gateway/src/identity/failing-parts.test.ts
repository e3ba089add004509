/** Shows docs/failures.md as far as one gateway can: what still works when auth is away, when the feed is silent, and when both are. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problem, TokenMode, uuidV7 } from '@cloakroom/contracts';
import { randomBytes } from 'node:crypto';
import { openTcpProxy, type TcpProxy, watchCrowd } from '@cloakroom/testing';
import { ask, openStage, type Stage, until } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.stop());

const silenceFeed = async (): Promise<void> => {
  stage.relay.stopBeating();
  await until(async () => (await ask(stage.url, '/readyz')).body.parts.feed.leased === false);
};
const loseAuth = (): void => void (stage.auth.failing = problem('unavailable'));
const line = () => ({ commandId: uuidV7(Date.now(), randomBytes(10)), productId: 'scarf', quantity: 1 });

describe('auth out of reach', () => {
  it('carts and personal reads go on with a cached passport, also without the lease, and say so', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    await ask(stage.url, '/api/profile', { token });
    loseAuth();
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(200);
    await silenceFeed();
    for (const path of ['/api/cart', '/api/profile', '/api/session']) {
      const told = await ask(stage.url, path, { token });
      expect([path, told.status]).toEqual([path, 200]);
      expect(told.headers.get('server-timing')).toContain('hybrid degraded');
    }
    expect((await ask(stage.url, '/api/cart/lines', { method: 'POST', token, body: line() })).status).toBe(202);
  });

  it('without a cached passport nobody is let in, and nobody becomes a new guest', async () => {
    const token = stage.auth.begin('user');
    const before = stage.auth.sessions.size;
    loseAuth();
    for (const [method, path, body] of [
      ['GET', '/api/cart'],
      ['GET', '/api/session'],
      ['GET', '/api/profile'],
      ['POST', '/api/cart/lines', line()],
      ['POST', '/api/session/guest'],
    ] as const) {
      const told = await ask(stage.url, path, { method, token, ...(body !== undefined && { body }) });
      expect([path, told.status, told.body.code, told.setCookies]).toEqual([path, 503, 'identity_unavailable', []]);
      expect(Number(told.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(stage.auth.sessions.size).toBe(before);
  });

  it('a browser without a session is told to come again too, when it first needs one', async () => {
    loseAuth();
    const told = await ask(stage.url, '/api/cart/lines', { method: 'POST', body: line() });
    expect([told.status, told.body.code, told.setCookies]).toEqual([503, 'identity_unavailable', []]);
  });

  it('a passport that is cached for one service lets nobody into another', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    loseAuth();
    expect((await ask(stage.url, '/api/profile', { token })).body.code).toBe('identity_unavailable');
  });

  it('what is sensitive is refused at once, cached or not', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    expect((await ask(stage.url, '/api/session/devices', { token })).status).toBe(200);
    loseAuth();
    const told = await ask(stage.url, '/api/session/devices', { token });
    expect([told.status, told.body.code]).toEqual([503, 'identity_unavailable']);
  });

  it('sign-in, sign-up and sign-out say when to come again, and nobody loses their cookie', async () => {
    const token = stage.auth.begin('guest');
    loseAuth();
    for (const [path, body] of [
      ['/api/session/login', { email: 'ada@example.com', password: 'right' }],
      ['/api/session/register', { email: 'new@example.com', password: 'long enough', name: 'New' }],
      ['/api/session/logout', undefined],
    ] as const) {
      const told = await ask(stage.url, path, { method: 'POST', token, ...(body !== undefined && { body }) });
      expect([path, told.status, told.body.code, told.setCookies]).toEqual([path, 503, 'identity_unavailable', []]);
      expect(told.headers.has('retry-after')).toBe(true);
    }
  });

  it('browsing goes on as a guest sees it, and says so', async () => {
    const token = stage.auth.begin('user');
    // Waits until the connection to auth is warm: a public page waits only briefly to identify its caller.
    await until(async () => !(await ask(stage.url, '/api/products', { token })).headers.has('x-session-view'));
    loseAuth();
    const told = await ask(stage.url, '/api/products', { token: stage.auth.begin('user') });
    expect([told.status, told.headers.get('x-session-view')]).toEqual([200, 'guest; reason=identity_unavailable']);
  });

  it('mode reference lets nobody in', async () => {
    const token = stage.auth.begin('user', { mode: TokenMode.REFERENCE });
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(200);
    loseAuth();
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(503);
  });

  it('a public page that waits no longer for auth does not cost the cart beside it its answer', async () => {
    const token = stage.auth.begin('user');
    const slow = Promise.withResolvers<void>();
    stage.auth.gate = slow.promise;
    const page = ask(stage.url, '/api/products', { token });
    await until(() => stage.auth.calls['resolve'] === 1);
    const cart = ask(stage.url, '/api/cart', { token });
    expect((await page).headers.get('x-session-view')).toContain('guest');
    slow.resolve();
    expect((await cart).status).toBe(200);
  });

  it('an auth that hangs costs a bounded part of the budget', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    await silenceFeed();
    const hanging = Promise.withResolvers<void>();
    stage.auth.gate = hanging.promise;
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    const told = await ask(stage.url, '/api/cart', { token });
    expect([told.status, told.headers.get('server-timing')]).toEqual([200, expect.stringContaining('degraded')]);
    expect(performance.now() - startedMs).toBeLessThan(800 + crowd.roomMs(1_000));
    const products = await ask(stage.url, '/api/products', { token });
    expect([products.status, products.headers.get('x-session-view')]).toEqual([200, null]);
    hanging.resolve();
  });
});

describe('the feed is silent', () => {
  it('auth is asked for every request, and an ended session is refused at the next one', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    await silenceFeed();
    for (const _ of [1, 2]) expect((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing')).toContain('hybrid asked');
    stage.auth.sessionOf(token).live = false;
    expect((await ask(stage.url, '/api/cart', { token })).body.code).toBe('session_ended');
  });

  it('browsing, personal pages, devices, signing in and out go on', async () => {
    const token = stage.auth.begin('user');
    await silenceFeed();
    // The page comes last, as it waits least: the connection to auth is warm by then.
    for (const path of ['/api/session', '/api/profile', '/api/session/devices', '/api/products']) {
      const told = await ask(stage.url, path, { token });
      expect([path, told.status, told.headers.get('x-session-view')]).toEqual([path, 200, null]);
    }
    const body = { email: 'ada@example.com', password: 'right' };
    const guest = stage.auth.begin('guest');
    expect((await ask(stage.url, '/api/session/login', { method: 'POST', token: guest, body })).status).toBe(200);
    expect((await ask(stage.url, '/api/session/logout', { method: 'POST', token })).status).toBe(204);
  });

  it('trusts again once it is heard again', async () => {
    const token = stage.auth.begin('user');
    await silenceFeed();
    stage.relay.startBeating();
    await until(async () => ((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing') ?? '').includes('hybrid hit'));
  });

  it('as does an unsigned record: everything is forgotten and asked again', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    await stage.relay.publish(
      { case: 'globalEpochRaised', value: { $typeName: 'cloakroom.events.v1.GlobalEpochRaised', epoch: 9n } },
      false,
    );
    await until(async () => ((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing') ?? '').includes('hybrid asked'));
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(200);
  });
});

it('a connection to auth that breaks under a question is made anew, and the question asked once more', async () => {
  let proxy!: TcpProxy;
  const behindProxy = await openStage(async (addresses) => {
    proxy = await openTcpProxy({ port: Number(addresses['AUTH_ADDRESS']!.split(':')[1]), protocol: 'any' });
    return { AUTH_ADDRESS: `localhost:${proxy.port}` };
  });
  const { auth, url } = behindProxy;
  const asked = () => auth.calls['resolve'] ?? 0;
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  try {
    const token = auth.begin('user');
    auth.gate = promise;
    const before = asked();
    const told = ask(url, '/api/cart', { token });
    await until(() => asked() === before + 1);
    proxy.reset();
    answer();
    expect([(await told).status, asked() - before]).toEqual([200, 2]);
  } finally {
    await behindProxy.stop();
    await proxy.close();
  }
});

it('a service that refuses the passport makes the gateway ask auth again', async () => {
  const token = stage.auth.begin('user');
  await ask(stage.url, '/api/cart', { token });
  stage.services.cart.failing = problem('session_ended');
  expect((await ask(stage.url, '/api/cart', { token })).body.code).toBe('session_ended');
  stage.services.cart.failing = undefined;
  expect((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing')).toContain('hybrid asked');
});
