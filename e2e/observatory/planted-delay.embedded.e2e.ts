/**
 * A delay of 50 ms, planted at each hop of a running shop in turn. It shows in that hop's share of the critical path, within 5 ms. Where no answer
 * waits for the hop, nothing of it is on the path, and the Observatory says that the hop came after the answer.
 *
 * A busy machine wakes a sleeper late. So the process that waits tells when it began and for how long, and each request is held against that: the
 * critical path is found without this word. No figure of one request is compared with one of another.
 */
import { randomBytes } from 'node:crypto';
import type { FaultName, FaultOn, FaultWanted } from '@cloakroom/contracts';
import { uuidV7 } from '@cloakroom/contracts';
import type { ProductPage } from '@cloakroom/contracts/http';
import { newPerson } from '../kit/device.ts';
import { type PlainAnswer, posted, plain, sessionCookieOf, tokenIn } from '../kit/raw.ts';
import { expect, type Stage, test } from './stage.ts';

test.describe.configure({ timeout: 900_000 });

const plantedMs = 50;
/** The path may miss so much of all waits of a request, and may say so much too much. */
const toleranceMs = 5;
/** A timer of Node may be early by so much. */
const timerMs = 1;
const sampleCount = 6;
/** Spans come a second after their end. A starved machine takes many times as long, and there the lease of a fault may lapse for a while. */
const seen = { timeout: 60_000, intervals: [50] };
/** The test ends each fault. This is for the time that a starved machine takes for the samples. */
const forMs = 300_000;
const trainee = 'planted-delay';
const mine = { mine: trainee };
const everybody = { everybody: true } as const;

interface Step {
  readonly lane: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly kind: string;
}
interface Stretch {
  readonly startMs: number;
  readonly durationMs: number;
}
interface Told {
  readonly durationMs: number;
  readonly unattributedPart: number;
  readonly path: readonly Step[];
  readonly spans: readonly {
    readonly lane: string;
    readonly startMs: number;
    readonly durationMs: number;
    /** 0: the answer did not wait for it. */
    readonly pathMs: number;
    /** As the process that waited measured them. */
    readonly faultWaits: readonly Stretch[];
  }[];
}

type Headers = Record<string, string>;

/** Each act makes one request of the trainee's. Samples of an act differ by nothing but chance. */
async function openShop({ shop: [gateway] }: Stage) {
  const signedIn = async (mode: string): Promise<string> => {
    const person = newPerson();
    await posted('/api/session/register', person, { gateway });
    const { email, password } = person;
    return cookieOf(await posted('/api/session/login', { email, password, mode }, { gateway }));
  };
  const cookieOf = (answer: PlainAnswer): string => `${sessionCookieOf(tokenIn(answer)!)}; trainee=${trainee}`;
  const [hybrid, reference] = [await signedIn('hybrid'), await signedIn('reference')];
  const { items } = JSON.parse((await plain('/api/products?pageSize=50', { gateway })).body) as ProductPage;
  const productId = items.find(({ options }) => options.length === 0)!.productId;
  const get = (path: string, cookie: string) => (headers: Headers) => plain(path, { gateway, headers: { cookie, ...headers } });
  return {
    'reads the cart': get('/api/cart', hybrid),
    'reads the cart in mode reference': get('/api/cart', reference),
    'reads the profile': get('/api/profile', hybrid),
    'reads the orders': get('/api/orders', hybrid),
    'reads products': get('/api/products?pageSize=5', `trainee=${trainee}`),
    'adds a line': (headers: Headers) => {
      const commandId = uuidV7(Date.now(), randomBytes(10));
      return posted('/api/cart/lines', { productId, quantity: 1, commandId }, { gateway, headers: { cookie: hybrid, ...headers } });
    },
    'signs out': async (headers: Headers) => {
      const cookie = cookieOf(await posted('/api/session/guest', {}, { gateway }));
      return posted('/api/session/logout', {}, { gateway, headers: { cookie, ...headers } });
    },
  } as const;
}
type Shop = Awaited<ReturnType<typeof openShop>>;
type Act = keyof Shop;

