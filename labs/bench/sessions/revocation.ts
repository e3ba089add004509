/**
 * `npm run bench -- revocation`: the time from the acknowledged logout to the last acceptance, everywhere, while other people use
 * the shop. It asks both gateways. As a thief inside the mesh would, it also asks cart and profile directly with the last
 * passport. It repeats this with the feed cut.
 *
 * The count is strict: an acceptance is dated when its answer arrived, not when it was decided. Only requests sent after the
 * acknowledgement count, because earlier ones were rightly served.
 */
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { portsOf } from '../../../infra/stack/stack.ts';
import { openAcceptors, untilAccepted, type Acceptor, type Acceptors, type Answer } from './revocation.acceptors.ts';
import { cutFeed, type Cut } from './revocation.cut.ts';
import { Load, openGenerator, type Generator } from '../measuring/load.ts';
import { makeGuests, register, signIn, signInAll, type Mode, type Person } from '../measuring/people.ts';
import { openWorld, type World } from '../measuring/world.ts';

export interface RevocationRequest {
  readonly base: number;
  readonly modes: readonly Mode[];
  /** Trials in the mode hybrid. The other modes do a part of that number, because each of their trials costs more. */
  readonly trials: number;
  readonly cuts: number;
  readonly sessionsPerCut: number;
  readonly personCount: number;
}

/** Milliseconds from the acknowledgement to the last acceptance, one value for each trial. 0 means that none was accepted. */
export interface Trials {
  readonly mode: Mode;
  readonly lags: Readonly<Record<string, readonly number[]>>;
}

export interface RevocationMeasured {
  readonly trials: readonly Trials[];
  readonly cuts: readonly Cut[];
  /** Requests a second by other people meanwhile. */
  readonly loadPerSecond: number;
}

/**
 * Parts of the trials in hybrid. A reference trial asks auth at each step. A trial with an access token
 * needs a sign-in, which hashes a password.
 */
const partOf: Readonly<Record<Mode, number>> = { hybrid: 1, reference: 0.2, 'jwt-denylist': 0.05, jwt: 0.005 };
/** How long a trial waits for the last acceptance. In `jwt` acceptance goes on to the end of the token: that is the lesson of this mode. */
const patienceMsOf: Readonly<Record<Mode, number>> = { hybrid: 5_000, reference: 5_000, 'jwt-denylist': 5_000, jwt: 330_000 };
/** An acceptor that gives no answer, as on a busy machine, is asked for so much longer. */
const answerTimeoutMs = 60_000;
/** The pause between two requests to one acceptor: the possible error of a lag, besides the time of the answer itself. */
const pollMs = 2;
const jwtPollMs = 1_000;
/** After so many refusals in a row an acceptor has heard. */
const confirmCount = 5;
const concurrency = 4;
/** Requests by other people; each core has room left for the trials. */
const loadRate = 100;

export async function benchRevocation(request: RevocationRequest): Promise<RevocationMeasured> {
  const proxy = await openTcpProxy({ port: portsOf(request.base).kafka, protocol: 'kafka' });
  const generator = await openGenerator(`/tmp/cloakroom-bench-revocation-${process.pid}`);
  let world: World | undefined;
  try {
    world = await openWorld({
      name: 'revocation',
      base: request.base,
      parts: ['redis-sessions', 'redis-carts', 'kafka', 'auth', 'cart', 'profile', 'catalog', 'gateway-1', 'gateway-2'],
      env: (name) => (name === 'gateway-2' ? { KAFKA_BROKERS: proxy.address } : {}),
      // Eight processes pinned to one core would measure its queue.
      unpinned: true,
    });
    const acceptors = await openAcceptors(world);
    try {
      return await measure(world, acceptors, proxy, generator, request);
    } finally {
      acceptors.close();
    }
  } finally {
    await world?.stop();
    await generator.stop();
    await proxy.close();
  }
}

