/** Faults over the API of a running Observatory, as the page, the command and a service see them. */
import { faultMaxMs, type FaultSwitches, type LinkedStack, type ToObservatory } from '@cloakroom/contracts';
import { createLogger, observatoryBearer, observatoryProof, observatoryProofHeader, type Running, systemClock } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FaultOn, FaultsView } from '../api.ts';
import { readConfig, start } from '../start.ts';
import { FaultSwitches as Switches } from './fault-switches.ts';

const [pageKey, spanKey] = ['p'.repeat(43), 's'.repeat(43)];
const processOf = (name: string, apps: readonly string[] = []) => ({
  name,
  kind: 'app' as const,
  apps,
  needs: [],
  url: '',
  ports: [],
  readyUrls: [],
  state: 'ready' as const,
  pid: 1,
  restarts: 0,
});
const nonce = 'n'.repeat(22);
const stack: LinkedStack = {
  provider: 'native',
  profile: 'usual',
  gateways: [],
  processes: ['auth', 'cart', 'gateway-1', 'gateway-2', 'redis-carts'].map((name) => ({
    ...processOf(name),
    ...(name === 'gateway-1' && { pid: 71, connectsTo: ['auth', 'cart'] }),
    ...(name === 'auth' && { ports: [4110, 4111] }),
  })),
};

