/** A gateway of the region "local" and a second region "us" with an auth, keys and a feed of its own. */
import { problem } from '@cloakroom/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAuth, newTokenText } from '../testing/fake-auth.fixture.ts';
import { ask, type Ask, openStage, type Stage, type Told, tokenIn, until } from '../testing/gateway.fixture.ts';

const decisionOf = (told: Told) => /session;dur=[\d.]+;desc="([^"]+)"/.exec(told.headers.get('server-timing') ?? '')?.[1];

let us: FakeAuth;
let stage: Stage;
beforeAll(async () => {
  us = new FakeAuth('us');
  stage = await openStage({}, us);
  await untilLeased();
});
afterAll(() => stage.stop());
beforeEach(() => {
  us.failing = undefined;
});

const untilLeased = () =>
  until(async () => {
    const { body } = await ask(stage.url, '/readyz');
    return body.parts['feed-us'].leased === true;
  });
const read = (token: string, path = '/api/cart', how: Ask = {}) => ask(stage.url, path, { token, ...how });
const asked = (auth: FakeAuth, method = 'resolve') => auth.calls[method] ?? 0;
const unreachable = { status: 503, body: { code: 'home_region_unreachable' } };

describe('a session of another region', () => {
  it('is asked of the auth there alone, and cached under the lease of its own feed', async () => {
    const token = us.begin('user');
    const before = [asked(us), asked(stage.auth)];
    const told = [await read(token), await read(token)];
    expect(told.map((one) => [one.status, decisionOf(one)])).toEqual([
      [200, 'hybrid asked'],
      [200, 'hybrid hit'],
    ]);
    expect([asked(us), asked(stage.auth)]).toEqual([before[0]! + 1, before[1]]);
    expect(stage.services.seen.at(-1)!.ctx.identity).toMatchObject({ subject: us.sessionOf(token).view.subject, region: 'us' });
    expect((await read(token, '/api/session')).body.region).toEqual({ here: 'local', home: 'us', homeReachable: true });
  });

  it('is refused once its own feed says that it ended', async () => {
    const token = us.begin('user');
    await read(token);
    const session = us.sessionOf(token);
    session.live = false;
    await stage.relayAbroad.revoke(token, session.view, true);
    await until(async () => (await read(token)).status === 401);
    expect((await read(token)).body).toMatchObject({ code: 'session_ended' });
  });

  it('is not ended by a record that the auth here signed for it', async () => {
    const token = us.begin('user');
    await read(token);
    await stage.relay.revoke(token, us.sessionOf(token).view, true);
    const mine = stage.auth.begin('guest');
    await read(mine);
    await stage.end(mine);
    await until(async () => (await read(mine)).status === 401);
    expect([(await read(token)).status, decisionOf(await read(token))]).toEqual([200, 'hybrid hit']);
  });

  it('has its devices, its step-up and its end at home', async () => {
    const token = us.begin('user');
    const before = ['listDevices', 'reauthenticate', 'logout'].map((method) => [asked(us, method), asked(stage.auth, method)]);
    expect((await read(token, '/api/session/devices')).status).toBe(200);
    const proved = await read(token, '/api/session/reauthenticate', { method: 'POST', body: { password: 'right' } });
    expect(proved.status).toBe(200);
    const ended = await read(tokenIn(proved) ?? token, '/api/session/logout', { method: 'POST' });
    expect(ended.status).toBe(204);
    const after = ['listDevices', 'reauthenticate', 'logout'].map((method) => [asked(us, method), asked(stage.auth, method)]);
    expect(after).toEqual(before.map(([there, here]) => [there! + 1, here]));
  });

  it('begins a step-up by passkey at home, and a sign-in by passkey here', async () => {
    const token = us.begin('user');
    const before = [asked(us, 'passkeyRequestOptions'), asked(stage.auth, 'passkeyRequestOptions')];
    const begin = async (path: string) => (await read(token, path, { method: 'POST' })).status;
    expect(await begin('/api/session/reauthenticate/passkey/options')).toBe(200);
    expect([asked(us, 'passkeyRequestOptions'), asked(stage.auth, 'passkeyRequestOptions')]).toEqual([before[0]! + 1, before[1]]);
    expect(await begin('/api/session/login/passkey/options')).toBe(200);
    expect([asked(us, 'passkeyRequestOptions'), asked(stage.auth, 'passkeyRequestOptions')]).toEqual([before[0]! + 1, before[1]! + 1]);
  });

  it('ends at home when a sign-in here replaces it', async () => {
    const token = us.begin('user');
    const login = { method: 'POST', body: { email: 'ada@example.com', password: 'right' } };
    const told = await read(token, '/api/session/login', login);
    expect([told.status, us.sessionOf(token).live]).toEqual([200, false]);
  });

  it('stays alive while its home must still give its cart away, and the answer names that region', async () => {
    const login = (token: string) =>
      read(token, '/api/session/login', { method: 'POST', body: { email: 'ada@example.com', password: 'right' } });
    const [waiting, answered] = [us.begin('guest'), us.begin('guest')];
    stage.auth.claimWaits = true;
    const told = await login(waiting);
    stage.auth.claimWaits = false;
    expect([told.status, told.body.cartWaitsFor, us.sessionOf(waiting).live]).toEqual([200, 'us', true]);
    const next = await login(answered);
    expect([next.status, next.body.cartWaitsFor, us.sessionOf(answered).live]).toEqual([200, undefined, false]);
  });

  it('is renewed at home in the modes of signed tokens', async () => {
    const { tokens } = us.selfContained.begin('jwt-denylist');
    const cookie = (pair: Partial<typeof tokens>) =>
      [pair.access && `__Host-access=${pair.access}`, pair.refresh && `__Host-refresh=${pair.refresh}`].filter(Boolean).join('; ');
    const before = [asked(us, 'refresh'), asked(stage.auth, 'refresh')];
    const shown = await ask(stage.url, '/api/cart', { headers: { cookie: cookie(tokens) } });
    const renewed = await ask(stage.url, '/api/cart', { headers: { cookie: cookie({ refresh: tokens.refresh }) } });
    expect([shown, renewed].map((one) => [one.status, decisionOf(one)])).toEqual([
      [200, 'jwt-denylist local'],
      [200, 'jwt-denylist refreshed'],
    ]);
    expect([asked(us, 'refresh'), asked(stage.auth, 'refresh')]).toEqual([before[0]! + 1, before[1]]);
  });
});

