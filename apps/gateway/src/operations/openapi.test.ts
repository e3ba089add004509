/** Holds the document to the code. Every route is called in every way that it can answer, and each answer is judged by its schema. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorTable, type ErrorCode, lineIdLengthMax, uuidV7 } from '@cloakroom/contracts';
import { ask, type Ask, type Json, openStage, type Stage, type Told } from '../testing/gateway.fixture.ts';
import { codesOf } from './openapi.ts';
import { problemSchema } from '../problem-schema.ts';
import type { Route } from '../route.ts';
import { routes } from '../testing/routes.fixture.ts';
import { type SpanWatch, watchSpans } from '@cloakroom/testing';

let stage: Stage;
let watch: SpanWatch;
let document: Json;
/** The person who has an order. */
let buyer: string;
beforeAll(async () => {
  // A watched shop on its own machine has every route.
  watch = await watchSpans();
  stage = await openStage({ PROVIDER: 'embedded' });
  document = (await ask(stage.url, '/openapi.json')).body;
  buyer = stage.auth.begin('user');
  await ask(stage.url, '/api/orders', { method: 'POST', ...good['POST /api/orders']!(), token: buyer });
  stage.services.cart.lines = [{ lineId: 'line-cap', productId: 'cap', options: [], quantity: 2, seen: 's' }];
});
afterAll(async () => {
  await stage.stop();
  watch.stop();
});

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const commandId = (): string => uuidV7(Date.now(), randomBytes(10));

/** A request of each route that is answered with success. */
const good: Record<string, () => Ask & { path?: string }> = {
  'GET /api/session': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/guest': () => ({}),
  'POST /api/session/register': () => ({
    body: { email: 'new@example.com', password: 'long enough', name: 'New' },
    token: stage.auth.begin('guest'),
  }),
  'POST /api/session/login': () => ({ body: { email: 'ada@example.com', password: 'right' } }),
  'POST /api/session/reauthenticate': () => ({ body: { password: 'right' }, token: stage.auth.begin('user') }),
  'POST /api/session/logout': () => ({ token: stage.auth.begin('user') }),
  'GET /api/session/devices': () => ({ token: stage.auth.begin('user') }),
  'DELETE /api/session/devices/{handle}': () => ({ token: stage.auth.begin('user'), path: '/api/session/devices/h1' }),
  'DELETE /api/session/devices': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/login/second-factor': () => ({ body: { challenge: 'c', code: '123456' } }),
  'POST /api/session/login/passkey/options': () => ({}),
  'POST /api/session/reauthenticate/passkey/options': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/login/passkey': () => ({ body: { challenge: 'c', response: { id: 'AAAA' } } }),
  'PUT /api/session/password': () => ({ token: stage.auth.begin('user'), body: { password: 'a new long one' } }),
  'PUT /api/session/email': () => ({ token: stage.auth.begin('user'), body: { email: 'new@example.com' } }),
  'GET /api/session/notices': () => ({ token: stage.auth.begin('user') }),
  'GET /api/session/factors': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/factors/totp': () => ({ token: stage.auth.begin('user') }),
  'PUT /api/session/factors/totp': () => ({ token: stage.auth.begin('user'), body: { code: '123456' } }),
  'DELETE /api/session/factors/totp': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/factors/recovery-codes': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/passkeys/options': () => ({ token: stage.auth.begin('user') }),
  'POST /api/session/passkeys': () => ({
    token: stage.auth.begin('user'),
    body: { challenge: 'c', name: 'Laptop', response: { id: 'AAAA' } },
  }),
  'DELETE /api/session/passkeys/{passkeyId}': () => ({ token: stage.auth.begin('user'), path: '/api/session/passkeys/p1' }),
  'GET /api/admin/users': () => ({ token: stage.auth.begin('user', { role: 'admin' }), path: '/api/admin/users?query=ada' }),
  'POST /api/admin/users/{userId}/disable': () => ({
    token: stage.auth.begin('user', { role: 'admin' }),
    path: '/api/admin/users/u_1/disable',
  }),
  'POST /api/admin/users/{userId}/enable': () => ({
    token: stage.auth.begin('user', { role: 'admin' }),
    path: '/api/admin/users/u_1/enable',
  }),
  'POST /api/admin/users/{userId}/revoke': () => ({
    token: stage.auth.begin('user', { role: 'admin' }),
    path: '/api/admin/users/u_1/revoke',
  }),
  'POST /api/admin/revoke-everything': () => ({ token: stage.auth.begin('user', { role: 'admin' }) }),
  'GET /api/products': () => ({ path: '/api/products?query=cap&option=Size:M&option=Colour:Blue&sort=-price&page=1&pageSize=5' }),
  'GET /api/products/suggestions': () => ({ path: '/api/products/suggestions?query=ca' }),
  'GET /api/products/{productId}': () => ({ path: '/api/products/cap' }),
  'GET /api/cart': () => ({ token: stage.auth.begin('guest') }),
  'POST /api/cart/lines': () => ({ body: { commandId: commandId(), productId: 'cap', quantity: 1 } }),
  'PUT /api/cart/lines/{lineId}': () => ({
    token: stage.auth.begin('guest'),
    path: '/api/cart/lines/line-cap',
    body: { commandId: commandId(), quantity: 2, seen: 's' },
  }),
  'DELETE /api/cart/lines/{lineId}': () => ({
    token: stage.auth.begin('guest'),
    path: '/api/cart/lines/line-cap',
    body: { commandId: commandId(), seen: 's' },
  }),
  'DELETE /api/cart': () => ({ token: stage.auth.begin('guest'), body: { commandId: commandId(), seen: 's' } }),
  'PUT /api/cart/coupons/{code}': () => ({
    token: stage.auth.begin('guest'),
    path: '/api/cart/coupons/welcome10',
    body: { commandId: commandId() },
  }),
  'DELETE /api/cart/coupons/{code}': () => ({
    token: stage.auth.begin('guest'),
    path: '/api/cart/coupons/WELCOME10',
    body: { commandId: commandId(), seen: 's' },
  }),
  'POST /api/orders/preview': () => ({ token: stage.auth.begin('user'), body: { seen: 's' } }),
  'POST /api/orders': () => ({
    token: stage.auth.begin('user'),
    headers: { 'idempotency-key': commandId() },
    body: { addressId: 'a1', seen: 's' },
  }),
  'GET /api/orders': () => ({ token: stage.auth.begin('user'), path: '/api/orders?page=1&pageSize=5' }),
  'GET /api/orders/{orderId}': () => ({ token: buyer, path: '/api/orders/order-1' }),
  'GET /api/profile': () => ({ token: stage.auth.begin('user') }),
  'PATCH /api/profile': () => ({ token: stage.auth.begin('user'), body: { name: 'Ada', preferences: { theme: 'dark' } } }),
  'PUT /api/profile/recently-viewed/{productId}': () => ({ token: stage.auth.begin('guest'), path: '/api/profile/recently-viewed/cap' }),
  'POST /api/page-spans': () => ({
    body: {
      spans: [
        {
          name: 'add to cart',
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          startedAtMs: Date.now() - 50,
          durationMs: 40,
        },
      ],
    },
  }),
  'GET /healthz': () => ({}),
  'GET /readyz': () => ({}),
  'GET /metrics': () => ({}),
  'GET /openapi.json': () => ({}),
  'GET /.well-known/jwks.json': () => ({}),
};

