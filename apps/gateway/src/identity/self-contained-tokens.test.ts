import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TokenMode, uuidV7 } from '@cloakroom/contracts';
import type { TokenPair } from '../testing/fake-self-contained-tokens.fixture.ts';
import { ask, type Ask, openStage, type Stage, type Told, tokenIn, until } from '../testing/gateway.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(async () => {
  stage.auth.failing = undefined;
  stage.auth.gate = undefined;
  stage.auth.selfContained.lifetimeMs = 300_000;
});

const cookieOf = ({ access, refresh }: Partial<TokenPair>, more = ''): Record<string, string> => ({
  cookie: [access && `__Host-access=${access}`, refresh && `__Host-refresh=${refresh}`, more].filter(Boolean).join('; '),
});
const read = (tokens: Partial<TokenPair>, path = '/api/cart', how: Ask = {}) =>
  ask(stage.url, path, { ...how, headers: { ...cookieOf(tokens), ...how.headers } });
const begin = (mode: 'jwt' | 'jwt-denylist') => stage.auth.selfContained.begin(mode);
const cookieIn = (told: Told, name: string) => told.setCookies.find((cookie) => cookie.startsWith(`${name}=`));
const valueIn = (told: Told, name: string) =>
  cookieIn(told, name)
    ?.slice(name.length + 1)
    .split(';')[0];
const decisionOf = (told: Told) => /session;dur=[\d.]+;desc="([^"]+)"/.exec(told.headers.get('server-timing') ?? '')?.[1];
const callsTo = (method: string) => stage.auth.calls[method] ?? 0;
const publishEnd = (view: Parameters<typeof stage.relay.revoke>[1]) => stage.relay.revoke('', view, true);

