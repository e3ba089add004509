/**
 * A delay of 50 ms, planted at each hop of a running shop in turn. It shows in that hop's share of the critical path, within 5 ms. Where no answer
 * waits for the hop, the request is no longer, and the Observatory says that the hop came after the answer.
 */
import { randomBytes } from 'node:crypto';
import type { FaultName, FaultOn, FaultWanted } from '@cloakroom/contracts';
import { uuidV7 } from '@cloakroom/contracts';
import type { ProductPage } from '@cloakroom/contracts/http';
import { type Crowd, watchCrowd } from '@cloakroom/testing';
import { newPerson } from '../kit/device.ts';
import { type PlainAnswer, posted, plain, sessionCookieOf, tokenIn } from '../kit/raw.ts';
import { expect, type Stage, test } from './stage.ts';

test.describe.configure({ timeout: 300_000 });

const plantedMs = 50;
/** For each wait that was planted: its timer may be late. */
const toleranceMs = 5;
/** A timer of Node may be early by so much. */
const timerMs = 1;
/** The shortest of so many is little disturbed by other work of the machine. */
const sampleCount = 16;
const trainee = 'planted-delay';
const mine = { mine: trainee };
const everybody = { everybody: true } as const;

interface Step {
  readonly lane: string;
  readonly durationMs: number;
  readonly kind: string;
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

async function acted(act: Shop[Act]): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  expect((await act({ traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` })).status).toBeLessThan(300);
  return traceId;
}

/** Whole views: all spans of a request come within a second or two. */
async function viewsOf(stage: Stage, traceIds: readonly string[], lanes: readonly string[]): Promise<Told[]> {
  const told: Told[] = [];
  for (const traceId of traceIds) {
    await expect
      .poll(
        async () => {
          const answer = await api(stage, 'GET', `/requests/${traceId}`);
          const view = answer.ok ? ((await answer.json()) as Told) : undefined;
          const whole = view?.spans.some(({ lane }) => lanes.includes(lane)) === true && view.path.every(({ kind }) => kind !== 'untold');
          if (whole) told.push(view);
          return whole;
        },
        { timeout: 20_000, intervals: [50] },
      )
      .toBe(true);
  }
  return told;
}

async function samples(act: Shop[Act]): Promise<string[]> {
  const traceIds: string[] = [];
  for (let n = 0; n < sampleCount; n++) traceIds.push(await acted(act));
  return traceIds;
}

/** Time on the critical path in these places. The way to a place and back belongs to the caller. */
const waitedIn =
  (lanes: readonly string[]) =>
  ({ path }: Told): number =>
    path.filter(({ lane, kind }) => lanes.includes(lane) && !kind.startsWith('way')).reduce((sum, { durationMs }) => sum + durationMs, 0);
const least = (views: readonly Told[], of: (view: Told) => number): number => Math.min(...views.map(of));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function expectExplained(views: readonly Told[]): void {
  for (const { path, durationMs } of views) expect(path.reduce((sum, step) => sum + step.durationMs, 0)).toBeCloseTo(durationMs, 6);
  expect(median(views.map(({ unattributedPart }) => unattributedPart))).toBeLessThanOrEqual(0.1);
}

/** Switches the fault on, and waits until a service keeps it. A fault that holds shows only when it is over. */
async function planted(stage: Stage, act: Shop[Act], [, fault, wanted, lanes]: Hop): Promise<FaultOn> {
  const strength = fault === 'projector-held' ? {} : { strengthMs: plantedMs };
  const on = (await (await api(stage, 'PUT', `/faults/${fault}`, { ...wanted, ...strength })).json()) as FaultOn;
  const shows = async (): Promise<boolean> => {
    const [view] = await viewsOf(stage, [await acted(act)], lanes);
    return view!.spans.some(({ lane, durationMs }) => lanes.includes(lane) && durationMs >= plantedMs);
  };
  if (fault !== 'projector-held') await expect.poll(shows, { timeout: 30_000, intervals: [50] }).toBe(true);
  return on;
}

function expectInShare(before: readonly Told[], after: readonly Told[], [, , , lanes, times]: Hop, crowd: Crowd): void {
  // Every wait is in the share, whole. And the share has grown by no more than the waits: a crowd may have delayed the samples before.
  const shareMs = least(after, waitedIn(lanes));
  expect(shareMs).toBeGreaterThan(times * (plantedMs - timerMs));
  expect(shareMs - least(before, waitedIn(lanes))).toBeLessThan(times * plantedMs + crowd.roomMs(times * toleranceMs));
}

function expectAfterAnswer(before: readonly Told[], after: readonly Told[], [, , , lanes]: Hop, crowd: Crowd): void {
  const moreMs = least(after, ({ durationMs }) => durationMs) - least(before, ({ durationMs }) => durationMs);
  // Both times may be off by the tolerance.
  expect(moreMs).toBeLessThan(crowd.roomMs(2 * toleranceMs));
  // An outbox may begin while the answer is on its way, and runs on behind it. On a crowded machine some samples are answered so late that their
  // wait is over by then, so one of them must show it.
  const late = after.map(({ spans, durationMs: answeredMs }) =>
    spans.filter(({ lane, startMs, durationMs }) => lanes.includes(lane) && startMs + durationMs > answeredMs),
  );
  expect(Math.max(...late.flat().map(({ startMs, durationMs }) => startMs + durationMs))).toBeGreaterThan(plantedMs - timerMs);
  expect(late.flat().filter(({ pathMs }) => pathMs !== 0)).toEqual([]);
}

test(`${plantedMs} ms at each hop show in that hop’s share, or after the answer`, async ({ stage }) => {
  const shop = await openShop(stage);
  const crowd = watchCrowd();
  const plain = new Map<Act, string[]>();
  for (const hop of hops) {
    const [act, fault, wanted, lanes, times] = hop;
    await test.step(`${act}: ${fault} ${wanted.at ?? ''}`, async () => {
      await acted(shop[act]);
      if (!plain.has(act)) plain.set(act, await samples(shop[act]));
      const before = await viewsOf(stage, plain.get(act)!, lanes);
      const on = await planted(stage, shop[act], hop);
      let ids: string[];
      try {
        ids = await samples(shop[act]);
        // A delay ends with its fault, so the last one must be over before. A held projector is let go by the switch alone.
        if (fault !== 'projector-held') await viewsOf(stage, ids, lanes);
      } finally {
        await api(stage, 'DELETE', `/faults/${on.id}`);
      }
      const after = await viewsOf(stage, ids, lanes);
      (times > 0 ? expectInShare : expectAfterAnswer)(before, after, hop, crowd);
      expectExplained([...before, ...after]);
    });
  }
});