async function measure(
  world: World,
  acceptors: Acceptors,
  proxy: TcpProxy,
  generator: Generator,
  request: RevocationRequest,
): Promise<RevocationMeasured> {
  const [gateway, far] = world.gateways;
  const people = await register(gateway, request.personCount);
  const others = await signInAll(gateway, people, 'hybrid');
  const load = keepLoading(generator, new Load(far, '/api/cart', generator.headers('others', others ?? [{}])));
  try {
    const trials: Trials[] = [];
    for (const mode of request.modes) {
      const count = Math.max(1, Math.round(request.trials * partOf[mode]));
      const done = await trialsIn(mode, count, world, acceptors, people);
      if (done === undefined) continue;
      trials.push(done);
      console.log(`${count} trials in ${mode}`);
    }
    const cuts: Cut[] = [];
    if (request.cuts > 0) {
      cuts.push(await cutFeed('proxy', request.cuts, request.sessionsPerCut, world, acceptors, proxy));
      cuts.push(await cutFeed('broker paused', Math.ceil(request.cuts / 10), request.sessionsPerCut, world, acceptors, proxy));
    }
    return { trials, cuts, loadPerSecond: await load.stop() };
  } finally {
    await load.stop();
  }
}

function keepLoading(generator: Generator, load: Load): { stop(): Promise<number> } {
  let going = true;
  const rates: number[] = [];
  const loop = (async () => {
    while (going) {
      const block = await generator.run(load, { kind: 'open', rate: loadRate, seconds: 2, warmUpSeconds: 0 }, {});
      rates.push(block.perSecond);
    }
  })();
  return {
    async stop() {
      going = false;
      await loop;
      return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    },
  };
}

/** @returns undefined where the mode is not allowed */
async function trialsIn(
  mode: Mode,
  count: number,
  world: World,
  acceptors: Acceptors,
  people: readonly Person[],
): Promise<Trials | undefined> {
  const [gateway] = world.gateways;
  const carried = mode === 'jwt' || mode === 'jwt-denylist';
  if (carried && (await signIn(gateway, people[0]!, mode)) === undefined) return undefined;
  const lags: Record<string, number[]> = {};
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const cookie = carried ? (await signIn(gateway, people[left % people.length]!, mode))! : await guestIn(mode, world);
      const found = await trial(await acceptors.of(cookie), () => acceptors.logOut(cookie), mode);
      for (const [name, lag] of Object.entries(found)) (lags[name] ??= []).push(lag);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { mode, lags };
}

/** Sessions are made in stock: one store connection for each session would be most of the work. */
const stock = new Map<string, string[]>();
const stockCount = 500;

async function guestIn(mode: 'reference' | 'hybrid', world: World): Promise<string> {
  const kept = stock.get(mode) ?? [];
  stock.set(mode, kept);
  if (kept.length === 0) {
    const url = `redis://127.0.0.1:${portsOf(world.base).redisSessions}`;
    kept.push(...(await makeGuests(url, world.macKey, stockCount, mode)).map(({ cookie }) => cookie));
  }
  return kept.pop()!;
}

/** Ends one session. @returns milliseconds from the acknowledgement to the last acceptance, by acceptor; 0 where none accepted after it */
export async function trial(where: readonly Acceptor[], revoke: () => Promise<void>, mode: Mode): Promise<Record<string, number>> {
  for (const acceptor of where) await untilAccepted(acceptor);
  let ackMs = Number.POSITIVE_INFINITY;
  const revoked = revoke().then(() => (ackMs = performance.now()));
  const watch = async ({ name, ask }: Acceptor): Promise<[string, number]> => {
    let lastMs = 0;
    let answer: Answer = 'unanswered';
    for (let refused = 0; refused < confirmCount;) {
      const sentMs = performance.now();
      answer = await ask();
      if (sentMs > ackMs) {
        if (answer === 'refused') refused++;
        if (answer === 'accepted') refused = 0;
        if (answer === 'accepted') lastMs = performance.now() - ackMs;
        if (sentMs - ackMs > patienceMsOf[mode] + (answer === 'unanswered' ? answerTimeoutMs : 0)) break;
      }
      await new Promise((resolve) => setTimeout(resolve, mode === 'jwt' ? jwtPollMs : pollMs));
    }
    if (answer === 'unanswered') throw new Error(`${name} gave no answer for ${answerTimeoutMs} ms, so its lag is unknown`);
    return [name, lastMs];
  };
  const found = await Promise.all(where.map(watch));
  await revoked;
  return Object.fromEntries(found);
}
