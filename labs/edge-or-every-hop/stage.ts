/**
 * The real auth, a chain of hops, and an edge that runs the gateway's own code (apps/gateway/src/identity). Proxies put a distance between auth and all
 * who ask it. They also put it between the edge and the hops, where the edge is near the person and so far from the shop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type AuthService, isProblem, type Problem } from '@cloakroom/contracts';
import type { MeshConnection } from '@cloakroom/mesh';
import type { Clock } from '@cloakroom/platform';
import { readMacKeys } from '@cloakroom/session';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { IdentityCache } from '../../apps/gateway/src/identity/identity-cache.ts';
import { askAuth, readToken } from '../../apps/gateway/src/identity/identify-reference-token.ts';
import { type AuthAlone, openAuthAlone } from '../bench/measuring/auth-alone.ts';
import { type Feed, openFeed } from '../bench/measuring/auth-feed.ts';
import { median } from '../bench/measuring/statistics.ts';
import { asking, audience, openHops, type Hops, verifying } from './hops.ts';

/** The place where it is found out for whom a request is made. */
export type Check = 'edge alone' | 'edge and feed' | 'every hop';

export interface Place {
  readonly check: Check;
  /** Whether the edge is far from the hops, too. */
  readonly near: boolean;
  readonly rttMs: number;
}

export interface Seen {
  readonly p10Ms: number;
  readonly p50Ms: number;
  readonly questionsPerRequest: number;
  /** Seconds for which the last hop accepts a session after its end was acknowledged. */
  readonly acceptedS: number;
  /** Percent of requests that are answered while auth is away. Undefined where that was not asked for. */
  readonly goodWithoutAuth: number | undefined;
}

export interface StageRequest {
  readonly hopCount: number;
  readonly requestCount: number;
}

export interface Stage {
  measure(place: Place, withoutAuth: boolean): Promise<Seen>;
  close(): Promise<void>;
}

/** Fills the caches and connections; they are not measured. */
const warmUpCount = 5;
const withoutAuthCount = 20;
/** A step of the clock by which passports end: an error of half a second of a minute. */
const stepMs = 500;
/** A busy machine may miss the budget of a call now and then. A median does not mind. */
const latePartMax = 0.1;
/** More than the life of any passport. */
const acceptedMaxMs = 90_000;

/** Real time, and as much more as was told. So nobody waits a minute for a passport to end. */
class AheadClock implements Clock {
  aheadMs = 0;
  nowMs = (): number => Date.now() + this.aheadMs;
  monotonicMs = (): number => performance.now() + this.aheadMs;
}

export async function openStage({ hopCount, requestCount }: StageRequest): Promise<Stage> {
  const auth = await openAuthAlone();
  const feed = await openFeed(auth);
  return {
    async measure(place, withoutAuth) {
      const world = await openWorld(auth, feed, place, hopCount);
      try {
        const timed = await timesOf(world, place, hopCount, requestCount);
        const acceptedS = await acceptedAfterEnd(world);
        return { ...timed, acceptedS, goodWithoutAuth: withoutAuth ? await whileAway(world) : undefined };
      } finally {
        await world.close();
      }
    },
    async close() {
      await feed.stop();
      await auth.stop();
    },
  };
}

interface World {
  readonly auth: AuthAlone;
  readonly feed: Feed;
  readonly check: Check;
  readonly clock: AheadClock;
  readonly toAuth: TcpProxy;
  readonly hops: Hops;
  /** @returns what the edge sends on: a passport, or the token itself where each hop asks */
  identify(token: string): Promise<string | Problem>;
  close(): Promise<void>;
}