/** The act, the fault, the lanes that make up the hop, and how often the answer waits for it. */
const hops: readonly (readonly [Act, FaultName, FaultWanted, readonly string[], times: number])[] = [
  ['reads the cart', 'rpc-slow', { ...mine, at: 'CartService/GetCart' }, ['cart'], 1],
  ['adds a line', 'rpc-slow', { ...mine, at: 'CartService/AddItem' }, ['cart'], 1],
  ['adds a line', 'publish-slow', { ...everybody, at: 'cart.events' }, ['kafka'], 1],
  ['reads the cart in mode reference', 'rpc-slow', { ...mine, at: 'AuthService/Resolve' }, ['auth'], 1],
  ['reads the cart in mode reference', 'session-store-slow', mine, ['auth', 'redis-sessions'], 1],
  ['reads the profile', 'rpc-slow', { ...mine, at: 'ProfileService/GetProfile' }, ['profile'], 1],
  // A profile is read by four statements, one after the other.
  ['reads the profile', 'database-slow', { ...mine, at: 'profile' }, ['profile', 'profile-database'], 4],
  ['reads the orders', 'rpc-slow', { ...mine, at: 'OrdersService/ListOrders' }, ['orders'], 1],
  ['reads products', 'rpc-slow', { ...mine, at: 'CatalogService/ListProducts' }, ['catalog'], 1],
  ['signs out', 'publish-slow', { ...everybody, at: 'session.revocations' }, ['kafka'], 0],
  ['adds a line', 'projector-held', everybody, ['cart-projector'], 0],
];

type Hop = (typeof hops)[number];