describe('what is forged', () => {
  it('a token of a region that nobody knows is no session, and nobody is asked', async () => {
    const token = newTokenText('ap');
    const before = [asked(us), asked(stage.auth)];
    expect((await read(token, '/api/session')).body).toMatchObject({ state: 'none', region: { here: 'local' } });
    expect((await read(token)).body).toMatchObject({ code: 'session_required' });
    expect((await read(token, '/api/session/logout', { method: 'POST' })).status).toBe(204);
    expect([asked(us), asked(stage.auth)]).toEqual(before);
  });

  it('a token whose region was changed is no session', async () => {
    const token = us.begin('user').replace('v1.us.', 'v1.local.');
    expect((await read(token)).body).toMatchObject({ code: 'session_required' });
  });

  it('an access token of us that the key of this region signed lets nobody in', async () => {
    const { tokens } = stage.auth.selfContained.begin('jwt', { region: 'us' });
    const told = await ask(stage.url, '/api/cart', { headers: { cookie: `__Host-access=${tokens.access}` } });
    expect(told.body).toMatchObject({ code: 'session_required' });
  });

  it('an auth cannot speak for a session of another region than its own', async () => {
    const token = us.begin('user', { region: 'local' });
    expect(await read(token)).toMatchObject(unreachable);
  });
});

describe('while the other region is out of reach', () => {
  const cut = () => {
    us.failing = problem('unavailable');
    stage.relayAbroad.stopBeating();
    return until(async () => (await ask(stage.url, '/readyz')).body.parts['feed-us'].leased === false);
  };
  const heal = async () => {
    us.failing = undefined;
    stage.relayAbroad.startBeating();
    await untilLeased();
  };

  it('a cached identity serves what is not sensitive, and an unknown one is refused in words', async () => {
    const [known, unknown] = [us.begin('user'), us.begin('user')];
    await read(known);
    await cut();
    const told = await read(known);
    expect([told.status, decisionOf(told)]).toEqual([200, 'hybrid degraded']);
    expect((await read(known, '/api/session')).body.region).toEqual({ here: 'local', home: 'us', homeReachable: false });
    for (const refused of [await read(unknown), await read(known, '/api/session/devices')]) {
      expect(refused).toMatchObject(unreachable);
      expect(refused.body.detail).toContain('"us"');
      expect([Number(refused.headers.get('retry-after')) > 0, refused.setCookies]).toEqual([true, []]);
    }
    // The cookie stays: a browser that forgot it would leave a live session behind.
    expect(await read(known, '/api/session/logout', { method: 'POST' })).toMatchObject(unreachable);
    // Sessions of this region do not notice.
    const mine = stage.auth.begin('user');
    expect([(await read(mine)).status, decisionOf(await read(mine))]).toEqual([200, 'hybrid hit']);
    await heal();
  });

  it('strict refuses a cached identity once the lease is over', async () => {
    await using strict = await stage.another({ CUT_OFF: 'strict' });
    const { tokens } = us.selfContained.begin('jwt-denylist');
    const token = us.begin('user');
    const both: Ask[] = [{ token }, { headers: { cookie: `__Host-access=${tokens.access}` } }];
    await until(async () => (await ask(strict.url, '/readyz')).body.parts['feed-us'].leased === true);
    for (const how of both) expect((await ask(strict.url, '/api/cart', how)).status).toBe(200);
    await cut();
    await until(async () => (await ask(strict.url, '/readyz')).body.parts['feed-us'].leased === false);
    for (const how of both) expect(await ask(strict.url, '/api/cart', how)).toMatchObject(unreachable);
    await heal();
  });

  it('a session that ended meanwhile is not accepted after the heal', async () => {
    const token = us.begin('user');
    await read(token);
    await cut();
    us.sessionOf(token).live = false;
    // Home answers before its feed is heard again.
    us.failing = undefined;
    expect((await read(token)).body).toMatchObject({ code: 'session_ended' });
    await heal();
    expect((await read(token)).body).toMatchObject({ code: 'session_ended' });
  });
});