const answered = routes.filter((route) => route.live !== true);

function send(route: Route, changes: Ask & { path?: string } = {}): Promise<Told> {
  const { path = route.path, ...request } = { ...good[nameOf(route)]?.(), ...changes };
  return ask(stage.url, path, { method: route.method, ...request });
}

/** A problem must be one that the document names for this route. */
function expectDocumented(route: Route, told: Told): void {
  const shape = route.answers[told.status];
  const isProblem = told.headers.get('content-type') === 'application/problem+json';
  if (isProblem) {
    const { code } = problemSchema.parse(told.body);
    expect(codesOf(route), `${nameOf(route)} answers ${code}`).toContain(code);
    expect(document.paths[route.path][route.method.toLowerCase()].responses[told.status]).toBeDefined();
    return;
  }
  expect(shape, `${nameOf(route)} answers ${told.status}`).toBeDefined();
  if (shape!.schema === undefined) expect(told.text).toBe('');
  else expect(shape!.schema.parse(told.body ?? told.text)).toEqual(told.body ?? told.text);
}

it('the document has every route, and no other', () => {
  const told = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(told.toSorted()).toEqual(routes.map(nameOf).toSorted());
  expect(new Set(routes.map(nameOf)).size).toBe(routes.length);
  expect(Object.keys(good).toSorted()).toEqual(answered.map(nameOf).toSorted());
});

describe.each(answered.map((route) => [nameOf(route), route] as const))('%s', (_name, route) => {
  it('answers success as the document says, and nothing that it does not say', async () => {
    const told = await send(route);
    expect(told.status).toBeLessThan(300);
    expectDocumented(route, told);
    const shape = route.answers[told.status]!;
    expect(told.headers.has('consistency-token')).toBe(shape.consistency !== undefined);
    expect(told.setCookies.some((cookie) => cookie.startsWith('__Host-session=v1'))).toBe(shape.setsSession === true);
    expect(told.headers.has('server-timing')).toBe(true);
    expect(told.headers.has('traceresponse')).toBe(true);
  });

  it('answers each error as the document says', async () => {
    const attempts: Ask[] = [
      { token: '' },
      { headers: { cookie: 'consistency=a; consistency=b' } },
      { token: stage.auth.begin('guest') },
      { token: await endedToken() },
      ...(route.method === 'GET'
        ? []
        : [{ headers: { origin: 'https://evil.example' } }, { body: 'x', headers: { 'content-type': 'text/plain' } }, { body: '{' }]),
      ...(route.body === undefined ? [] : [{ body: {} }]),
    ];
    for (const attempt of attempts) expectDocumented(route, await send(route, attempt));
  });

  it('needs the identity that the document says', async () => {
    const told = await send(route, { token: '' });
    const code: string | undefined = told.body?.code;
    if (route.identity === 'guest') expect(code).toBe('session_required');
    else if (route.identity === 'user') expect(code).toBe('sign_in_required');
    else expect(told.status).toBeLessThan(300);
    const operation = document.paths[route.path][route.method.toLowerCase()];
    expect(operation.security !== undefined).toBe(route.identity === 'guest' || route.identity === 'user');
  });
});

