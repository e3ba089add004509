/**
 * `npm run bench -- regions`: what an ocean costs a person who is abroad, and how long abroad accepts what home has ended. Two whole regions run, with
 * the real copy of the feed, and the ocean is lengthened, and cut, while they do. One request is under way at a time, so nothing waits in a queue of
 * the benchmark.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../measuring/people.ts';
import { rotated } from '../measuring/statistics.ts';
import { gatewayAt, logOut } from '../sessions/revocation.acceptors.ts';
import { trial } from '../sessions/revocation.ts';
import { measureCut, type CutMeasured, cuts } from './regions.cut.ts';
import {
  makePeople,
  newCommand,
  type Place,
  places,
  plainProduct,
  type Regions,
  signInAt,
  startRegions,
  type Told,
} from './regions.world.ts';

export const rttsMs = [0, 80, 200] as const;
/** Twice in each round, as the table's A/A. */
export const againMark = ' again';

export interface RegionsRequest {
  /** A round measures everything at each length of the ocean. */
  readonly rounds: number;
  /** Requests of a kind in a round. Sign-ins are a fifth, because each hashes a password. */
  readonly requests: number;
  readonly trials: number;
  /** Requests of a kind while cut, for each kind of cut. */
  readonly whileCut: number;
}

export interface Timed {
  readonly operation: string;
  readonly place: Place;
  readonly rttMs: number;
  readonly ms: readonly number[];
}

export interface RegionsMeasured {
  readonly timed: readonly Timed[];
  /** Milliseconds from the acknowledged sign-out at home to the last acceptance abroad, at 80 ms. */
  readonly lags: readonly number[];
  readonly trialRttMs: number;
  readonly cuts: readonly CutMeasured[];
}

const trialRttMs = 80;
const concurrency = 4;
const personCount = 5;
/** An ocean that was lengthened has the connections that it had; the first question over it may be late. */
const settleTimeoutMs = 120_000;

export async function benchRegions({ base, ...request }: RegionsRequest & { readonly base: number }): Promise<RegionsMeasured> {
  const regions = await startRegions(base, trialRttMs);
  try {
    return await measureRegions(regions, request);
  } finally {
    await regions.stop();
  }
}

/** @param regions leaves them with an ocean of 80 ms */
export async function measureRegions(regions: Regions, request: RegionsRequest): Promise<RegionsMeasured> {
  const stage = await openStage(regions);
  const timed = new Map<string, { operation: string; place: Place; rttMs: number; ms: number[] }>();
  for (let round = 0; round < request.rounds; round++) {
    for (const rttMs of rotated(rttsMs, round)) {
      await regions.ocean({ do: 'rtt', rttMs });
      await stage.settle();
      for (const place of rotated(places, round)) await measureAt(place, rttMs, stage, request.requests, timed);
    }
    console.log(`round ${round + 1} of ${request.rounds}`);
  }
  await regions.ocean({ do: 'rtt', rttMs: trialRttMs });
  await stage.settle();
  const lags = await revocations(regions, request.trials);
  console.log(`${lags.length} trials at ${trialRttMs} ms`);
  const measured: CutMeasured[] = [];
  for (const cut of cuts) {
    measured.push(await measureCut(cut, regions, request.whileCut));
    await stage.settle();
    console.log(`${request.whileCut} of each while ${cut.name}`);
  }
  return { timed: [...timed.values()], lags, trialRttMs, cuts: measured };
}

interface Stage {
  readonly regions: Regions;
  /** Those who sign in again and again. An account has ten sessions at most, so none of theirs is among the cookies. */
  readonly visitors: readonly Person[];
  readonly productId: string;
  /** Sessions of home, in both gateways' caches. */
  readonly cookies: readonly string[];
  /** Waits until abroad knows every session under the lease of home's feed. */
  settle(): Promise<void>;
}

async function openStage(regions: Regions): Promise<Stage> {
  const visitors = await makePeople(regions, 'home', personCount);
  const cookies: string[] = [];
  for (const person of await makePeople(regions, 'home', personCount)) cookies.push(await signInAt(regions, 'home', person));
  const productId = await plainProduct(regions);
  const knows = async (place: Place, cookie: string): Promise<boolean> => {
    const { status, decision } = await regions.ask(place, '/api/cart', { cookie });
    return status === 200 && decision === 'hybrid hit';
  };
  const settle = async (): Promise<void> => {
    const untilMs = performance.now() + settleTimeoutMs;
    for (const place of places)
      for (const cookie of cookies)
        while (!(await knows(place, cookie))) {
          if (performance.now() > untilMs) throw new Error(`${place} does not know a session under its lease`);
          await delay(100);
        }
  };
  return { regions, visitors, productId, cookies, settle };
}

