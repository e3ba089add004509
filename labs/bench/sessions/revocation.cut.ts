/**
 * Revocations that the far gateway cannot hear: a proxy cuts it from Kafka, or the broker itself is paused. Silence ends its lease, and
 * from then on it asks auth. Every session of a cut is revoked at once, and requested until it is refused.
 */
import { untilStopped, type TcpProxy } from '@cloakroom/testing';
import { portsOf } from '../../../infra/stack/stack.ts';
import { untilAccepted, type Acceptor, type Acceptors, type Answer } from './revocation.acceptors.ts';
import { makeGuests } from '../measuring/people.ts';
import type { World } from '../measuring/world.ts';

export interface Cut {
  readonly how: 'proxy' | 'broker paused';
  readonly cuts: number;
  /** The same measure as in an undisturbed trial: milliseconds to the last acceptance at the gateway that cannot hear. */
  readonly lags: readonly number[];
}

/** Requests in flight at once: the sweep itself must not become the load. */
const concurrency = 16;
/** The pause between two sweeps over all sessions: the possible error of a lag. */
const sweepPauseMs = 100;
/** Far above the bound, so that an acceptance this late would be seen. */
const patienceMs = 8_000;
/** A gateway that gives no answer is asked for so long. */
const answerTimeoutMs = 60_000;
const healTimeoutMs = 120_000;
/** After all were refused they are asked once more: a refusal must not be taken back. */
const confirmAfterMs = 500;

export async function cutFeed(
  how: Cut['how'],
  cuts: number,
  sessionCount: number,
  world: World,
  acceptors: Acceptors,
  proxy: TcpProxy,
): Promise<Cut> {
  const lags: number[] = [];
  const pause = async (): Promise<void> => {
    if (how === 'proxy') return proxy.cut();
    process.kill(world.pid('kafka'), 'SIGSTOP');
    await untilStopped(world.pid('kafka'));
  };
  const heal = (): void => (how === 'proxy' ? proxy.mend() : void process.kill(world.pid('kafka'), 'SIGCONT'));
  for (let cut = 1; cut <= cuts; cut++) {
    await leased(world);
    const url = `redis://127.0.0.1:${portsOf(world.base).redisSessions}`;
    const sessions = (await makeGuests(url, world.macKey, sessionCount)).map(({ cookie }) => ({
      cookie,
      at: acceptors.gateway(1, cookie),
      ackMs: Number.POSITIVE_INFINITY,
      lastMs: 0,
    }));
    await inTurn(sessions, ({ at }) => untilAccepted(at));
    await pause();
    try {
      const revoking = inTurn(sessions, async (session) => {
        await acceptors.logOut(session.cookie);
        session.ackMs = performance.now();
      });
      await sweep(sessions);
      await revoking;
    } finally {
      heal();
    }
    lags.push(...sessions.map(({ lastMs }) => lastMs));
    if (cut % 10 === 0 || cut === cuts) console.log(`${cut} of ${cuts} cuts (${how})`);
  }
  await leased(world);
  return { how, cuts, lags };
}

interface Watched {
  readonly cookie: string;
  readonly at: Acceptor;
  ackMs: number;
  lastMs: number;
}

async function sweep(sessions: readonly Watched[]): Promise<void> {
  const beganMs = performance.now();
  let open: readonly Watched[] = sessions;
  let patientMs = patienceMs;
  while (open.length > 0 && performance.now() - beganMs < patientMs) {
    const refused = new Set<Watched>();
    patientMs = patienceMs;
    await inTurn(open, async (session) => {
      const answer = await ask(session);
      if (answer === 'refused') refused.add(session);
      if (answer === 'unanswered') patientMs = answerTimeoutMs;
    });
    open = open.filter((session) => !refused.has(session) || session.ackMs === Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setTimeout(resolve, sweepPauseMs));
  }
  await new Promise((resolve) => setTimeout(resolve, confirmAfterMs));
  await inTurn(sessions, async (session) => {
    const answer = await ask(session);
    if (open.includes(session) && answer === 'unanswered')
      throw new Error(`a gateway gave no answer for ${answerTimeoutMs} ms, so its lag is unknown`);
  });
}

async function ask(session: Watched): Promise<Answer> {
  const sentMs = performance.now();
  const answer = await session.at.ask();
  if (answer === 'accepted' && sentMs > session.ackMs) session.lastMs = performance.now() - session.ackMs;
  return answer;
}

async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const one = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}

/** Waits until both gateways hear the feed. A gateway without a lease asks auth, and there would be nothing to measure. */
async function leased(world: World): Promise<void> {
  const untilMs = performance.now() + healTimeoutMs;
  for (const url of world.gateways.slice(0, 2)) {
    while (!(await hears(url))) {
      if (performance.now() > untilMs) throw new Error(`${url} did not find its lease again`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function hears(url: string): Promise<boolean> {
  try {
    const told = (await (await fetch(`${url}/readyz`)).json()) as { parts: { feed: { leased: boolean } } };
    return told.parts.feed.leased;
  } catch {
    return false;
  }
}
