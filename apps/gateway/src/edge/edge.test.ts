import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newTokenText } from '../testing/fake-auth.fixture.ts';
import { ask, openStage, origin, type Stage, type Told } from '../testing/gateway.fixture.ts';
import { problemSchema } from '../problem-schema.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.auth.failing = undefined;
  stage.services.profile.throwing = false;
  stage.services.seen.length = 0;
});

/** Every error has this one shape. */
function expectProblem(told: Told, status: number, code: string): void {
  expect([told.status, told.body?.code]).toEqual([status, code]);
  expect(told.headers.get('content-type')).toBe('application/problem+json');
  expect(problemSchema.parse(told.body)).toMatchObject({ status, code, type: `urn:cloakroom:problem:${code}` });
}

describe('an error exit', () => {
  it('404: unknown and unbuilt addresses', async () => {
    for (const path of ['/api/nothing', '/nothing', '/api/orders/o-1/nothing', '/api/session/nothing', '/api/cart/coupons']) {
      expectProblem(await ask(stage.url, path), 404, 'not_found');
    }
  });

  it('405: another method, and which ones there are', async () => {
    const told = await ask(stage.url, '/api/session/login');
    expectProblem(told, 405, 'method_not_allowed');
    expect(told.headers.get('allow')).toBe('POST');
    const lines = await ask(stage.url, '/api/cart/lines/x', { method: 'PATCH', body: {} });
    expectProblem(lines, 405, 'method_not_allowed');
    expect(lines.headers.get('allow')).toBe('PUT, DELETE');
  });

  it('405: a method that HTTP knows and no address takes, with a trace to tell and nothing in the log', async () => {
    for (const path of ['/api/cart', '/api/nothing', '/', '/healthz'])
      for (const method of ['QUERY', 'PROPFIND', 'TRACE', 'M-SEARCH']) {
        const { port } = new URL(stage.url);
        const told = await new Promise<{ status: number | undefined; code: string; allow: string | undefined }>((resolve, reject) =>
          httpRequest({ port, path, method, headers: { origin } }, (answer) => {
            let text = '';
            answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
            answer.on('end', () => resolve({ status: answer.statusCode, code: JSON.parse(text).code, allow: answer.headers.allow }));
          })
            .on('error', reject)
            .end(),
        );
        expect(told, `${method} ${path}`).toMatchObject({ status: 405, code: 'method_not_allowed', allow: expect.stringContaining('GET') });
      }
  });

  it('405: an address that is written out is no id of the pattern beside it', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const told = await ask(stage.url, '/api/orders/preview', { method });
      expectProblem(told, 405, 'method_not_allowed');
      expect(told.headers.get('allow')).toBe('POST');
    }
    expect((await ask(stage.url, '/api/events', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET');
  });

  it('404 and 405 whatever the body is', async () => {
    for (const body of ['{"a":', '{"__proto__":{}}', '{"a":{"constructor":{"prototype":1}}}', 'x'.repeat(70_000)]) {
      expectProblem(await ask(stage.url, '/api/nothing', { method: 'POST', body }), 404, 'not_found');
      expectProblem(await ask(stage.url, '/healthz', { method: 'PATCH', body }), 405, 'method_not_allowed');
      const form = { 'content-type': 'multipart/form-data; boundary=x' };
      expectProblem(await ask(stage.url, '/api/cart/lines/x', { method: 'PATCH', body, headers: form }), 405, 'method_not_allowed');
    }
  });

  it('400: a body that is no JSON', async () => {
    for (const body of ['{"email":', 'null', '[]', '"text"']) {
      expectProblem(await ask(stage.url, '/api/session/login', { method: 'POST', body }), 400, 'invalid_request');
    }
  });

  it('400: names each field, never its value', async () => {
    const told = await ask(stage.url, '/api/session/register', { method: 'POST', body: { email: 'no', password: 'hunter2', name: '' } });
    expectProblem(told, 400, 'invalid_request');
    expect(told.body.errors.map((error: { field: string }) => error.field)).toEqual(['body.email', 'body.password', 'body.name']);
    expect(told.text).not.toContain('hunter2');
    expectProblem(await ask(stage.url, '/api/products?page=0'), 400, 'invalid_request');
    expectProblem(await ask(stage.url, '/api/products?pageSize=1000'), 400, 'invalid_request');
  });

  it('400: an address that cannot be decoded', async () => {
    expectProblem(await ask(stage.url, '/api/products/%zz'), 400, 'invalid_request');
  });

  it('413: a body beyond 64 kB', async () => {
    const body = { email: 'ada@example.com', password: 'x'.repeat(70_000) };
    expectProblem(await ask(stage.url, '/api/session/login', { method: 'POST', body }), 413, 'payload_too_large');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp'])(
    '415: a body that is not application/json: %s',
    async (type) => {
      const told = await ask(stage.url, '/api/session/login', { method: 'POST', body: '{}', headers: { 'content-type': type } });
      expectProblem(told, 415, 'unsupported_media_type');
    },
  );

  it('431: headers beyond 16 kB, in the same shape', async () => {
    const text = await rawRequest(`GET /api/session HTTP/1.1\r\nhost: x\r\ncookie: a=${'x'.repeat(20_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(text).toContain('application/problem+json');
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ status: 431, code: 'headers_too_large' });
  });

  it('400: what is no HTTP at all', async () => {
    const text = await rawRequest('NONSENSE\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'invalid_request' });
  });

  it('400: no Host, and two of them', async () => {
    for (const hosts of ['', 'host: x\r\nHost: y\r\n']) {
      const text = await rawRequest(`GET /api/session HTTP/1.1\r\n${hosts}connection: close\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain('content-type: application/problem+json');
    }
    expect(await rawRequest('GET /api/session HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('none: an expectation that nobody knows is passed over', async () => {
    const text = await rawRequest('GET /api/session HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\nconnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('500: says nothing of what happened inside', async () => {
    stage.services.profile.throwing = true;
    const told = await ask(stage.url, '/api/profile', { token: stage.auth.begin('user') });
    expectProblem(told, 500, 'internal');
    expect(told.text).not.toContain('secret');
    expect(told.body.traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('a cross-site request', () => {
  const refused: [string, Record<string, string>][] = [
    ['from another origin', { origin: 'https://evil.example' }],
    ['from a look-alike of our origin', { origin: `${origin}.evil.example` }],
    ['from a sandboxed page', { origin: 'null' }],
    ['from a sibling host, by fetch metadata', { origin, 'sec-fetch-site': 'same-site' }],
    ['from another site, by fetch metadata', { origin, 'sec-fetch-site': 'cross-site' }],
    ['without a word of where from', { origin: '' }],
  ];
  it.each(refused)('is refused before its body is read: %s', async (_what, headers) => {
    const told = await ask(stage.url, '/api/session/login', { method: 'POST', body: '{not json', headers });
    expectProblem(told, 403, 'cross_site_request');
  });

  it('is refused on every unsafe route', async () => {
    for (const [method, path] of [
      ['POST', '/api/session/guest'],
      ['POST', '/api/session/logout'],
      ['DELETE', '/api/session/devices'],
      ['PUT', '/api/profile/recently-viewed/cap'],
      ['PATCH', '/api/profile'],
      ['DELETE', '/api/cart'],
    ] as const) {
      expectProblem(await ask(stage.url, path, { method, headers: { origin: 'https://evil.example' } }), 403, 'cross_site_request');
    }
  });

  it.each(['/%61pi/session/guest', '/ap%69/session/gues%74', 'http://localhost:4000/api/session/guest', 'HTTPS://x/api/session/guest'])(
    'is refused however its address is spelt: %s',
    async (target) => {
      const text = await rawRequest(`POST ${target} HTTP/1.1\r\nhost: x\r\norigin: https://evil.example\r\nconnection: close\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 403 /);
      expect(text).not.toMatch(/set-cookie/i);
    },
  );

  it('is not what a page or a plain client of ours sends', async () => {
    for (const headers of [{ origin }, { origin: 'http://localhost:4001' }, { origin, 'sec-fetch-site': 'same-origin' }] as Record<
      string,
      string
    >[]) {
      expect((await ask(stage.url, '/api/session/guest', { method: 'POST', headers })).status).toBe(201);
    }
    const told = await plain('POST', '/api/session/guest', { 'sec-fetch-site': 'same-origin' });
    expect(told).toBe(201);
  });
});

describe('cookies', () => {
  it('two of our name are refused, whoever set them', async () => {
    const token = stage.auth.begin('user');
    for (const cookie of [
      `__Host-session=${token}; __Host-session=${token}`,
      `__Host-session=${token}; __host-session=x`,
      `consistency=local:1:1; consistency=local:1:2; __Host-session=${token}`,
    ]) {
      expectProblem(await ask(stage.url, '/api/session', { headers: { cookie } }), 400, 'ambiguous_cookies');
    }
  });

  it('of a name that is ours only after a no-break space is not ours', async () => {
    const token = stage.auth.begin('user');
    const text = await rawRequest(
      `GET /api/session HTTP/1.1\r\nhost: x\r\ncookie: \u00a0__Host-session=${token}\r\nconnection: close\r\n\r\n`,
    );
    expect(text).toContain('{"state":"none"}');
  });

  it('of others are nobody’s business', async () => {
    const token = stage.auth.begin('user');
    const told = await ask(stage.url, '/api/session', { headers: { cookie: `a=1; a=2; theme; __Host-session=${token}; =x` } });
    expect([told.status, told.body.state]).toEqual([200, 'user']);
  });

  it('with a token that never was ours count as none, and auth is not asked', async () => {
    const before = stage.auth.calls['resolve'];
    const foreign = newTokenText();
    const forged = [`${foreign.slice(0, -4)}AAAA`, foreign.replace('.00ff.', '.0000.'), 'x', '%00', 'v1.local.00ff..'];
    for (const token of forged) expect((await ask(stage.url, '/api/session', { token })).body).toEqual({ state: 'none' });
    expectProblem(await ask(stage.url, '/api/cart', { token: forged[0]! }), 401, 'session_required');
    expect(stage.auth.calls['resolve']).toBe(before);
  });
});

describe('headers that resemble our identity metadata', () => {
  it('change nothing, whatever their spelling, and are counted', async () => {
    const before = await counted();
    const names = ['x-passport', 'X-Passport', 'x_passport', 'x-passport-bin', 'X-PASSPORT-BIN', 'x-user-id', 'x.passport'];
    for (const name of names) {
      expectProblem(await ask(stage.url, '/api/cart', { headers: { [name]: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA' } }), 401, 'session_required');
    }
    expect((await counted()) - before).toBe(names.length);
  });

  it('never reach a service: it sees the passport that auth signed, and one only', async () => {
    const token = stage.auth.begin('user');
    const { subject } = stage.auth.sessionOf(token).view;
    const raw = await plain('GET', '/api/cart', { cookie: `__Host-session=${token}`, 'x-passport': ['a', 'b'], 'X-Passport-Bin': 'AAAA' });
    expect(raw).toBe(200);
    expect(stage.services.seen.at(-1)?.ctx.identity?.subject).toBe(subject);
  });

  const counted = async (): Promise<number> =>
    Number(/gateway_lookalike_headers_total (\d+)/.exec((await ask(stage.url, '/metrics')).text)?.[1] ?? 0);
});

describe('every answer', () => {
  it('tells the browser not to trust it too far', async () => {
    for (const path of ['/api/session', '/api/products', '/nothing', '/healthz', '/api/products/%zz']) {
      const { headers } = await ask(stage.url, path);
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).not.toBeNull();
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('strict-transport-security')).toBeNull();
    }
  });

  it('that is personal is never to be stored', async () => {
    const token = stage.auth.begin('user');
    for (const path of ['/api/session', '/api/cart', '/api/profile', '/api/session/devices']) {
      expect((await ask(stage.url, path, { token })).headers.get('cache-control')).toBe('no-store');
    }
  });

  it('names its replica, its session decision and the budget left', async () => {
    const token = stage.auth.begin('user');
    const first = await ask(stage.url, '/api/cart', { token });
    expect(first.headers.get('x-gateway')).toBe('gateway-test');
    expect(first.headers.get('server-timing')).toMatch(/session;dur=[\d.]+;desc="hybrid asked"/);
    const second = await ask(stage.url, '/api/cart', { token });
    expect(second.headers.get('server-timing')).toMatch(
      /session;dur=[\d.]+;desc="hybrid hit".*cart;dur=.*budget;dur=[\d.]+;desc="left of 2500 ms"/,
    );
    expect((await ask(stage.url, '/api/session')).headers.get('server-timing')).toContain('session;dur=0;desc="none"');
  });

  it('belongs to the trace that the caller began', async () => {
    const traceId = 'a'.repeat(32);
    const headers = { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` };
    await ask(stage.url, '/api/products', { headers });
    expect(stage.services.seen.at(-1)?.ctx.trace.traceId).toBe(traceId);
    await ask(stage.url, '/api/products', { headers: { traceparent: '00-nonsense' } });
    expect(stage.services.seen.at(-1)?.ctx.trace.traceId).not.toBe(traceId);
  });

  it('names its trace, good or bad, so that anybody can look it up', async () => {
    const traceId = 'c'.repeat(32);
    const headers = { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` };
    const good = await ask(stage.url, '/api/products', { headers });
    expect([good.status, good.headers.get('traceresponse')?.split('-')]).toEqual([
      200,
      ['00', traceId, expect.stringMatching(/^[0-9a-f]{16}$/), '01'],
    ]);
    const bad = await ask(stage.url, '/api/orders', { token: '' });
    expect(bad.headers.get('traceresponse')?.split('-')[1]).toBe(bad.body.traceId);
    const nowhere = await ask(stage.url, '/api/nowhere');
    expect(nowhere.headers.get('traceresponse')?.split('-')[1]).toBe(nowhere.body.traceId);
  });

  it('is given within a budget that services see shrinking', async () => {
    await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') });
    const timing = (await ask(stage.url, '/api/cart', { token: stage.auth.begin('guest') })).headers.get('server-timing')!;
    expect(Number(/budget;dur=([\d.]+)/.exec(timing)![1])).toBeLessThan(2_500);
  });
});

function rawRequest(text: string): Promise<string> {
  const { hostname, port } = new URL(stage.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

/** Asks by node:http, which sends repeated headers and none of its own. @returns the status */
function plain(method: string, path: string, headers: Record<string, string | string[]>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(stage.url + path, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}