describe.each(['jwt', 'jwt-denylist'] as const)('in mode %s', (mode) => {
  it('a request is answered from its access token, and nobody is asked', async () => {
    const { session, tokens } = begin(mode);
    const before = [callsTo('resolve'), callsTo('refresh')];
    const told = await read(tokens);
    expect([told.status, decisionOf(told), told.setCookies]).toEqual([200, `${mode} local`, []]);
    expect([callsTo('resolve'), callsTo('refresh')]).toEqual(before);
    const forwarded = stage.services.seen.at(-1)!;
    expect(forwarded.ctx.identity).toMatchObject({ subject: session.view.subject, accessMode: mode });
    expect((await read(tokens, '/api/session')).body).toMatchObject({ state: 'user', mode, user: { email: 'ada@example.com' } });
  });
  it('an access token that has run out, or is not there, is renewed unseen, with both cookies', async () => {
    const spent = (session: ReturnType<typeof begin>['session']) => stage.auth.selfContained.issue(session, -1_000).access;
    for (const accessOf of [spent, () => undefined, () => 'not.ours.atall']) {
      const { session, tokens } = begin(mode);
      const access = accessOf(session);
      const told = await read({ ...(access !== undefined && { access }), refresh: tokens.refresh });
      expect([told.status, decisionOf(told)]).toEqual([200, `${mode} refreshed`]);
      expect(cookieIn(told, '__Host-access')).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
      expect(cookieIn(told, '__Host-refresh')).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=2\d{6}$/);
      expect(told.text).not.toContain(valueIn(told, '__Host-access')!);
    }
  });
  it('twenty requests at once with one spent access token cost one question, and all get the same successor', async () => {
    const { tokens } = begin(mode);
    const before = callsTo('refresh');
    const told = await Promise.all(Array.from({ length: 20 }, () => read({ refresh: tokens.refresh })));
    expect(told.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(callsTo('refresh')).toBe(before + 1);
    expect(new Set(told.map((each) => valueIn(each, '__Host-refresh'))).size).toBe(1);
  });
  it('a sensitive request asks auth, and is refused the moment the session is over there', async () => {
    const { session, tokens } = begin(mode);
    const told = await read(tokens, '/api/session/devices');
    expect([told.status, decisionOf(told)]).toEqual([200, `${mode} asked`]);
    expect(stage.services.seen.at(-1)!.ctx.identity, 'by a passport').not.toHaveProperty('accessMode');
    session.live = false;
    expect((await read(tokens, '/api/session/devices')).body.code).toBe('session_ended');
  });
  it('a session that is over is said to be over when it would be renewed, and no cookie is cleared', async () => {
    const { session, tokens } = begin(mode);
    session.live = false;
    const told = await read({ refresh: tokens.refresh });
    expect([told.status, told.body.code, told.setCookies]).toEqual([401, 'session_ended', []]);
    expect((await read({ refresh: tokens.refresh }, '/api/session')).body.state).toBe('none');
  });
  it('tokens that never were ours count as none, and the session cookie beside them is looked at', async () => {
    const { tokens } = begin(mode);
    const forged = tokens.refresh.replace(/\.0\./, '.9.');
    expect((await read({ refresh: forged })).body.code).toBe('session_required');
    expect((await read({ access: `${tokens.access.slice(0, -3)}AAA` }, '/api/session')).body.state).toBe('none');
    const guest = stage.auth.begin('guest');
    const told = await ask(stage.url, '/api/session', { headers: cookieOf({ refresh: forged }, `__Host-session=${guest}`) });
    expect(told.body.state).toBe('guest');
  });
  it('while auth is silent a renewal is 503 with Retry-After, never a silent guest', async () => {
    const { tokens } = begin(mode);
    stage.auth.failing = { problem: 'unavailable' };
    const told = await read({ refresh: tokens.refresh });
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'identity_unavailable', '2']);
    expect((await read(tokens)).status, 'what was signed goes on').toBe(200);
  });
  it('a page that anyone may see renews nothing and sets no cookie', async () => {
    const { tokens } = begin(mode);
    const before = callsTo('refresh');
    const told = await read({ refresh: tokens.refresh }, '/api/products');
    expect([told.status, told.setCookies, told.headers.get('x-session-view')]).toEqual([200, [], null]);
    expect(callsTo('refresh')).toBe(before);
  });
  it('signing in takes the other kind of cookie away, and signing out takes all', async () => {
    const guest = stage.auth.begin('guest');
    const body = { email: 'ada@example.com', password: 'right', mode };
    const told = await ask(stage.url, '/api/session/login', { method: 'POST', body, token: guest });
    expect(told.body.mode).toBe(mode);
    expect(cookieIn(told, '__Host-session')).toMatch(/^__Host-session=; .*Max-Age=0$/);
    const tokens = { access: valueIn(told, '__Host-access')!, refresh: valueIn(told, '__Host-refresh')! };
    const again = await read(tokens, '/api/session/login', { method: 'POST', body: { ...body, mode: 'hybrid' } });
    expect(tokenIn(again)).toMatch(/^v1\./);
    for (const name of ['__Host-access', '__Host-refresh']) expect(cookieIn(again, name)).toContain('Max-Age=0');
    const out = await read(tokens, '/api/session/logout', { method: 'POST' });
    for (const name of ['__Host-session', '__Host-access', '__Host-refresh', 'consistency'])
      expect(cookieIn(out, name)).toContain('Max-Age=0');
  });
  it('two cookies of one name are refused', async () => {
    const { tokens } = begin(mode);
    const twice = { cookie: `__Host-refresh=${tokens.refresh}; __Host-refresh=${tokens.refresh}` };
    expect((await ask(stage.url, '/api/cart', { headers: twice })).body.code).toBe('ambiguous_cookies');
  });
  it('of two sessions in one pair of cookies the one that can go on decides', async () => {
    const [one, other] = [begin(mode), begin(mode)];
    const told = await read({ access: one.tokens.access, refresh: other.tokens.refresh }, '/api/session');
    expect(told.body.user.id).toBe(other.session.view.subject);
  });
  it('a slow answer to an old token does not overwrite newer cookies', async () => {
    const { session, tokens } = begin(mode);
    const spent = { access: stage.auth.selfContained.issue(session, -1_000).access, refresh: tokens.refresh };
    stage.services.cart.hangMs = 400;
    const slow = read(spent, '/api/cart', { method: 'DELETE', body: { commandId: uuidV7(Date.now(), Buffer.alloc(10, 7)), seen: 'x' } });
    await until(() => callsTo('refresh') > 0 && session.generation === 1);
    const newest = stage.auth.selfContained.issue(session);
    const proven = await read(newest, '/api/session/reauthenticate', { method: 'POST', body: { password: 'right' } });
    expect(valueIn(proven, '__Host-refresh')).toContain('.2.');
    const late = await slow;
    stage.services.cart.hangMs = 0;
    expect(late.setCookies.filter((cookie) => cookie.startsWith('__Host-'))).toEqual([]);
  });
});