async function openWorld(auth: AuthAlone, feed: Feed, { check, near, rttMs }: Place, hopCount: number): Promise<World> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one();
  };
  const distant = async (port: number): Promise<TcpProxy> => {
    const proxy = await openTcpProxy({ port, protocol: 'any' });
    closing.push(() => proxy.close());
    proxy.delay(rttMs, 'answers');
    return proxy;
  };
  try {
    const clock = new AheadClock();
    const toAuth = await distant(auth.port);
    const connect = (): MeshConnection<typeof AuthService> => {
      const connection = auth.connect(toAuth.address);
      closing.push(() => connection.close());
      return connection;
    };
    const hops = await openHops({
      count: hopCount,
      auth,
      admission: () =>
        check === 'every hop' ? asking(connect()) : verifying(feed.keys, clock, check === 'edge and feed' ? feed.feed : undefined),
      reachFirst: async (port) => (near ? (await distant(port)).address : `localhost:${port}`),
    });
    closing.push(() => hops.stop());
    const identify = edgeOf(check, auth, connect(), feed, clock);
    return { auth, feed, check, clock, toAuth, hops, identify, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function edgeOf(
  check: Check,
  auth: AuthAlone,
  { client }: MeshConnection<typeof AuthService>,
  { feed }: Feed,
  clock: Clock,
): World['identify'] {
  if (check === 'every hop') return (token) => Promise.resolve(token);
  const ask = (token: string) => askAuth(client.resolve, { token, audience, touch: true }, () => auth.call());
  if (check === 'edge alone')
    return async (token) => {
      const answer = await ask(token);
      if (answer === 'none') throw new Error('a session ended that nobody ended');
      return isProblem(answer) ? answer : answer.passport;
    };
  const cache = new IdentityCache({ feed, clock, random: Math.random });
  const keys = readMacKeys(auth.macKey);
  return async (token) => {
    const request = { tokenHash: readToken(token, keys)!.hash, audience, sensitive: false, touch: true } as const;
    const answer = await cache.identify({ ...request, patience: () => new Promise(() => undefined), ask: () => ask(token) });
    if (answer === 'ended') throw new Error('a session ended that nobody ended');
    return isProblem(answer) ? answer : answer.resolved.passport;
  };
}

async function request({ hops, identify }: World, token: string): Promise<'answered' | Problem> {
  const shown = await identify(token);
  return isProblem(shown) ? shown : hops.call(shown);
}

type Timed = Pick<Seen, 'p10Ms' | 'p50Ms' | 'questionsPerRequest'>;

async function timesOf(world: World, { check, rttMs }: Place, hopCount: number, count: number): Promise<Timed> {
  const { auth } = world;
  const token = await auth.beginGuest();
  let late = 0;
  const good = async (): Promise<number> => {
    const startedMs = performance.now();
    const answer = await request(world, token);
    if (answer !== 'answered' && !isLate(answer)) throw new Error(`a request was refused: ${answer.problem}`);
    if (answer !== 'answered') late += 1;
    return performance.now() - startedMs;
  };
  await world.feed.heard();
  for (let nth = 0; nth < warmUpCount; nth++) await good();
  const before = await auth.questionCount();
  const times: number[] = [];
  for (let nth = 0; nth < count; nth++) times.push(await good());
  const questionsPerRequest = ((await auth.questionCount()) - before) / count;
  if (late > count * latePartMax) throw new Error(`${late} of ${count} requests were not answered in time`);
  const p50Ms = median(times);
  const p10Ms = times.toSorted((a, b) => a - b)[Math.floor(times.length / 10)]!;
  // A distance that nobody feels would make all alike.
  const leastMs = rttMs * (check === 'every hop' ? hopCount : check === 'edge alone' ? 1 : 0);
  if (p10Ms < leastMs) throw new Error(`auth was to be ${rttMs} ms away, and a request took ${p10Ms} ms`);
  return { p10Ms, p50Ms, questionsPerRequest };
}

/** auth has died: nobody reaches it, and the feed is silent, since auth writes it. @returns percent of good answers */
async function whileAway(world: World): Promise<number> {
  const { auth, feed, toAuth, check } = world;
  const token = await auth.beginGuest();
  if ((await request(world, token)) !== 'answered') throw new Error('a request was refused before auth went away');
  const before = await auth.questionCount();
  feed.cut();
  toAuth.cut();
  try {
    // Without a lease the edge asks, in vain, and decides by what it remembers.
    if (check === 'edge and feed') await feed.silent();
    let good = 0;
    for (let nth = 0; nth < withoutAuthCount; nth++) if ((await request(world, token)) === 'answered') good += 1;
    if ((await auth.questionCount()) !== before) throw new Error('auth was to be away, and it was asked');
    return (100 * good) / withoutAuthCount;
  } finally {
    feed.mend();
    toAuth.mend();
    await feed.heard();
  }
}

/** A thief inside of the mesh shows the last hop what the edge has sent, and goes on after the end of the session. */
async function acceptedAfterEnd(world: World): Promise<number> {
  const { auth, feed, clock, check, hops, identify } = world;
  const token = await auth.beginGuest();
  await feed.heard();
  const shown = await identify(token);
  if (isProblem(shown)) throw new Error(`auth could not say who it is: ${shown.problem}`);
  if ((await inTime(() => hops.callLast(shown))) !== 'answered') throw new Error('the last hop refused a session that lives');
  await auth.end(token);
  const endedMs = clock.monotonicMs();
  let lastMs = endedMs;
  while ((await inTime(() => hops.callLast(shown))) === 'answered') {
    lastMs = clock.monotonicMs();
    if (lastMs - endedMs > acceptedMaxMs) throw new Error('an ended session was accepted longer than any passport lives');
    if (check === 'edge alone') clock.aheadMs += stepMs;
    else await delay(1);
  }
  clock.aheadMs = 0;
  return (lastMs - endedMs) / 1_000;
}

const lateCodes: ReadonlySet<string> = new Set(['deadline_exceeded', 'unavailable', 'identity_unavailable']);
const isLate = (answer: Problem): boolean => lateCodes.has(answer.problem);

/** A call that was not answered says nothing about the session, so it is made again. */
async function inTime(call: () => Promise<'answered' | Problem>): Promise<'answered' | Problem> {
  const giveUpMs = performance.now() + acceptedMaxMs;
  for (;;) {
    const answer = await call();
    if (answer === 'answered' || !isLate(answer)) return answer;
    if (performance.now() > giveUpMs) throw new Error(`a hop gave no answer: ${answer.problem}`);
    await delay(50);
  }
}