const api = async ({ url, key }: Stage, method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

/** A starved shop may have too much to do, and is asked again. */
async function acted(act: Shop[Act]): Promise<string> {
  let traceId = '';
  await expect
    .poll(async () => {
      traceId = randomBytes(16).toString('hex');
      return (await act({ traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` })).status;
    }, seen)
    .toBeLessThan(300);
  return traceId;
}

/** The whole view: all spans of a request come within a second or two. */
async function viewOf(stage: Stage, traceId: string, lanes: readonly string[]): Promise<Told> {
  let told: Told | undefined;
  await expect
    .poll(async () => {
      const answer = await api(stage, 'GET', `/requests/${traceId}`);
      told = answer.ok ? ((await answer.json()) as Told) : undefined;
      return told?.spans.some(({ lane }) => lanes.includes(lane)) === true && told.path.every(({ kind }) => kind !== 'untold');
    }, seen)
    .toBe(true);
  return told!;
}

const waitsIn = ({ spans }: Told): readonly Stretch[] => spans.flatMap(({ faultWaits }) => faultWaits);
const sumOf = (stretches: readonly { readonly durationMs: number }[]): number =>
  stretches.reduce((sum, { durationMs }) => sum + durationMs, 0);
const overlapMs = (a: Stretch, b: Stretch): number =>
  Math.max(0, Math.min(a.startMs + a.durationMs, b.startMs + b.durationMs) - Math.max(a.startMs, b.startMs));
/** The hop's share: time on the critical path in these places. The way to a place and back belongs to the caller. */
const shareOf = ({ path }: Told, lanes: readonly string[]): readonly Step[] =>
  path.filter(({ lane, kind }) => lanes.includes(lane) && !kind.startsWith('way'));

/** The time that the hop itself measured: that of its spans until the answer, with what several of them cover counted once. */
function measuredMs({ spans, durationMs: answeredMs }: Told, lanes: readonly string[]): number {
  let [sum, coveredMs] = [0, 0];
  for (const { startMs, durationMs } of spans.filter(({ lane }) => lanes.includes(lane)).toSorted((a, b) => a.startMs - b.startMs)) {
    const endMs = Math.min(startMs + durationMs, answeredMs);
    sum += Math.max(0, endMs - Math.max(startMs, coveredMs));
    coveredMs = Math.max(coveredMs, endMs);
  }
  return sum;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function expectExplained(views: readonly Told[]): void {
  for (const { path, durationMs } of views) expect(sumOf(path)).toBeCloseTo(durationMs, 6);
  expect(median(views.map(({ unattributedPart }) => unattributedPart))).toBeLessThanOrEqual(0.1);
}

function expectInShare(view: Told, [, , , lanes]: Hop): void {
  const [waits, share] = [waitsIn(view), shareOf(view, lanes)];
  const shownMs = waits.reduce((sum, wait) => sum + share.reduce((inside, step) => inside + overlapMs(wait, step), 0), 0);
  expect(Math.abs(shownMs - sumOf(waits)), 'the waits, and as much of them in the share').toBeLessThanOrEqual(toleranceMs);
  expect(sumOf(share), 'the share, and the time that the hop measured').toBeLessThanOrEqual(measuredMs(view, lanes) + toleranceMs);
}

/** @returns when the last work of the hop was over, if that was after the answer. Nothing of the hop may be on the path. */
function endAfterAnswer({ spans, path, durationMs: answeredMs }: Told, [, , , lanes]: Hop): number {
  expect(path.filter(({ lane }) => lanes.includes(lane))).toEqual([]);
  const there = spans.filter(({ lane }) => lanes.includes(lane));
  expect(there.filter(({ pathMs }) => pathMs !== 0)).toEqual([]);
  return Math.max(0, ...there.map(({ startMs, durationMs }) => startMs + durationMs).filter((endMs) => endMs > answeredMs));
}

/** A fault that holds ends with its switch alone, and its requests are told in full only then. */
const isHold = ([, fault]: Hop): boolean => fault === 'projector-held';

/** Requests that met the fault, whole and as often as the hop is waited for. Where its lease had lapsed for a while, it is asked again. */
async function metRequests(stage: Stage, act: Shop[Act], hop: Hop): Promise<Told[]> {
  const [, , , lanes, times] = hop;
  const met: Told[] = [];
  await expect
    .poll(async () => {
      const view = await viewOf(stage, await acted(act), lanes);
      const waits = waitsIn(view);
      if (waits.length === Math.max(1, times) && waits.every(({ durationMs }) => durationMs > plantedMs - timerMs)) met.push(view);
      return met.length;
    }, seen)
    .toBe(sampleCount);
  return met;
}

/** Switches the fault on, and asks while it is on. */
async function underFault(stage: Stage, act: Shop[Act], hop: Hop): Promise<Told[]> {
  const [, fault, wanted, lanes] = hop;
  const strength = isHold(hop) ? {} : { strengthMs: plantedMs };
  const on = (await (await api(stage, 'PUT', `/faults/${fault}`, { ...wanted, ...strength, forMs })).json()) as FaultOn;
  const held: string[] = [];
  try {
    if (!isHold(hop)) return await metRequests(stage, act, hop);
    for (let n = 0; n < sampleCount; n++) held.push(await acted(act));
  } finally {
    await api(stage, 'DELETE', `/faults/${on.id}`);
  }
  return Promise.all(held.map((traceId) => viewOf(stage, traceId, lanes)));
}

test(`${plantedMs} ms at each hop show in that hop’s share, or after the answer`, async ({ stage }) => {
  const shop = await openShop(stage);
  for (const hop of hops) {
    const [act, fault, wanted, lanes, times] = hop;
    await test.step(`${act}: ${fault} ${wanted.at ?? ''}`, async () => {
      const before = await viewOf(stage, await acted(shop[act]), lanes);
      expect(waitsIn(before), 'no fault is on yet').toEqual([]);
      if (times > 0) {
        const after = await underFault(stage, shop[act], hop);
        for (const view of after) expectInShare(view, hop);
        return expectExplained(after);
      }
      // On a crowded machine an answer may come so late that the wait is over by then, so one of them must show it.
      await expect
        .poll(async () => {
          const after = await underFault(stage, shop[act], hop);
          expectExplained(after);
          return Math.max(...after.map((view) => endAfterAnswer(view, hop)));
        }, seen)
        .toBeGreaterThan(plantedMs - timerMs);
    });
  }
});
