/** On the wire, with real receivers: what the Observatory gets, what any other collector gets, and what an Observatory that hangs costs. */
import { createServer, get, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { readTelemetry } from './config.ts';
import { createLogger, type Logger } from './log.ts';
import { actAs, type Observed, observe, observeRunning } from './observe.ts';
import { observatoryBearer } from './observatory-keys.ts';
import { observing, runWithin, startSpan, startTelemetry, type TelemetryConfig, tracing } from './trace.ts';

const key = 'k'.repeat(43);

interface SentSpan {
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** A collector: it keeps the bodies as they came. @param answers false: it takes the request, and is silent */
async function collector(answers = true) {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      headers.push(request.headers);
      if (answers) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const url = await listen(server);
  const spans = (): SentSpan[] =>
    bodies.flatMap((body) =>
      (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans),
      ),
    );
  return { url, bodies, headers, spans, named: (name: string) => spans().find((span) => span.name === name)! };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** @returns ends telemetry, and with it sends what waits */
async function telemetry(config: TelemetryConfig, log: Logger = createLogger('test', 'silent')): Promise<() => Promise<void>> {
  const stop = await startTelemetry('cart', { REPLICA: '2', PROVIDER: 'native', ...config }, log);
  open.push(stop);
  return stop;
}

const valueOf = (span: SentSpan, name: string): unknown =>
  Object.values(span.attributes?.find((attribute) => attribute.key === name)?.value ?? {})[0];

function makeSpan(name: string): void {
  const span = startSpan({ name, kind: 'server', parent: undefined, attributes: { 'http.route': '/api/cart', 'observatory.cart': 'u_1' } });
  observe(span, () => ({ 'observatory.subject': 'u_ada', 'observatory.mode': undefined }));
  runWithin(span, () => observeRunning(() => ({ 'observatory.session': 'handle' })));
  span?.end();
}

it('a shop that is run for others tells no Observatory, and its collector all the same', async () => {
  const [observatory, foreign] = [await collector(), await collector()];
  const both = { OTEL_EXPORTER_OTLP_ENDPOINT: foreign.url, OBSERVATORY_URL: observatory.url, OBSERVATORY_SPAN_KEY: key };
  const stop = await telemetry({ ...both, PROVIDER: 'external' });
  makeSpan('GET /api/cart');
  await stop();
  expect(foreign.spans()).toHaveLength(1);
  expect(observatory.bodies).toEqual([]);
});

it('the Observatory gets every attribute with its key, and another collector at the same time a copy without those of ours', async () => {
  const [observatory, foreign] = [await collector(), await collector()];
  const stop = await telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: foreign.url, OBSERVATORY_URL: observatory.url, OBSERVATORY_SPAN_KEY: key });
  makeSpan('work');
  await stop();
  const seen = observatory.named('work');
  expect(valueOf(seen, 'observatory.subject')).toBe('u_ada');
  expect(valueOf(seen, 'observatory.session')).toBe('handle');
  expect(valueOf(seen, 'observatory.cart')).toBe('u_1');
  expect(valueOf(seen, 'http.route')).toBe('/api/cart');
  expect(observatory.headers[0]!.authorization).toBe(`Bearer ${observatoryBearer(key)}`);
  expect(valueOf(foreign.named('work'), 'http.route')).toBe('/api/cart');
  expect(foreign.bodies.join()).not.toMatch(/observatory|u_ada|u_1|handle/);
  expect(JSON.stringify(foreign.headers)).not.toContain(key);
});

it('without an Observatory no attribute of ours is made at all', async () => {
  const foreign = await collector();
  const stop = await telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: foreign.url, OBSERVATORY_URL: 'http://127.0.0.1:1' });
  expect([tracing(), observing()]).toEqual([true, false]);
  const describe = vi.fn<() => Observed>(() => ({}));
  const span = startSpan({ name: 'work', kind: 'server', parent: undefined });
  observe(span, describe);
  runWithin(span, () => observeRunning(describe));
  span!.end();
  await stop();
  expect(describe).not.toHaveBeenCalled();
  expect(foreign.named('work').attributes ?? []).toEqual([]);
});

it('with neither address nothing is begun', async () => {
  await telemetry({ OBSERVATORY_SPAN_KEY: key });
  expect([tracing(), observing()]).toEqual([false, false]);
  expect(startSpan({ name: 'work', kind: 'server', parent: undefined })).toBeUndefined();
});

