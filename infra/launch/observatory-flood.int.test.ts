/** A flood of spans at a real Observatory beside a real shop: its memory stays bounded, the shop does not wait for it, and it says what it dropped. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startStack, type RunningStack } from './harness.ts';
import type { FloodAnswer, FloodOrder } from './span-flood.fixture.ts';

const base = 28_000;
const trainee = 'flooded';
const patience = { timeout: 120_000, interval: 250 };
/** Without its bounds the Observatory keeps more of these than its heap of 128 MB. */
const [pairCount, exportsOfPair] = [5, 30];
const askedQuietly = 15;
/** Stays below the gateway's limit of requests for one address. Without it a fast machine asked so often that four of five were refused. */
const pauseMs = 50;
/** The least part, of that in quiet times. A machine that stands still for seconds makes a shop refuse a request by itself. */
const servedPartMin = 0.8;
/**
 * The flood takes the cores that the shop needs too, so its answers are slower: up to 3 times were seen. A shop that waited for the Observatory would be
 * hundreds of times slower.
 */
const slowerMax = 25;

let dataDir: string;
let stack: RunningStack;
let flooder: ChildProcess;
let spanKey = '';

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cloakroom-flood-'));
  stack = await startStack({
    provider: 'embedded',
    base,
    dataDir,
    fresh: true,
    telemetry: {},
    observatory: true,
    reshape: {
      launch: ({ name }, launch) => {
        if (name === 'observatory') spanKey = launch.env?.['OBSERVATORY_SPAN_KEY'] ?? '';
        return launch;
      },
    },
  });
  await stack.process('observatory').waitUntilReplaced(-1);
  flooder = fork(join(import.meta.dirname, 'span-flood.fixture.ts'));
}, 240_000);
afterAll(async () => {
  flooder?.kill();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const headersOfPage = () => ({ authorization: `Bearer ${stack.observatory!.pageKey}` });

async function read<Body>(path: string): Promise<Body> {
  const answer = await fetch(stack.observatory!.url + path, { headers: headersOfPage() });
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as Body;
}

interface Kept {
  readonly bytes: number;
  readonly bytesMax: number;
  readonly forgottenTraces: number;
  readonly leftOutSpans: number;
  readonly refusedExports: number;
}

/** The page reads it out of its live stream, whose first line is the stack. */
async function readKept(): Promise<Kept> {
  const { body } = await fetch(`${stack.observatory!.url}/api/live`, { headers: headersOfPage() });
  let text = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const line = text.split('\n').find((one, index, all) => index < all.length - 1 && one.includes('"kind":"stack"'));
    if (line !== undefined) return (JSON.parse(line) as { kept: Kept }).kept;
  }
  throw new Error('the live stream ended');
}

async function newGuest(): Promise<string> {
  const [gateway] = stack.gateways;
  const headers = { 'content-type': 'application/json', origin: gateway, cookie: `trainee=${trainee}` };
  const answer = await fetch(`${gateway}/api/session/guest`, { method: 'POST', headers, body: '{}' });
  expect(answer.status).toBe(201);
  return [`trainee=${trainee}`, ...answer.headers.getSetCookie().map((one) => one.split(';')[0])].join('; ');
}

interface Asked {
  readonly status: number;
  readonly tookMs: number;
  readonly traceId: string;
}

async function readCart(cookie: string): Promise<Asked> {
  await delay(pauseMs); // not a wait: the pace of a client
  const startedMs = performance.now();
  const answer = await fetch(`${stack.gateways[0]}/api/cart`, { headers: { cookie } });
  await answer.arrayBuffer();
  const traceId = answer.headers.get('traceresponse')!.split('-')[1]!;
  return { status: answer.status, tookMs: performance.now() - startedMs, traceId };
}

async function flood(exportCount: number): Promise<FloodAnswer> {
  const answered = once(flooder, 'message');
  flooder.send({ url: stack.observatory!.url, key: spanKey, exportCount } satisfies FloodOrder);
  return ((await answered) as [FloodAnswer])[0];
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const servedPart = (asked: readonly Asked[]): number => asked.filter(({ status }) => status === 200).length / asked.length;

it('a flood of spans fills no memory and holds up no request, the page says what was dropped, and all views work again', async () => {
  const cookie = await vi.waitFor(newGuest, patience);
  await readCart(cookie);
  const pid = stack.process('observatory').pid();
  const slower: number[] = [];
  const all = { quiet: [] as Asked[], meanwhile: [] as Asked[] };
  const answers: Record<string, number> = {};
  for (let pair = 0; pair < pairCount; pair++) {
    const quiet: Asked[] = [];
    for (let count = 0; count < askedQuietly; count++) quiet.push(await readCart(cookie));
    let flooding = true;
    const flooded = flood(exportsOfPair).finally(() => (flooding = false));
    const meanwhile: Asked[] = [];
    do meanwhile.push(await readCart(cookie));
    while (flooding);
    for (const [status, count] of Object.entries(await flooded)) answers[status] = (answers[status] ?? 0) + count;
    slower.push(median(meanwhile.map(({ tookMs }) => tookMs)) / median(quiet.map(({ tookMs }) => tookMs)));
    all.quiet.push(...quiet);
    all.meanwhile.push(...meanwhile);
  }
  expect(stack.process('observatory').pid(), 'the Observatory that took the flood still runs').toBe(pid);
  expect(servedPart(all.quiet)).toBeGreaterThan(servedPartMin);
  expect(servedPart(all.meanwhile)).toBeGreaterThan(servedPart(all.quiet) * servedPartMin);
  expect(median(slower), `a request takes so many times longer: ${slower.join(', ')}`).toBeLessThan(slowerMax);
  expect(answers['200']).toBeGreaterThan(pairCount);

  const kept = await readKept();
  expect(kept.bytes).toBeLessThanOrEqual(kept.bytesMax);
  for (const dropped of ['forgottenTraces', 'leftOutSpans', 'refusedExports'] as const)
    expect([dropped, kept[dropped] > 0]).toEqual([dropped, true]);

  // An exporter that was refused waits before it tries again, so a later request is asked for too.
  const whole = await vi.waitFor(async () => {
    const { traceId } = await readCart(cookie);
    return vi.waitFor(
      async () => {
        const view = await read<{ name: string; lanes: { kind: string }[] }>(`/api/requests/${traceId}`);
        expect(view.lanes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['gateway', 'service']));
        return { ...view, traceId };
      },
      { timeout: 20_000, interval: 250 },
    );
  }, patience);
  expect(whole.name).toBe('GET /api/cart');
  const mine = await read<{ traceId: string }[]>(`/api/requests?mine=${trainee}`);
  expect(mine.map(({ traceId }) => traceId)).toContain(whole.traceId);
  expect(await read<unknown[]>(`/api/requests/${whole.traceId}/hops`)).not.toEqual([]);
  expect((await read<{ sessions: unknown[] }>(`/api/sessions?mine=${trainee}`)).sessions).toHaveLength(1);
  const { operations } = await read<{ operations: { request: string; agrees?: boolean }[] }>(`/api/blast-radius?mine=${trainee}`);
  expect(operations.find(({ request }) => request === 'GET /api/cart')).toMatchObject({ agrees: true });
  expect((await read<{ processes: unknown[] }>('/api/stack')).processes).toHaveLength(2);
  expect((await read<{ faults: unknown[] }>('/api/faults')).faults).not.toEqual([]);
}, 600_000);
