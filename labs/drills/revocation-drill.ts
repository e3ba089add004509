/**
 * The drill for the worst day: one command must end every session, however many there are. It runs a separate stack with real Redis and
 * Kafka.
 *
 * The sessions are written straight into the store. A sample of them keeps asking both gateways, which have them cached, until every
 * request is refused. An acceptance is dated by the time at which its request was sent.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { makeGuests, type MadeSession } from '../bench/measuring/people.ts';
import { openWorld } from '../bench/measuring/world.ts';
import { repository } from '../../infra/stack/folders.ts';
import { portsOf } from '../../infra/stack/stack.ts';

export interface DrillRequest {
  readonly base: number;
  readonly sessionCount: number;
}

export interface DrillOutcome {
  readonly sessionCount: number;
  /** The whole command, including the start of Node. */
  readonly commandMs: number;
  /** The last output of the command. */
  readonly told: string;
  /**
   * For each gateway: accepted requests before the command, and the last one after its begin and after
   * its end. Times are 0 where there was none.
   */
  readonly gateways: readonly { readonly acceptedBefore: number; readonly lastAfterBeginMs: number; readonly lastAfterEndMs: number }[];
  /** Sessions out of all that were tried afterwards, and how many of them were accepted. */
  readonly checked: number;
  readonly acceptedAfterwards: number;
}

const parts = ['redis-sessions', 'redis-carts', 'kafka', 'auth', 'cart', 'profile', 'catalog', 'orders', 'gateway-1', 'gateway-2'] as const;
/** Sessions that both gateways have cached, and that ask as long as the drill takes. */
const sampleCount = 200;
const askerCount = 4;
const checkedCountMax = 2_000;
/** The drill ends after this time without an acceptance; the bound of the lease is 2 s. */
const quietMs = 3_000;
const giveUpMs = 240_000;
const commandTimeoutMs = 120_000;

export async function drillRevokeEverything({ base, sessionCount }: DrillRequest): Promise<DrillOutcome> {
  const world = await openWorld({ name: 'drill', base, parts, unpinned: true });
  try {
    const redisUrl = `redis://127.0.0.1:${portsOf(base).redisSessions}`;
    const sessions = await makeGuests(redisUrl, world.macKey, sessionCount);
    const sample = spread(sessions, sampleCount);
    const watches = world.gateways.map((gateway) => watch(gateway, sample));
    await Promise.all(watches.map((each) => each.warm));
    const beganMs = performance.now();
    const told = await execa(process.execPath, [join(repository, 'infra/cli.ts'), 'revoke-everything', '--port-base', String(base)], {
      timeout: commandTimeoutMs,
    });
    const endedMs = performance.now();
    await Promise.all(watches.map((each) => each.quiet()));
    const checked = spread(sessions, checkedCountMax);
    return {
      sessionCount,
      commandMs: Math.round(endedMs - beganMs),
      told: told.stdout,
      gateways: watches.map(({ accepted }) => ({
        acceptedBefore: accepted.filter((atMs) => atMs < beganMs).length,
        lastAfterBeginMs: Math.round(Math.max(0, ...accepted.map((atMs) => atMs - beganMs))),
        lastAfterEndMs: Math.round(Math.max(0, ...accepted.map((atMs) => atMs - endedMs))),
      })),
      checked: checked.length,
      acceptedAfterwards: await countAccepted(world.gateways, checked),
    };
  } finally {
    await world.stop();
  }
}

export function describeDrill({ sessionCount, commandMs, told, gateways, checked, acceptedAfterwards }: DrillOutcome): string {
  return [
    `${sessionCount} sessions, ended by one command of ${commandMs} ms, the start of Node included, which said:`,
    `  ${told}`,
    ...gateways.map(
      ({ acceptedBefore, lastAfterBeginMs, lastAfterEndMs }, index) =>
        `gateway ${index + 1}: ${acceptedBefore} accepted before; the last one was sent ${lastAfterBeginMs} ms after the command began` +
        (lastAfterEndMs > 0 ? `, ${lastAfterEndMs} ms after it ended` : ', before it ended'),
    ),
    `afterwards ${checked} of them were asked about: ${acceptedAfterwards} let in`,
  ].join('\n');
}

interface Watch {
  /** The times at which accepted requests were sent. */
  readonly accepted: number[];
  /** Resolves when the whole sample was accepted once: from here on it is cached. */
  readonly warm: Promise<void>;
  /** Stops when no request was accepted for a while. */
  quiet(): Promise<void>;
}

function watch(gateway: string, sample: readonly MadeSession[]): Watch {
  const accepted: number[] = [];
  let stopped = false;
  let next = 0;
  let lastRefusal = 'none';
  const ask = async (): Promise<void> => {
    while (!stopped) {
      const session = sample[next++ % sample.length]!;
      const sentMs = performance.now();
      const told = await answerOf(gateway, session);
      if (told === acceptedAs) accepted.push(sentMs);
      else {
        lastRefusal = told;
        await delay(1);
      }
    }
  };
  const asking = Array.from({ length: askerCount }, ask);
  const until = async (what: string, done: () => boolean): Promise<void> => {
    const endMs = performance.now() + giveUpMs;
    while (!done()) {
      if (performance.now() > endMs) {
        throw new Error(`${gateway}: not ${what} in ${giveUpMs} ms, ${accepted.length} accepted, last refusal: ${lastRefusal}`);
      }
      await delay(20);
    }
  };
  return {
    accepted,
    warm: until('every session cached', () => accepted.length >= 2 * sample.length),
    quiet: async () => {
      try {
        await until('quiet', () => performance.now() - Math.max(...accepted) > quietMs);
      } finally {
        stopped = true;
        await Promise.all(asking);
      }
    },
  };
}

/** The state that a gateway tells to a session which it lets in. */
const acceptedAs = 'guest';

async function answerOf(gateway: string, { cookie }: MadeSession): Promise<string> {
  const answer = await fetch(`${gateway}/api/session`, { headers: { cookie } });
  const told = (await answer.json()) as { state?: string; code?: string };
  return told.state ?? `${answer.status} ${told.code}`;
}

async function countAccepted(gateways: readonly string[], sessions: readonly MadeSession[]): Promise<number> {
  let count = 0;
  for (const [index, session] of sessions.entries()) {
    if ((await answerOf(gateways[index % gateways.length]!, session)) === acceptedAs) count++;
  }
  return count;
}

/** Picks evenly from all of them. */
function spread(sessions: readonly MadeSession[], count: number): MadeSession[] {
  const step = Math.max(1, sessions.length / count);
  return Array.from({ length: Math.min(count, sessions.length) }, (_, i) => sessions[Math.floor(i * step)]!);
}