let nowMs: number;
let observatory: Running;
beforeEach(async () => {
  nowMs = 1_000;
  const config = readConfig({ LISTEN_PORT: '0', OBSERVATORY_PAGE_KEY: pageKey, OBSERVATORY_SPAN_KEY: spanKey });
  const parts = { log: createLogger('test', 'silent'), clock: { ...systemClock, monotonicMs: () => nowMs } };
  const channel = { send: () => undefined, onMessage: (listen: (message: ToObservatory) => void) => listen({ kind: 'stack', stack }) };
  observatory = await start(config, parts, channel);
});
afterEach(() => observatory.stop());

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of many shapes
type Json = any;
async function ask(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const response = await fetch(observatory.url + path, {
    method,
    headers: {
      authorization: `Bearer ${path.startsWith('/v1') ? observatoryBearer(spanKey) : pageKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
const list = async (): Promise<FaultsView> => (await ask('GET', '/api/faults')).body as FaultsView;
const told = async (seen = '', wait = 0): Promise<FaultSwitches> =>
  (await ask('GET', `/v1/faults?seen=${seen}&wait=${wait}&nonce=${nonce}`)).body as FaultSwitches;

it('the list says in words what each fault does, whom it meets and what may be chosen', async () => {
  const { faults, on } = await list();
  expect(on).toEqual([]);
  expect(faults.filter(({ title, explanation }) => title === '' || explanation.length < 40)).toEqual([]);
  expect(faults.find(({ name }) => name === 'rpc-slow')).toMatchObject({
    reach: 'mine',
    strength: { usualMs: 300 },
    at: { what: 'method', needed: true, among: expect.arrayContaining(['CartService/GetCart']) as string[] },
  });
  expect(faults.find(({ name }) => name === 'revocations-held')?.at?.among).toEqual(['cart', 'gateway-1', 'gateway-2']);
});

it('a service is told of a switch with its strength, its place, its trainee and what is left of it', async () => {
  const wanted = { mine: 'ada', at: 'CartService/GetCart', strengthMs: 200, forMs: 60_000 };
  const { status, body } = await ask('PUT', '/api/faults/rpc-slow', wanted);
  expect([status, body]).toMatchObject([200, { name: 'rpc-slow', mine: 'ada', strengthMs: 200, leftMs: 60_000 }]);
  nowMs += 1_000;
  expect((await told()).switches).toEqual([
    { id: (body as FaultOn).id, fault: 'rpc-slow', at: 'CartService/GetCart', experiment: 'ada', strengthMs: 200, leftMs: 59_000 },
  ]);
  nowMs += 59_000;
  expect([(await told()).switches, (await list()).on]).toEqual([[], []]);
});

it('a connection is chosen among those that are drawn, and the process at its near end is told the ports of the far one', async () => {
  const { faults } = await list();
  expect(faults.find(({ name }) => name === 'connection-cut')?.at?.among).toEqual(['gateway-1:auth', 'gateway-1:cart']);
  await ask('PUT', '/api/faults/connection-cut', { everybody: true, at: 'gateway-1:auth' });
  expect((await told()).switches).toMatchObject([
    { fault: 'connection-cut', at: 'gateway-1:auth', ends: { pid: 71, ports: [4110, 4111] } },
  ]);
});

it.each([
  ['a connection that is not drawn', 'connection-cut', { everybody: true, at: 'auth:gateway-1' }],
  ['a cut of one’s own', 'connection-cut', { mine: 'ada', at: 'gateway-1:auth' }],
  ['for nobody', 'rpc-fails', { at: 'CartService/GetCart' }],
  ['for two', 'rpc-fails', { at: 'CartService/GetCart', mine: 'ada', everybody: true }],
  ['everybody’s as one’s own', 'projector-held', { mine: 'ada' }],
  ['no id', 'session-store-fails', { mine: 'not an id!' }],
  ['too strong', 'session-store-slow', { mine: 'ada', strengthMs: 5_001 }],
  ['too weak', 'session-store-slow', { mine: 'ada', strengthMs: 9 }],
  ['a strength where there is none', 'session-store-fails', { mine: 'ada', strengthMs: 100 }],
  ['every method at once', 'rpc-fails', { mine: 'ada' }],
  ['an unknown method', 'rpc-fails', { mine: 'ada', at: 'CartService/Explode' }],
  ['a process without a feed', 'revocations-held', { everybody: true, at: 'redis-carts' }],
  ['for longer than is allowed', 'session-store-fails', { mine: 'ada', forMs: faultMaxMs + 1 }],
  ['an unknown field', 'session-store-fails', { mine: 'ada', force: true }],
])('%s is refused, and nothing is on', async (_, name, wanted) => {
  const { status, body } = await ask('PUT', `/api/faults/${name}`, wanted);
  expect([status, (body as { code: string }).code]).toEqual([400, 'invalid_request']);
  expect((await told()).switches).toEqual([]);
});

it('a page switches on for its own trainee alone', async () => {
  const cookie = { cookie: 'a=b; trainee=ada' };
  expect((await ask('PUT', '/api/faults/session-store-fails', { mine: 'bob' }, cookie)).status).toBe(400);
  expect((await ask('PUT', '/api/faults/session-store-fails', { mine: 'ada' }, cookie)).status).toBe(200);
  expect((await told()).switches).toMatchObject([{ experiment: 'ada' }]);
});

it('a waiting service hears of a switch at once, and of its end', async () => {
  const { revision } = await told();
  const news = told(revision, 20_000);
  const { body } = await ask('PUT', '/api/faults/projector-held', { everybody: true });
  const heard = await news;
  expect(heard.switches).toMatchObject([{ fault: 'projector-held' }]);
  const end = told(heard.revision, 20_000);
  await ask('DELETE', `/api/faults/${(body as FaultOn).id}`);
  expect((await end).switches).toEqual([]);
});

it('an end ends what it names: by name, one trainee’s, or all', async () => {
  const on = (mine: string) => ask('PUT', '/api/faults/session-store-fails', { mine });
  const whose = async () => (await list()).on.map(({ mine }) => mine);
  for (const each of ['ada', 'bob', 'cleo']) await on(each);
  await ask('DELETE', '/api/faults?mine=ada');
  expect(await whose()).toEqual(['bob', 'cleo']);
  await ask('DELETE', '/api/faults/session-store-fails?mine=bob');
  expect(await whose()).toEqual(['cleo']);
  expect((await ask('DELETE', '/api/faults/session-store-fails?mine=bob')).status).toBe(404);
  await ask('DELETE', '/api/faults');
  expect(await whose()).toEqual([]);
});

it('the same fault of the same trainee replaces the one before', async () => {
  for (const strengthMs of [100, 200]) await ask('PUT', '/api/faults/session-store-slow', { mine: 'ada', strengthMs });
  expect((await list()).on).toMatchObject([{ strengthMs: 200 }]);
});

it('neither key opens the other’s door', async () => {
  const withKey = (path: string, key: string) => fetch(observatory.url + path, { headers: { authorization: `Bearer ${key}` } });
  expect((await withKey('/api/faults', observatoryBearer(spanKey))).status).toBe(401);
  expect((await withKey('/v1/faults', pageKey)).status).toBe(401);
});

it('an answer to a service proves that the Observatory made it for this question', async () => {
  const headers = { authorization: `Bearer ${observatoryBearer(spanKey)}` };
  const answer = await fetch(`${observatory.url}/v1/faults?nonce=${nonce}`, { headers });
  const body = await answer.text();
  expect(answer.headers.get(observatoryProofHeader)).toBe(observatoryProof(spanKey, nonce, body));
  expect((await fetch(`${observatory.url}/v1/faults`, { headers })).status).toBe(400);
});

it('the key itself, that never travels, opens no door', async () => {
  const headers = { authorization: `Bearer ${spanKey}` };
  expect((await fetch(`${observatory.url}/v1/faults?nonce=${nonce}`, { headers })).status).toBe(401);
});

it('more questions than may wait are refused, and not answered at once', async () => {
  const switches = new Switches(systemClock);
  const { revision } = await switches.tell('', 0, AbortSignal.abort());
  const gone = new AbortController();
  const waiting = Array.from({ length: 64 }, () => switches.tell(revision, 20_000, gone.signal));
  await expect(switches.tell(revision, 20_000, gone.signal)).rejects.toMatchObject({ code: 'too_many_requests' });
  gone.abort();
  await Promise.all(waiting);
});