describe('where no use case is reached', () => {
  const oddIds = ['', '0'.repeat(lineIdLengthMax + 1), '%', '%2F', '..%2F..', '%00', 'a/b'];
  const oddAddresses = routes
    .filter(({ params }) => params !== undefined)
    .flatMap((route) => {
      const taken = routes.filter((each) => each.method === route.method).map(({ path }) => path);
      const siblings = routes.map(({ path }) => path).filter((path) => patternOf(route.path).test(path) && !taken.includes(path));
      return [...oddIds.map((id) => route.path.replace(/\{\w+\}/, id)), ...siblings].map(
        (path) => [nameOf(route), path.slice(0, 60), path, route] as const,
      );
    });

  it.each(oddAddresses)('%s at %s answers what the document says', async (_name, _short, path, route) => {
    expectDocumented(route, await send(route, { path }));
  });

  it.each(routes.map((route) => [nameOf(route), route] as const))('%s: headers that no request has', async (_name, route) => {
    for (const headers of [{ 'consistency-token': 'nope' }, { 'x-long': 'x'.repeat(20_000) }])
      expectDocumented(route, await send(route, { headers }));
  });
});

/** A rule between fields, or within one, forbids each of these bodies. `undefined` takes a field away. */
const forbidden: readonly (readonly [string, Json])[] = [
  ['POST /api/session/login/second-factor', { recoveryCode: 'r' }],
  ['POST /api/session/login/second-factor', { response: { id: 'AAAA' } }],
  ['POST /api/session/login/second-factor', { code: undefined }],
  ['POST /api/session/reauthenticate', { password: undefined }],
  ['POST /api/session/reauthenticate', { password: undefined, challenge: 'c' }],
  ['POST /api/session/reauthenticate', { challenge: 'c', response: { id: 'AAAA' } }],
  ['POST /api/session/register', { name: '  ' }],
  ['POST /api/session/login', { mode: 'none' }],
  ['POST /api/session/passkeys', { name: '\t' }],
  ['PATCH /api/profile', { name: ' ' }],
  ['POST /api/cart/lines', { commandId: commandId().toUpperCase() }],
  ['POST /api/cart/lines', { options: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`o${i}`, 'v'])) }],
];

it.each(forbidden)('%s: the document forbids %j as the code does', async (name, change) => {
  const route = routes.find((each) => nameOf(each) === name)!;
  const { body } = good[name]!();
  const operation = document.paths[route.path][route.method.toLowerCase()];
  const schema = operation.requestBody.content['application/json'].schema;
  const changed = JSON.parse(JSON.stringify({ ...(body as object), ...change }));
  expect((await send(route, { body: changed })).body.code).toBe('invalid_request');
  expect([allows(schema, body), allows(schema, changed)]).toEqual([true, false]);
});

it('names the means of payment that docs/orders.md explains', () => {
  const explained = readFileSync(new URL('../../../../docs/orders.md', import.meta.url), 'utf8').matchAll(/^\| `(card_\w+)`/gm);
  const { schema } = document.paths['/api/orders'].post.requestBody.content['application/json'];
  expect(schema.properties.paymentMethod.examples).toEqual([...explained].map(([, name]) => name));
});

it('a live stream is described, with the errors that it may answer', () => {
  const events = routes.find((route) => route.live === true)!;
  const { responses } = document.paths[events.path].get;
  expect(Object.keys(responses['200'].content)).toEqual(['text/event-stream']);
  expect(Object.keys(responses['200'].content['text/event-stream'].schema.properties)).toEqual(['event', 'data']);
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '401', '429', '503']));
});

it('every code that is named stands in the error table, with its own status', () => {
  for (const route of routes) {
    const { responses } = document.paths[route.path][route.method.toLowerCase()];
    for (const code of codesOf(route)) {
      const { http } = errorTable[code as ErrorCode];
      expect(responses[http], `${nameOf(route)} ${code}`).toBeDefined();
    }
  }
});

/** zod reads a whole schema, except alternatives that say no more than which fields there are. */
function allows({ oneOf, ...rest }: Json, body: Json): boolean {
  const has = ({ required }: { readonly required: string[] }): boolean => required.every((field) => field in body);
  return z.fromJSONSchema(rest).safeParse(body).success && (oneOf === undefined || oneOf.filter(has).length === 1);
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

async function endedToken(): Promise<string> {
  const token = stage.auth.begin('user');
  await stage.end(token);
  return token;
}