describe('an answer that is repeated from memory', () => {
  it('is repeated no more once its refresh token was used here', async () => {
    const { tokens } = begin('jwt');
    const first = await read({ refresh: tokens.refresh });
    expect((await read({ refresh: valueIn(first, '__Host-refresh')! })).status).toBe(200);
    expect((await read({ refresh: tokens.refresh })).body.code).toBe('session_ended');
  });
  it('nor once this gateway was shown what came of it at another', async () => {
    const { tokens } = begin('jwt');
    const first = await read({ refresh: tokens.refresh });
    await using second = await stage.another();
    const elsewhere = await ask(second.url, '/api/cart', { headers: cookieOf({ refresh: valueIn(first, '__Host-refresh')! }) });
    expect((await read({ access: valueIn(elsewhere, '__Host-access')!, refresh: valueIn(elsewhere, '__Host-refresh')! })).status).toBe(200);
    expect((await read({ refresh: tokens.refresh })).body.code).toBe('session_ended');
  });
  it('is not stopped by a number that nobody signed', async () => {
    const { tokens } = begin('jwt');
    const first = await read({ refresh: tokens.refresh });
    const before = callsTo('refresh');
    const forged = tokens.refresh.replace(/\.0\.[^.]+$/, `.7.${'A'.repeat(43)}`);
    expect((await read({ access: valueIn(first, '__Host-access')!, refresh: forged })).status).toBe(200);
    expect((await read({ refresh: tokens.refresh })).status).toBe(200);
    expect(callsTo('refresh')).toBe(before);
  });
});

describe.each(['jwt', 'jwt-denylist'] as const)('the role in an access token of mode %s', (mode) => {
  it('is shown to the administrator, without a question', async () => {
    const { tokens } = stage.auth.selfContained.begin(mode, { role: 'admin' });
    const before = callsTo('resolve');
    expect((await read(tokens, '/api/session')).body.user).toMatchObject({ role: 'admin' });
    expect((await read(begin(mode).tokens, '/api/session')).body.user).not.toHaveProperty('role');
    expect(callsTo('resolve')).toBe(before);
  });
  it('opens nothing once auth has taken it back', async () => {
    const { session, tokens } = stage.auth.selfContained.begin(mode, { role: 'admin' });
    expect((await read(tokens, '/api/admin/users?query=ada')).status).toBe(200);
    session.view.role = '';
    const before = stage.services.seen.length;
    const asked = [
      await read(tokens, '/api/admin/users?query=ada'),
      await read(tokens, '/api/admin/users/u_1/disable', { method: 'POST' }),
      await read(tokens, '/api/admin/revoke-everything', { method: 'POST' }),
    ];
    expect(asked.map(({ body }) => body.code)).toEqual(['forbidden', 'forbidden', 'forbidden']);
    expect(stage.services.seen.length, 'nothing reached auth but the question who it is').toBe(before);
    // A page still shows the role in the token, although it is stale.
    expect((await read(tokens, '/api/session')).body.user).toMatchObject({ role: 'admin' });
  });
});

