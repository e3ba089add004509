import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionState, TokenMode } from '@cloakroom/contracts';
import { ask, openStage, type Stage, tokenIn, until } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.auth.failing = undefined;
});

const login = (token?: string, body: object = {}) =>
  ask(stage.url, '/api/session/login', {
    method: 'POST',
    body: { email: 'ada@example.com', password: 'right', ...body },
    ...(token !== undefined && { token }),
  });

describe('a session begins', () => {
  it('with no look at a page, only when it is asked for', async () => {
    const before = stage.auth.sessions.size;
    for (const path of ['/api/session', '/api/products', '/api/products/cap', '/api/cart', '/api/profile']) {
      expect((await ask(stage.url, path)).setCookies).toEqual([]);
    }
    expect(stage.auth.sessions.size).toBe(before);
    const told = await ask(stage.url, '/api/session/guest', { method: 'POST' });
    expect([told.status, told.body.state]).toEqual([201, 'guest']);
    expect(stage.auth.sessions.size).toBe(before + 1);
  });

  it('in a cookie that no script and no other site can use, as long as the session can last', async () => {
    const told = await ask(stage.url, '/api/session/guest', { method: 'POST' });
    const [cookie] = told.setCookies;
    expect(cookie).toMatch(/^__Host-session=v1\.[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=(\d+)$/);
    expect(Number(/Max-Age=(\d+)/.exec(cookie!)![1])).toBeCloseTo(30 * 86_400, -2);
    expect(told.text).not.toContain(tokenIn(told));
  });

  it('once, however often a guest session is asked for', async () => {
    const token = tokenIn(await ask(stage.url, '/api/session/guest', { method: 'POST' }))!;
    const again = await ask(stage.url, '/api/session/guest', { method: 'POST', token });
    expect([again.status, again.body.state, again.setCookies]).toEqual([200, 'guest', []]);
  });

  it('anew after one that ended, since it was asked for', async () => {
    const token = stage.auth.begin('guest');
    await stage.end(token);
    const told = await ask(stage.url, '/api/session/guest', { method: 'POST', token });
    expect(told.status).toBe(201);
    expect(tokenIn(told)).not.toBe(token);
  });
});

describe('signing in', () => {
  it('answers with the person, a new token, and a merge that is pending from now on', async () => {
    const guest = stage.auth.begin('guest');
    const { subject } = stage.auth.sessionOf(guest).view;
    const told = await login(guest);
    expect(told.status).toBe(200);
    expect(told.body).toMatchObject({ state: 'user', user: { email: 'ada@example.com' }, merge: { state: 'pending', from: subject } });
    expect(tokenIn(told)).not.toBe(guest);
    const cart = await ask(stage.url, '/api/cart', { token: tokenIn(told)! });
    expect(cart.body.merge).toEqual({ state: 'pending', from: subject });
  });

  it('kills the old token at this gateway at once, without waiting for the feed', async () => {
    const guest = stage.auth.begin('guest');
    expect((await ask(stage.url, '/api/cart', { token: guest })).status).toBe(200);
    await login(guest);
    expect((await ask(stage.url, '/api/cart', { token: guest })).body.code).toBe('session_ended');
  });

  it('without a guest session claims nothing', async () => {
    expect((await login()).body).not.toHaveProperty('merge');
  });

  it('passes on the mode that was asked for, the device and the address', async () => {
    await ask(stage.url, '/api/session/login', {
      method: 'POST',
      body: { email: 'ada@example.com', password: 'right', mode: 'reference' },
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    });
    expect(stage.auth.requests.at(-1)?.request).toMatchObject({
      mode: TokenMode.REFERENCE,
      device: { label: 'Firefox on Linux' },
      remoteAddress: '127.0.0.1',
    });
  });

  it('with the wrong password changes nothing', async () => {
    const guest = stage.auth.begin('guest');
    const told = await login(guest, { password: 'wrong' });
    expect([told.status, told.body.code, told.setCookies]).toEqual([401, 'invalid_credentials', []]);
    expect((await ask(stage.url, '/api/session', { token: guest })).body.state).toBe('guest');
  });

  it('for the first time makes an account, or says that there is one', async () => {
    const body = { email: 'new@example.com', password: 'long enough', name: 'New' };
    expect((await ask(stage.url, '/api/session/register', { method: 'POST', body })).status).toBe(201);
    const taken = await ask(stage.url, '/api/session/register', { method: 'POST', body: { ...body, email: 'taken@example.com' } });
    expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
  });
});

describe('an ended session', () => {
  it('reads as none, is refused where one is needed, and keeps its cookie', async () => {
    const token = stage.auth.begin('user');
    expect((await ask(stage.url, '/api/session', { token })).body.state).toBe('user');
    await stage.end(token);
    await until(async () => (await ask(stage.url, '/api/cart', { token })).status === 401);
    const session = await ask(stage.url, '/api/session', { token });
    expect([session.body, session.setCookies]).toEqual([{ state: 'none' }, []]);
    for (const [method, path, body] of [
      ['GET', '/api/cart'],
      ['GET', '/api/profile'],
      ['GET', '/api/events'],
      ['GET', '/api/session/devices'],
      ['POST', '/api/cart/lines', { commandId: '01890a5d-ac96-774b-bcce-b302099a8057', productId: 'scarf', quantity: 1 }],
    ] as const) {
      const told = await ask(stage.url, path, { method, token, ...(body !== undefined && { body }) });
      expect([path, told.status, told.body.code, told.setCookies]).toEqual([path, 401, 'session_ended', []]);
    }
    expect((await ask(stage.url, '/api/products', { token })).status).toBe(200);
  });

  it('is refused within the latency of the feed, though its identity was cached', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    expect((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing')).toContain('hybrid hit');
    const asked = stage.auth.calls['resolve'];
    await stage.relay.revoke(token, stage.auth.sessionOf(token).view, true);
    stage.auth.sessionOf(token).live = false;
    await until(async () => (await ask(stage.url, '/api/cart', { token })).status === 401, 1_000);
    expect(stage.auth.calls['resolve']).toBeGreaterThan(asked!);
  });
});

describe('signing out', () => {
  it('ends the session and clears every cookie of one, and is the only thing that does', async () => {
    const token = stage.auth.begin('user');
    const told = await ask(stage.url, '/api/session/logout', { method: 'POST', token });
    expect(told.status).toBe(204);
    expect(told.setCookies.map((cookie) => cookie.split('=')[0])).toEqual([
      '__Host-session',
      '__Host-access',
      '__Host-refresh',
      'consistency',
    ]);
    expect(told.setCookies.every((cookie) => cookie.endsWith('Max-Age=0'))).toBe(true);
    expect((await ask(stage.url, '/api/cart', { token })).body.code).toBe('session_ended');
  });

  it('is harmless without a session', async () => {
    expect((await ask(stage.url, '/api/session/logout', { method: 'POST' })).status).toBe(204);
  });
});

describe('proving the password again', () => {
  it('changes the token and kills the old one', async () => {
    const token = stage.auth.begin('user');
    await ask(stage.url, '/api/cart', { token });
    const told = await ask(stage.url, '/api/session/reauthenticate', { method: 'POST', token, body: { password: 'right' } });
    expect([told.status, told.body.state]).toEqual([200, 'user']);
    expect((await ask(stage.url, '/api/cart', { token })).body.code).toBe('session_ended');
    expect((await ask(stage.url, '/api/cart', { token: tokenIn(told)! })).status).toBe(200);
  });

  it('is for signed-in people', async () => {
    const guest = stage.auth.begin('guest');
    const told = await ask(stage.url, '/api/session/reauthenticate', { method: 'POST', token: guest, body: { password: 'right' } });
    expect([told.status, told.body.code]).toEqual([401, 'sign_in_required']);
  });
});

describe('devices', () => {
  it('are listed by handle, ended one by one or all but this', async () => {
    const token = stage.auth.begin('user');
    const { handle } = stage.auth.sessionOf(token).view;
    const listed = await ask(stage.url, '/api/session/devices', { token });
    expect(listed.body).toMatchObject([{ handle, current: true, mode: 'hybrid' }]);
    expect(listed.text).not.toContain(token);
    expect((await ask(stage.url, `/api/session/devices/${handle}`, { method: 'DELETE', token })).status).toBe(204);
    expect((await ask(stage.url, '/api/session/devices/unknown', { method: 'DELETE', token })).body.code).toBe('not_found');
    expect((await ask(stage.url, '/api/session/devices', { method: 'DELETE', token })).status).toBe(204);
  });

  it('are sensitive: auth is asked every time', async () => {
    const token = stage.auth.begin('user');
    for (const _ of [1, 2, 3]) await ask(stage.url, '/api/session/devices', { token });
    const resolves = stage.auth.requests.filter(
      ({ method, request }) => method === 'resolve' && (request as { token: string }).token === token,
    );
    expect(resolves).toHaveLength(3);
  });

  it('are refused to a guest and to nobody', async () => {
    for (const token of [stage.auth.begin('guest'), undefined]) {
      const told = await ask(stage.url, '/api/session/devices', { ...(token !== undefined && { token }) });
      expect([told.status, told.body.code]).toEqual([401, 'sign_in_required']);
    }
  });
});

describe('mode reference', () => {
  it('asks auth at each request: an ended session is refused at the next one, feed or no feed', async () => {
    const token = stage.auth.begin('user', { mode: TokenMode.REFERENCE });
    for (const _ of [1, 2]) {
      expect((await ask(stage.url, '/api/cart', { token })).headers.get('server-timing')).toContain('reference asked');
    }
    stage.auth.sessionOf(token).live = false;
    expect((await ask(stage.url, '/api/cart', { token })).status).toBe(401);
  });
});

it('a session’s view is told with its limits', async () => {
  const token = stage.auth.begin('user');
  const { body } = await ask(stage.url, '/api/session', { token });
  expect(stage.auth.sessionOf(token).view.state).toBe(SessionState.USER);
  expect(body.handle).toBe(stage.auth.sessionOf(token).view.handle);
  for (const field of ['createdAt', 'authenticatedAt', 'idleExpiresAt', 'expiresAt']) expect(Date.parse(body[field])).toBeGreaterThan(0);
});

it('GET /api/session says where the Observatory is on a shop that has one on this machine, and nothing elsewhere', async () => {
  expect((await ask(stage.url, '/api/session')).body).not.toHaveProperty('observatory');
  await using elsewhere = await stage.another({ OBSERVATORY_URL: 'http://127.0.0.1:4009', PROVIDER: 'external' });
  expect((await ask(elsewhere.url, '/api/session')).body).not.toHaveProperty('observatory');
  await using told = await stage.another({ OBSERVATORY_URL: 'http://127.0.0.1:4009', PROVIDER: 'native' });
  expect((await ask(told.url, '/api/session')).body).toEqual({ state: 'none', observatory: 'http://localhost:4009' });
  await expect(stage.another({ OBSERVATORY_URL: 'http://observatory.example.com:4009' })).rejects.toThrow(/OBSERVATORY_URL/);
});

it('GET /api/session tells what a sign-in may choose, session or none, where the operator said so', async () => {
  expect((await ask(stage.url, '/api/session')).body).not.toHaveProperty('modes');
  await using told = await stage.another({ SESSION_MODE: 'hybrid', SESSION_MODES: 'reference, hybrid,jwt-denylist' });
  const modes = { default: 'hybrid', allowed: ['reference', 'hybrid', 'jwt-denylist'] };
  expect((await ask(told.url, '/api/session')).body).toEqual({ state: 'none', modes });
  expect((await ask(told.url, '/api/session', { token: stage.auth.begin('guest') })).body).toMatchObject({ state: 'guest', modes });
});