/** A round of the benchmark stops if a cart is not the same on both sides by then. */
const shownTimeoutMs = 60_000;

/** A guest of one side, known on the other, puts something into the cart. @returns with the time until the other side shows it */
async function putUntilShown({ ask }: Regions, place: Place, productId: string): Promise<Told> {
  const other = places.find((one) => one !== place)!;
  const { cookie } = await ask(place, '/api/session/guest', { method: 'POST', body: {} });
  const linesThere = async (): Promise<number> => {
    const { status, body } = await ask(other, '/api/cart', { cookie });
    return status === 200 ? (JSON.parse(body) as { lines: object[] }).lines.length : 0;
  };
  await linesThere();
  const sentMs = performance.now();
  const told = await ask(place, '/api/cart/lines', { method: 'POST', cookie, body: newCommand(productId) });
  if (told.status !== 202) return told;
  while ((await linesThere()) === 0)
    if (performance.now() - sentMs > shownTimeoutMs) throw new Error(`${other} shows nothing of what was put into a cart at ${place}`);
  return { ...told, ms: performance.now() - sentMs };
}

type Operation = readonly [name: string, parts: number, ask: (place: Place, index: number) => Promise<Told>, wanted: number];

/** Each is what a person of home does, at a gateway of home and abroad. */
function operationsOf({ regions, visitors, productId, cookies }: Stage): Operation[] {
  const { ask } = regions;
  const cookie = (index: number) => cookies[index % cookies.length]!;
  const readCart = (place: Place, index: number) => ask(place, '/api/cart', { cookie: cookie(index) });
  return [
    ['read the cart', 1, readCart, 200],
    [`read the cart${againMark}`, 1, readCart, 200],
    [
      'read the cart, the first time there',
      0.2,
      async (place) => {
        const guest = await ask('home', '/api/session/guest', { method: 'POST', body: {} });
        return ask(place, '/api/cart', { cookie: guest.cookie });
      },
      200,
    ],
    [
      'put into the cart',
      1,
      (place, index) => ask(place, '/api/cart/lines', { method: 'POST', cookie: cookie(index), body: newCommand(productId) }),
      202,
    ],
    ['put into the cart, until the other side shows it', 0.2, (place) => putUntilShown(regions, place, productId), 202],
    ['read the profile', 1, (place, index) => ask(place, '/api/profile', { cookie: cookie(index) }), 200],
    ['list the devices', 1, (place, index) => ask(place, '/api/session/devices', { cookie: cookie(index) }), 200],
    ['sign in', 0.2, (place, index) => ask(place, '/api/session/login', { method: 'POST', body: visitors[index % visitors.length]! }), 200],
  ];
}

async function measureAt(
  place: Place,
  rttMs: number,
  stage: Stage,
  requests: number,
  timed: Map<string, { operation: string; place: Place; rttMs: number; ms: number[] }>,
): Promise<void> {
  for (const [operation, part, ask, wanted] of operationsOf(stage)) {
    const key = `${operation} ${place} ${rttMs}`;
    const row = timed.get(key) ?? { operation, place, rttMs, ms: [] };
    timed.set(key, row);
    const count = Math.max(1, Math.round(requests * part));
    for (let index = 0; index < count; index++) row.ms.push(await untilTaken(operation, () => ask(place, index), wanted));
  }
}

/** A question that home did not answer in time is asked again and not counted: its place in the table is "while cut". */
const takenTimeoutMs = 60_000;

async function untilTaken(operation: string, ask: () => Promise<Told>, wanted: number): Promise<number> {
  const untilMs = performance.now() + takenTimeoutMs;
  for (;;) {
    const { status, ms, body } = await ask();
    if (status === wanted) return ms;
    if (![503, 504].includes(status) || performance.now() > untilMs) throw new Error(`${operation}: ${status} ${body}`);
    await delay(100);
  }
}

/** A guest of home, known abroad under the lease, signs out at home; abroad is asked until it refuses. */
async function revocations({ ask, pools, gateways }: Regions, count: number): Promise<number[]> {
  const lags: number[] = [];
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const { cookie } = await ask('home', '/api/session/guest', { method: 'POST', body: {} });
      const headers = { cookie, origin: gateways.home, 'content-type': 'application/json' };
      const found = await trial([gatewayAt(pools.abroad, 'abroad', cookie)], () => logOut(pools.home, headers), 'hybrid');
      lags.push(found['abroad']!);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return lags;
}