it('a span says which app made it, though several share the process and speak over sockets', async () => {
  const observatory = await collector();
  const stop = await telemetry({ OBSERVATORY_URL: observatory.url, OBSERVATORY_SPAN_KEY: key });
  const server = (app: string, replica: string): Promise<string> =>
    actAs({ app, replica }, () =>
      listen(
        createServer((_request, response) => {
          startSpan({ name: `served by ${app}`, kind: 'server', parent: undefined })!.end();
          setTimeout(() => {
            startSpan({ name: `later in ${app}`, kind: 'internal', parent: undefined })!.end();
            response.end();
          });
        }),
      ),
    );
  const [auth, gateway] = [await server('auth', '1'), await server('gateway', '2')];
  // One keep-alive connection of another app, as a mesh client has it.
  for (const url of [auth, gateway, auth])
    await actAs({ app: 'orders', replica: '1' }, () => new Promise((resolve) => get(url, (answer) => answer.resume().on('end', resolve))));
  startSpan({ name: 'of the process', kind: 'internal', parent: undefined })!.end();
  await stop();
  const madeBy = (name: string) =>
    ['observatory.app', 'observatory.replica'].map((attribute) => valueOf(observatory.named(name), attribute));
  expect(madeBy('served by auth')).toEqual(['auth', '1']);
  expect(madeBy('later in auth')).toEqual(['auth', '1']);
  expect(madeBy('served by gateway')).toEqual(['gateway', '2']);
  expect(madeBy('later in gateway')).toEqual(['gateway', '2']);
  expect(madeBy('of the process')).toEqual(['cart', '2']);
});

it('an Observatory that hangs or is away takes nothing from the service, nor from the other collector, and one line says so', async () => {
  const [silent, foreign] = [await collector(false), await collector()];
  for (const url of [silent.url, 'http://127.0.0.1:1']) {
    const lines: string[] = [];
    const log = createLogger('test', 'warn', { write: (line: string) => void lines.push(line) });
    const config = { OTEL_EXPORTER_OTLP_ENDPOINT: foreign.url, OBSERVATORY_URL: url, OBSERVATORY_SPAN_KEY: key };
    const stop = await telemetry(config, log);
    // More than the queue holds.
    for (let n = 0; n < 6_000; n++) startSpan({ name: `span ${n}`, kind: 'internal', parent: undefined })!.end();
    await vi.waitFor(() => expect(foreign.named('span 0')).toBeDefined());
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    const stoppedMs = performance.now();
    await stop();
    expect(performance.now() - stoppedMs, 'the stop has a bound').toBeLessThan(12_000);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['the Observatory takes no spans']);
    foreign.bodies.length = 0;
  }
}, 120_000);

it('a span that was given its times has exactly those, be they older than the process', async () => {
  const observatory = await collector();
  const stop = await telemetry({ OBSERVATORY_URL: observatory.url, OBSERVATORY_SPAN_KEY: key });
  startSpan({ name: 'page', kind: 'internal', parent: undefined, startedAtMs: 1_000.25 })!.end(undefined, 1_250.5);
  const before = Date.now();
  makeSpan('now');
  const after = Date.now();
  await stop();
  const { startTimeUnixNano, endTimeUnixNano } = observatory.named('page');
  expect([startTimeUnixNano, endTimeUnixNano]).toEqual(['1000250000', '1250500000']);
  const now = observatory.named('now');
  expect(Number(now.startTimeUnixNano) / 1e6).toBeGreaterThanOrEqual(before);
  expect(Number(now.endTimeUnixNano) / 1e6).toBeLessThan(after + 1);
  expect(BigInt(now.endTimeUnixNano)).toBeGreaterThan(BigInt(now.startTimeUnixNano));
});

it('an Observatory on another machine is no Observatory: the configuration is refused', () => {
  const read = (url: string) => () => readTelemetry({ OBSERVATORY_URL: url });
  for (const url of ['http://127.0.0.1:4009', 'http://localhost:4009', 'http://[::1]:4009']) expect(read(url)).not.toThrow();
  for (const url of ['http://collector.example:4009', 'http://127.0.0.1.example', 'https://localhost:4009', 'http://localhost@example.com'])
    expect(read(url)).toThrow(/OBSERVATORY_URL/);
});

it.each([
  ['eu', 'eu'],
  ['local', undefined],
] as const)('a span says its region where there are two: REGION %s', async (REGION, told) => {
  const observatory = await collector();
  const stop = await telemetry({ OBSERVATORY_URL: observatory.url, OBSERVATORY_SPAN_KEY: key, REGION });
  makeSpan('work');
  await stop();
  expect(valueOf(observatory.named('work'), 'observatory.region')).toBe(told);
});