describe('what was revoked', () => {
  it('in mode jwt goes on to the end of its access token: the lesson', async () => {
    const { session, tokens } = begin('jwt');
    session.live = false;
    await publishEnd(session.view);
    const other = begin('jwt-denylist');
    await publishEnd(other.session.view);
    await until(async () => (await read(other.tokens)).status === 401);
    expect((await read(tokens)).status).toBe(200);
    expect((await read({ ...tokens, access: stage.auth.selfContained.issue(session, -1).access })).body.code).toBe('session_ended');
  });
  it('in mode jwt-denylist is refused as soon as it was heard, without a question', async () => {
    const { session, tokens } = begin('jwt-denylist');
    expect((await read(tokens)).status).toBe(200);
    session.live = false;
    await publishEnd(session.view);
    await until(async () => (await read(tokens)).status === 401);
    const before = callsTo('resolve');
    const told = await read(tokens);
    expect([told.body.code, told.setCookies]).toEqual(['session_ended', []]);
    expect(callsTo('resolve')).toBe(before);
  });
  it('in mode jwt-denylist is refused at the gateway that saw the sign-out before the feed says so', async () => {
    const { tokens } = begin('jwt-denylist');
    expect((await read(tokens)).status).toBe(200);
    await read(tokens, '/api/session/logout', { method: 'POST' });
    expect((await read(tokens)).body.code).toBe('session_ended');
  });
  it('before this gateway began is refused too: the feed is read back', async () => {
    const { session, tokens } = begin('jwt-denylist');
    await publishEnd(session.view);
    await using second = await stage.another();
    const told = await ask(second.url, '/api/cart', { headers: cookieOf(tokens) });
    expect([told.status, told.body.code]).toEqual([401, 'session_ended']);
  });
});

describe('without the lease', () => {
  it('jwt-denylist is introspected at each request, jwt is not; and where auth is silent too, reads go on and nothing sensitive does', async () => {
    const [jwt, denylist] = [begin('jwt'), begin('jwt-denylist')];
    stage.relay.stopBeating();
    try {
      await until(async () => decisionOf(await read(denylist.tokens)) === 'jwt-denylist asked');
      expect(stage.services.seen.at(-1)!.ctx.identity).not.toHaveProperty('accessMode');
      expect(decisionOf(await read(jwt.tokens))).toBe('jwt local');
      stage.auth.failing = { problem: 'unavailable' };
      const told = await read(denylist.tokens);
      expect([told.status, decisionOf(told)]).toEqual([200, 'jwt-denylist degraded']);
      expect((await read(denylist.tokens, '/api/session/devices')).status).toBe(503);
      stage.auth.failing = undefined;
      denylist.session.live = false;
      // A breaker that opened meanwhile asks again soon.
      await until(async () => (await read(denylist.tokens)).body.code === 'session_ended');
    } finally {
      stage.relay.startBeating();
      await until(async () => decisionOf(await read(begin('jwt-denylist').tokens)) === 'jwt-denylist local');
    }
  });
});

describe('a live stream of a self-contained session', () => {
  const open = async (tokens: Partial<TokenPair>) => {
    const answer = await fetch(`${stage.url}/api/events`, { headers: cookieOf(tokens) });
    return { answer, ended: answer.text() };
  };
  it('is opened by a request that renews, with its cookies', async () => {
    const { tokens } = begin('jwt-denylist');
    const { answer } = await open({ refresh: tokens.refresh });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie().map((cookie) => cookie.split('=')[0])).toEqual(['__Host-access', '__Host-refresh']);
    await answer.body!.cancel().catch(() => undefined);
  });
  it('ends with the session in jwt-denylist, and says so', async () => {
    const { session, tokens } = begin('jwt-denylist');
    const { ended } = await open(tokens);
    session.live = false;
    await publishEnd(session.view);
    expect(await ended).toContain('event: session\ndata: {"state":"none"}');
  });
  it('ends with its access token, without a word of an end: the browser opens the next', async () => {
    const { session } = begin('jwt');
    const { ended } = await open(stage.auth.selfContained.issue(session, 3_000));
    expect(await ended).not.toContain('event: session');
    expect(session.generation, 'nothing was renewed where no cookie can be set').toBe(0);
  });
});

it('a mode is passed on to auth as it was asked for', async () => {
  await ask(stage.url, '/api/session/login', { method: 'POST', body: { email: 'ada@example.com', password: 'right', mode: 'jwt' } });
  expect(stage.auth.requests.findLast(({ method }) => method === 'login')?.request).toMatchObject({ mode: TokenMode.JWT });
});
