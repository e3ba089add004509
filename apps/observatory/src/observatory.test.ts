/** The Observatory as one process on a real port, with a supervisor that is played: who may ask, what it takes in, what it shows. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type IncomingMessage, request as rawRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Running, systemClock, observatoryBearer } from '@cloakroom/platform';
import { observed, type LinkedProcess, type LinkedStack, type ToObservatory, type ToSupervisor } from '@cloakroom/contracts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LiveLine, RequestSummary, RequestView, StackView } from './api.ts';
import { readConfig, start } from './start.ts';

const pageKey = 'p'.repeat(43);
const spanKey = 's'.repeat(43);
const silent = createLogger('test', 'silent');
const asPage = { authorization: `Bearer ${pageKey}` };
const asService = { authorization: `Bearer ${observatoryBearer(spanKey)}`, 'content-type': 'application/json' };

/** Remembers what it is asked, and answers with `refusal`. */
class PlayedSupervisor {
  readonly asked: ToSupervisor[] = [];
  refusal: string | undefined;
  #listener: (message: ToObservatory) => void = () => undefined;
  send(message: ToSupervisor): void {
    this.asked.push(message);
    if (message.kind === 'act') setImmediate(() => this.#listener({ kind: 'done', id: message.id, refusal: this.refusal }));
  }
  onMessage(listener: (message: ToObservatory) => void): void {
    this.#listener = listener;
  }
  tell(processes: readonly LinkedProcess[], provider = 'native'): void {
    const stack: LinkedStack = { provider, profile: 'usual', gateways: ['http://localhost:4000'], processes };
    this.#listener({ kind: 'stack', stack });
  }
}

const cart: LinkedProcess = {
  name: 'cart',
  kind: 'app',
  apps: [],
  needs: ['kafka'],
  url: 'grpcs://localhost:4120',
  ports: [4120],
  readyUrls: [],
  state: 'ready',
  pid: process.pid,
  restarts: 0,
};

let supervisor: PlayedSupervisor;
let running: Running;
let webDir: string;
let url: string;

beforeEach(async () => {
  webDir = mkdtempSync(join(tmpdir(), 'cloakroom-observatory-'));
  mkdirSync(join(webDir, 'assets'));
  writeFileSync(join(webDir, 'index.html'), '<title>Observatory</title>');
  writeFileSync(join(webDir, 'assets', 'page.js'), 'export {};');
  await open({ OBSERVATORY_WEB_DIR: webDir });
});

afterEach(async () => {
  await running.stop();
  rmSync(webDir, { recursive: true, force: true });
});

async function open(env: Record<string, string>): Promise<void> {
  supervisor = new PlayedSupervisor();
  const config = readConfig({ LISTEN_PORT: '0', OBSERVATORY_PAGE_KEY: pageKey, OBSERVATORY_SPAN_KEY: spanKey, ...env });
  running = await start(config, { log: silent, clock: systemClock }, supervisor);
  url = running.url;
}

const get = (path: string, headers: Record<string, string> = asPage) => fetch(`${url}${path}`, { headers });
const read = async <Body>(path: string): Promise<Body> => (await (await get(path)).json()) as Body;
const code = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];
const send = (body: unknown, headers: Record<string, string> = asService) =>
  fetch(`${url}/v1/traces`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

/** fetch sets Host itself, so a foreign one is sent by hand. */
function statusWith(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const request = rawRequest({ host: '127.0.0.1', port, path, headers, setHost: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    request.on('error', reject).end();
  });
}

/** A request to a gateway as a service tells it. */
function exportOf(traceId: string, { experiment }: { experiment?: string } = {}): object {
  const startedMs = Date.now() - 20;
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const attributes = [
    text('http.route', '/api/cart'),
    text('http.request.method', 'GET'),
    { key: 'http.response.status_code', value: { intValue: '200' } },
    text(observed.app, 'gateway'),
    text(observed.replica, '1'),
    ...(experiment === undefined ? [] : [text(observed.experiment, experiment)]),
  ];
  const span = {
    traceId,
    spanId: traceId.slice(0, 16),
    name: 'GET /api/cart',
    kind: 2,
    startTimeUnixNano: `${startedMs}000000`,
    endTimeUnixNano: `${startedMs + 12}500000`,
    attributes,
  };
  return {
    resourceSpans: [{ resource: { attributes: [text('service.name', 'gateway')] }, scopeSpans: [{ spans: [span] }] }],
  };
}
const one = 'a'.repeat(32);
const two = 'b'.repeat(32);
const giant = { resourceSpans: ['x'.repeat(4 * 1024 * 1024)] };

it('a question without the page’s key is told how to get in, and nothing else', async () => {
  for (const path of ['/api/stack', '/api/requests', `/api/requests/${one}`, '/api/live']) {
    const answer = await get(path, {});
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    const body = (await answer.json()) as { status: number; code: string; detail: string };
    expect([path, body.status, body.code]).toEqual([path, 401, 'key_required']);
    expect(body.detail).toMatch(/npm start printed.*#key=/);
  }
  expect(supervisor.asked).toEqual([]);
});

it('neither key opens the other’s door, and neither does a part of it', async () => {
  expect((await get('/api/stack', { authorization: `Bearer ${observatoryBearer(spanKey)}` })).status).toBe(401);
  expect((await get('/api/stack', { authorization: `Bearer ${pageKey.slice(1)}` })).status).toBe(401);
  expect((await get('/api/stack', { cookie: `key=${pageKey}` })).status).toBe(401);
  expect(await code(await send(exportOf(one), { ...asService, ...asPage }))).toEqual([401, 'span_key_required']);
  expect(await code(await send(exportOf(one), { 'content-type': 'application/json' }))).toEqual([401, 'span_key_required']);
  expect(await read('/api/requests')).toEqual([]);
});

it('a caller without a key holds no body’s place, however slowly it sends', async () => {
  const { hostname, port } = new URL(url);
  const headers = { host: `localhost:${port}`, 'content-type': 'application/json', 'content-length': '1000' };
  const refused = Array.from({ length: 8 }, async () => {
    const slow = rawRequest({ host: hostname, port, method: 'POST', path: '/v1/traces', headers });
    slow.on('error', () => undefined);
    slow.flushHeaders();
    const [answer] = (await once(slow, 'response')) as [IncomingMessage];
    return answer.statusCode;
  });
  const empty = { method: 'POST', headers: asService, body: JSON.stringify({ resourceSpans: [] }) };
  expect((await fetch(`${url}/v1/traces`, empty)).status).toBe(200);
  expect(await Promise.all(refused)).toEqual(Array(8).fill(401));
});

it('a foreign Host is refused even with the key: a name of another site may point here', async () => {
  const { port } = new URL(url);
  expect(await statusWith('/api/stack', { ...asPage, host: `localhost:${port}` })).toBe(200);
  expect(await statusWith('/api/stack', { ...asPage, host: `127.0.0.1:${port}` })).toBe(200);
  for (const host of [`attacker.example:${port}`, 'localhost:4000', 'localhost', `localhost.attacker.example:${port}`])
    expect([host, await statusWith('/api/stack', { ...asPage, host })]).toEqual([host, 403]);
  expect(await statusWith('/', { host: `attacker.example:${port}` })).toBe(403);
  expect(await statusWith('/api/stack', asPage)).toBe(403);
});

it('a foreign Origin is refused even with the key, the shop’s own too', async () => {
  expect((await get('/api/stack', { ...asPage, origin: url })).status).toBe(200);
  for (const origin of ['http://attacker.example', 'http://localhost:4000', url.replace('http:', 'https:'), 'null'])
    expect([origin, ...(await code(await get('/api/stack', { ...asPage, origin })))]).toEqual([origin, 403, 'foreign_origin']);
});

it('spans become requests: listed, by trainee, and one of them whole', async () => {
  expect((await send(exportOf(one))).status).toBe(200);
  expect((await send(exportOf(two, { experiment: 'trainee-1' }))).status).toBe(200);
  const all = await read<RequestSummary[]>('/api/requests');
  expect(all.map(({ traceId }) => traceId).toSorted()).toEqual([one, two]);
  expect(all[0]).toMatchObject({ name: 'GET /api/cart', status: 200, gateway: 'gateway-1' });
  expect((await read<RequestSummary[]>('/api/requests?mine=trainee-1')).map(({ traceId }) => traceId)).toEqual([two]);
  const view = await read<RequestView>(`/api/requests/${one}`);
  expect(view.spans.map(({ name }) => name)).toEqual(['GET /api/cart']);
  expect(view.durationMs).toBeCloseTo(12.5, 1);
  expect(await code(await get(`/api/requests/${'c'.repeat(32)}`))).toEqual([404, 'not_found']);
});

it('protobuf is refused with the setting that makes an exporter send JSON', async () => {
  const answer = await send('\n\u0000', { ...asService, 'content-type': 'application/x-protobuf' });
  expect(answer.status).toBe(415);
  expect(((await answer.json()) as { detail: string }).detail).toContain('OTEL_EXPORTER_OTLP_PROTOCOL=http/json');
});

it('a body that is no export of spans, or a giant, is refused', async () => {
  expect(await code(await send('{'))).toEqual([400, 'invalid_request']);
  expect(await code(await send('[]'))).toEqual([400, 'invalid_request']);
  expect(await code(await send(giant))).toEqual([413, 'payload_too_large']);
});

it('the page needs no key, and may load its own files alone', async () => {
  const page = await get('/', {});
  expect([page.status, await page.text()]).toEqual([200, '<title>Observatory</title>']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect((await get('/request/abc', {})).status).toBe(200);
  const file = await get('/assets/page.js', {});
  expect([file.status, file.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
  expect((await get('/assets/other.js', {})).status).toBe(404);
  expect((await get('/api/nothing', {})).status).toBe(404);
  expect(await statusWith('/../package.json', { host: new URL(url).host })).toBe(404);
});

it('a page that was never built says how to build it', async () => {
  await running.stop();
  await open({ OBSERVATORY_WEB_DIR: join(webDir, 'none') });
  const answer = await get('/', {});
  expect(answer.status).toBe(503);
  expect(((await answer.json()) as { detail: string }).detail).toContain('npx nx run @cloakroom/observatory:build');
});

it('the stack is as the supervisor told it, with the memory of each process', async () => {
  supervisor.tell([cart]);
  const { provider, processes } = await read<StackView>('/api/stack');
  expect([provider, processes[0]?.state, processes[0]?.pid]).toEqual(['native', 'ready', process.pid]);
  if (process.platform === 'linux') expect(processes[0]?.memoryBytes).toBeGreaterThan(10 * 1024 * 1024);
});

it('an action goes to the supervisor, and its refusal comes back', async () => {
  supervisor.tell([cart]);
  const act = (path: string) => fetch(`${url}/api/processes/${path}`, { method: 'POST', headers: asPage });
  expect((await act('cart/restart')).status).toBe(200);
  expect(supervisor.asked).toMatchObject([{ kind: 'act', process: 'cart', action: 'restart' }]);
  supervisor.refusal = 'cart is restarting';
  const refused = await act('cart/pause');
  expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([409, 'cart is restarting']);
  expect(await code(await act('cart/explode'))).toEqual([404, 'not_found']);
});

it('in embedded one service cannot be paused, and the answer says what can', async () => {
  supervisor.tell([{ ...cart, name: 'cloakroom', kind: 'embedded', apps: ['auth', 'cart'] }], 'embedded');
  const answer = await fetch(`${url}/api/processes/cart/pause`, { method: 'POST', headers: asPage });
  expect(answer.status).toBe(409);
  expect(((await answer.json()) as { detail: string }).detail).toContain('share the process cloakroom');
  expect(supervisor.asked).toEqual([]);
  expect((await read<StackView>('/api/stack')).processes[0]?.note).toContain('one process');
});

it('a pause is renewed until it is ended', async () => {
  supervisor.tell([cart]);
  const act = (action: string) => fetch(`${url}/api/processes/cart/${action}`, { method: 'POST', headers: asPage });
  await act('pause');
  const renewals = () => supervisor.asked.filter(({ kind }) => kind === 'keep-paused').length;
  await vi.waitFor(() => expect(renewals()).toBeGreaterThan(1), { timeout: 10_000 });
  expect(supervisor.asked.at(-1)).toEqual({ kind: 'keep-paused', processes: ['cart'] });
  await act('resume');
  expect(supervisor.asked.at(-1)).toMatchObject({ kind: 'act', action: 'resume' });
});

it('a live page hears of the stack and of each request, as a line each', async () => {
  supervisor.tell([cart, { ...cart, name: 'gateway-1' }]);
  const answer = await get('/api/live');
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  const lines: LiveLine[] = [];
  const reading = (async () => {
    let rest = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop()!;
      for (const part of parts) lines.push(JSON.parse(part) as LiveLine);
    }
  })().catch(() => undefined);
  await send(exportOf(one));
  // The answer to a body that is too large may be lost: the connection ends before it is read.
  await send(giant).catch(() => undefined);
  await vi.waitFor(() => expect(lines.find((line) => line.kind === 'request')).toMatchObject({ request: { traceId: one } }), {
    timeout: 10_000,
  });
  const kept = () => lines.findLast((line) => line.kind === 'stack')?.kept;
  await vi.waitFor(() => expect(kept()).toMatchObject({ traces: 1, spans: 1, refusedExports: 1 }), { timeout: 10_000 });
  expect(lines.find((line) => line.kind === 'stack')).toMatchObject({ stack: { processes: [{ name: 'cart' }, { name: 'gateway-1' }] } });
  await vi.waitFor(
    () => expect(lines.findLast((line) => line.kind === 'stack')?.edges).toMatchObject([{ from: 'browser', to: 'gateway-1' }]),
    {
      timeout: 10_000,
    },
  );
  await running.stop();
  await reading;
});
