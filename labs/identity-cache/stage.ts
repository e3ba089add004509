/**
 * People use the shop by a clock that is told, and the real memory of the gateway asks the real auth. Auth's own metric counts the questions. Sessions
 * are ended at auth, and a thief goes on with the cookie until it is refused. With the feed that takes real milliseconds, and they are measured.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { randomOf, type Random } from '../chaos/random.ts';
import { type AuthAlone, openAuthAlone } from '../bench/measuring/auth-alone.ts';
import { type Feed, openFeed } from '../bench/measuring/auth-feed.ts';
import { type Crowd, sharesOf } from './formula.ts';
import { type Belief, type Memory, openMemory, ToldClock } from './memory.ts';

export interface Seen {
  /** From 0 to 1. */
  readonly hitRatio: number;
  readonly questionsPerS: number;
  /** Seconds from the acknowledged end to the last acceptance, by session. */
  readonly staleS: readonly number[];
  /** The same, where the feed was cut before the end. Undefined where there is no feed. */
  readonly cutStaleS: number | undefined;
}

export interface Stage {
  /** @param seed the same seed gives the same people, requests and lives of entries */
  measure(belief: Belief, crowd: Crowd, seed: number): Promise<Seen>;
  close(): Promise<void>;
}

export interface StageRequest {
  readonly peopleMax: number;
  /** Seconds of the clock that is told. */
  readonly seconds: number;
  readonly endings: number;
}

/** The life of a passport: no answer is believed longer, so after two of them nothing of the beginning is left. */
const passportLifeS = 60;
/** Hits need no turn of the event loop. After so many of them the feed gets one. */
const breathCount = 200;
/** Looks of the thief during the life of an entry: an error of half a percent of it. */
const lookCount = 200;
/** A busy machine may miss the time-out of a question, which is then asked again. Far below what a wrong count would be. */
const countErrorMax = 5;
/** Guests that begin at once. */
const atOnce = 50;

export async function openStage({ peopleMax, seconds, endings }: StageRequest): Promise<Stage> {
  const auth = await openAuthAlone();
  const tokens: string[] = [];
  while (tokens.length < peopleMax)
    tokens.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, peopleMax - tokens.length) }, () => auth.beginGuest()))));
  const feed = await openFeed(auth);
  return {
    async measure(belief, crowd, seed) {
      const [clock, random] = [new ToldClock(), randomOf(seed)];
      const memories = Array.from({ length: crowd.gateways }, () => openMemory(auth, belief, feed, clock, random.next));
      const use = { auth, clock, random, memories, crowd, pick: pickerOf(tokens.slice(0, crowd.people)) };
      try {
        await play(use, 2 * (belief === 'feed' ? passportLifeS : belief));
        const before = await auth.questionCount();
        const { asked, all } = await play(use, seconds);
        const counted = (await auth.questionCount()) - before;
        // The metric counts an answer a moment before or after the gateway has it, and one that came too late.
        if (Math.abs(counted - asked) > countErrorMax) throw new Error(`the gateways asked ${asked} times, and auth counted ${counted}`);
        const staleS = await endSome(use, belief, endings);
        const cutStaleS = belief === 'feed' ? await endWhileCut(use, feed) : undefined;
        return { hitRatio: 1 - asked / all, questionsPerS: asked / seconds, staleS, cutStaleS };
      } finally {
        for (const memory of memories) memory.close();
      }
    },
    async close() {
      await feed.stop();
      await auth.stop();
    },
  };
}

interface Use {
  readonly auth: AuthAlone;
  readonly clock: ToldClock;
  readonly random: Random;
  readonly memories: readonly Memory[];
  readonly crowd: Crowd;
  /** @param part in [0, 1) */
  readonly pick: (part: number) => string;
}

function pickerOf(tokens: readonly string[]): (part: number) => string {
  let sum = 0;
  const ends = sharesOf(tokens.length).map((share) => (sum += share));
  return (part) =>
    tokens[
      Math.max(
        0,
        ends.findIndex((end) => part < end),
      )
    ]!;
}

/** Requests come at random moments (a Poisson process), and reach any gateway. */
async function play({ clock, random, memories, crowd, pick }: Use, seconds: number): Promise<{ asked: number; all: number }> {
  const endMs = clock.aheadMs + seconds * 1_000;
  const counts = { asked: 0, all: 0 };
  for (;;) {
    clock.aheadMs += (-Math.log(1 - random.next()) / crowd.ratePerS) * 1_000;
    if (clock.aheadMs >= endMs) break;
    const memory = random.pick(memories);
    if (counts.all % breathCount === 0) await new Promise(setImmediate);
    await memory.heard();
    const found = await memory.identify(pick(random.next()));
    if (found === 'ended') throw new Error('a session ended that nobody ended');
    counts.all += 1;
    if (found === 'asked') counts.asked += 1;
  }
  clock.aheadMs = endMs;
  return counts;
}

/** Ends sessions at evenly spread ages of what is remembered of them. @returns seconds of acceptance after each end */
async function endSome(use: Use, belief: Belief, count: number): Promise<number[]> {
  const { auth, clock, memories } = use;
  const lifeMs = (belief === 'feed' ? passportLifeS : belief) * 1_000;
  const stepMs = Math.max(1, lifeMs / lookCount);
  const seen: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    const [memory, token] = [memories[0]!, await auth.beginGuest()];
    for (const untilMs = clock.aheadMs + ((nth + 0.5) / count) * lifeMs; clock.aheadMs < untilMs; clock.aheadMs += stepMs) {
      await memory.heard();
      if ((await memory.identify(token)) === 'ended') throw new Error('a session ended that nobody ended');
    }
    await memory.heard();
    await memory.identify(token);
    await auth.end(token);
    seen.push(belief === 'feed' ? await realStaleS(memory, token) : await toldStaleS(memory, token, clock, stepMs));
  }
  return seen;
}

async function toldStaleS(memory: Memory, token: string, clock: ToldClock, stepMs: number): Promise<number> {
  const endedMs = clock.aheadMs;
  let lastMs = endedMs;
  for (; (await memory.identify(token)) !== 'ended'; clock.aheadMs += stepMs) lastMs = clock.aheadMs;
  return (lastMs - endedMs) / 1_000;
}

/** The clock of the people stands still. Only the feed, or the end of its lease, can take the answer back. */
async function realStaleS(memory: Memory, token: string): Promise<number> {
  const endedMs = performance.now();
  let lastMs = endedMs;
  for (; (await memory.identify(token)) !== 'ended'; await delay(1)) lastMs = performance.now();
  return (lastMs - endedMs) / 1_000;
}

async function endWhileCut({ auth, memories }: Use, feed: Feed): Promise<number> {
  const [memory, token] = [memories[0]!, await auth.beginGuest()];
  await memory.heard();
  await memory.identify(token);
  feed.cut();
  try {
    await auth.end(token);
    return await realStaleS(memory, token);
  } finally {
    feed.mend();
  }
}
