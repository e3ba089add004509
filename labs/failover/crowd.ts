/**
 * People while a primary falls: some sign in, some sign out, and a few read all the time. With the database behind it, a sign-out is auth's own
 * `endSession`: a row first, then the store, and the store is told every row again by auth's own replay. Without it, a sign-out is told to the store
 * alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  RedisSessionStore,
  StoreUnavailable,
  type NewSession,
  type SessionStore,
  tagOf,
  tombstoneOf,
  userSession,
} from '@cloakroom/session';
import type { RedisConnection } from '@cloakroom/platform/redis';
import { openHarness } from '../../apps/auth/src/auth.harness.ts';
import { endSession } from '../../apps/auth/src/revocation/revocations.ts';

/** People who sign out, one after the other; more than the longest failover needs. */
const leaverCount = 1_500;
const steadyCount = 50;
const sessionCountMax = 10;
const atOnce = 50;
const readEveryMs = 5;
/** Longer than any failover. */
const patienceMs = 30_000;

export interface Befell {
  /** Sign-ins that were confirmed, before the fault or since, and are not there afterwards. */
  readonly lost: number;
  /** Sign-outs that were confirmed and whose session is answered afterwards. */
  readonly cameBack: number;
  /** The longest time without an answer to any read. */
  readonly outageMs: number;
  /** Sign-ins and sign-outs that were confirmed since the fault. */
  readonly confirmedSince: number;
}

export interface Crowd {
  /** Lets people come and go, `everyMs` apart, and read, until `stop`. */
  begin(everyMs: number): void;
  /** Resolves when so many more reads were answered. */
  answered(count: number): Promise<void>;
  mark(): void;
  stop(): Promise<void>;
  count(): Promise<Befell>;
}

const session = (name: string, nowMs: number): NewSession => {
  const subject = `u_${name}`;
  return userSession(name, { subject, tag: tagOf(subject) }, nowMs);
};

interface Truth {
  readonly store: SessionStore;
  readonly nowMs: number;
  end(who: NewSession): Promise<void>;
}

async function openTruth(client: RedisConnection, durable: boolean): Promise<Truth> {
  const store = new RedisSessionStore(client);
  if (!durable) {
    const nowMs = Date.now();
    return { store, nowMs, end: async (who) => void (await store.revoke(tombstoneOf(who), nowMs)) };
  }
  const harness = await openHarness({ store });
  return { store: harness.auth.store, nowMs: harness.clock.nowMs(), end: (who) => endSession(harness.auth, undefined, who) };
}

/** A refused call leaves a person where they were: it is not confirmed. */
async function confirmed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof StoreUnavailable) return false;
    throw error;
  }
}

/** Asks for the session of somebody who stays, again and again, and keeps the longest time without an answer. */
function openReader(look: (at: number) => Promise<boolean>) {
  const seen = { answers: 0, lastAnswerMs: performance.now(), outageMs: 0 };
  const one = async (at: number): Promise<void> => {
    if (!(await look(at))) return;
    const atMs = performance.now();
    seen.outageMs = Math.max(seen.outageMs, atMs - seen.lastAnswerMs);
    seen.lastAnswerMs = atMs;
    seen.answers += 1;
  };
  return { seen, one };
}

/** Asks again while the store refuses: a busy machine may need longer than a command has. @throws after `patienceMs` */
async function insist(call: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await confirmed(call()))) {
    if (performance.now() > endMs) throw new Error(`the store refused for ${patienceMs} ms`);
    await delay(readEveryMs);
  }
}

export async function openCrowd(client: RedisConnection, durable: boolean): Promise<Crowd> {
  const { store, nowMs, end } = await openTruth(client, durable);
  const create = (who: NewSession) => store.create(who, sessionCountMax, nowMs);
  const prepare = async (prefix: string, count: number): Promise<NewSession[]> => {
    const made = Array.from({ length: count }, (_, index) => session(`${prefix}-${index}`, nowMs));
    for (let from = 0; from < count; from += atOnce)
      await Promise.all(made.slice(from, from + atOnce).map((who) => insist(() => create(who))));
    return made;
  };
  const [leavers, steady] = [await prepare('leaver', leaverCount), await prepare('steady', steadyCount)];
  const [came, left]: [NewSession[], NewSession[]] = [[], []];
  const reader = openReader((at) => confirmed(store.resolve(steady[at % steadyCount]!, nowMs, undefined)));
  const state = { stopped: false, marked: false, since: 0 };
  const running: Promise<unknown>[] = [];
  const note = async (list: NewSession[], who: NewSession, call: Promise<unknown>): Promise<void> => {
    if (!(await confirmed(call))) return;
    list.push(who);
    if (state.marked) state.since += 1;
  };
  // No call waits for another: a person who hangs does not keep the next one from coming.
  const repeat = async (everyMs: number, act: (at: number) => void): Promise<void> => {
    for (let at = 0; !state.stopped; at += 1) {
      act(at);
      await delay(everyMs);
    }
  };
  const comeAndGo = (at: number): void => {
    const [newcomer, leaver] = [session(`newcomer-${at}`, nowMs), leavers[at]];
    if (leaver !== undefined) running.push(note(came, newcomer, create(newcomer)), note(left, leaver, end(leaver)));
  };
  return {
    begin(everyMs) {
      reader.seen.lastAnswerMs = performance.now();
      running.push(
        repeat(everyMs, comeAndGo),
        repeat(readEveryMs, (at) => void running.push(reader.one(at))),
      );
    },
    async answered(count) {
      const wanted = reader.seen.answers + count;
      while (reader.seen.answers < wanted) await delay(readEveryMs);
    },
    mark: () => void (state.marked = true),
    async stop() {
      state.stopped = true;
      await Promise.all(running);
    },
    async count() {
      const [there, back] = [await presentIn(store, [...came, ...steady], nowMs), await presentIn(store, left, nowMs)];
      return { lost: came.length + steadyCount - there, cameBack: back, outageMs: reader.seen.outageMs, confirmedSince: state.since };
    },
  };
}

/** How many of these are answered. A store that is being told the revocations is asked again. */
async function presentIn(store: SessionStore, people: readonly NewSession[], nowMs: number): Promise<number> {
  let present = 0;
  const rest = people.values();
  const asker = async (): Promise<void> => {
    for (const who of rest) {
      let found: object | undefined;
      await insist(async () => (found = await store.resolve(who, nowMs, undefined)));
      if (found !== undefined) present += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, asker));
  return present;
}
