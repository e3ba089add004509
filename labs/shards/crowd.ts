/**
 * People with sessions in the real session store, and the load on it while a node is added. Some read all the time. At each `tick` one signs in
 * and another signs out. The crowd counts what befell them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type NewSession, type SessionStore, StoreUnavailable, tagOf, tombstoneOf, userSession } from '@cloakroom/session';

/** The store that has this person now. */
export type StoreOf = (tag: string) => SessionStore;

interface Person {
  readonly session: NewSession;
  /** Signed out, and told so. */
  ended: boolean;
}

export interface Befell {
  /** Sessions that nobody ended and that are gone, in percent of those that should be there. */
  readonly lostPercent: number;
  /** Sessions that were ended and are answered again. */
  readonly cameBack: number;
  /** Reads that the store refused. Each was asked again. */
  readonly refused: number;
  /** The longest time until a read had its answer. */
  readonly longestWaitMs: number;
}

/** The measure of one arm. */
export interface Reshard {
  /** Names the round: the people are the same in each arm. */
  readonly name: string;
  readonly people: number;
  /** Nodes before one is added. */
  readonly nodeCount: number;
  /** One more than nodes. */
  readonly ports: readonly number[];
  /** How often somebody signs in and somebody signs out while the node is added. */
  readonly ticks: number;
}

export interface Played extends Befell {
  readonly movedPercent: number;
}

const sessionCountMax = 10;
const readerCount = 4;
/** Enough to keep one thread of each process busy, and to leave it some time. */
const betweenReadsMs = 2;
const retryMs = 5;
/** Far above a moving slot. A read that waits longer is a defect, and ends the lab. */
const waitMaxMs = 20_000;
const atOnce = 50;

export interface Crowd {
  readonly tags: ReadonlySet<string>;
  /** One person signs in, and another signs out. */
  tick(): Promise<void>;
  /** Starts the readers. The returned function stops them. */
  read(): () => Promise<void>;
  /** Asks for every session once more. */
  count(): Promise<Befell>;
}

/** Repeats a call that the store refuses until it is answered, and keeps what that took. */
function openPatience() {
  const seen = { refused: 0, longestWaitMs: 0 };
  return {
    seen,
    async insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
      const began = performance.now();
      for (;;) {
        try {
          const answer = await ask();
          seen.longestWaitMs = Math.max(seen.longestWaitMs, performance.now() - began);
          return answer;
        } catch (error) {
          if (!(error instanceof StoreUnavailable) || performance.now() - began > waitMaxMs) throw error;
          seen.refused += 1;
          await delay(retryMs);
        }
      }
    },
  };
}

/** @param name makes the people of one round the same in each arm */
export async function openCrowd(name: string, size: number, storeOf: StoreOf): Promise<Crowd> {
  const nowMs = Date.now();
  const people: Person[] = [];
  const { seen, insist } = openPatience();
  let leaver = 0;
  const signIn = async (): Promise<void> => {
    const subject = `u_${name}-${people.length}`;
    const session = userSession(subject, { subject, tag: tagOf(subject) }, nowMs);
    people.push({ session, ended: false });
    await insist(() => storeOf(session.tag).create(session, sessionCountMax, nowMs));
  };
  const resolve = ({ session }: Person) => insist(() => storeOf(session.tag).resolve(session, nowMs, undefined));
  const signOut = async (person: Person): Promise<void> => {
    const { session } = person;
    await insist(() => storeOf(session.tag).revoke(tombstoneOf(session), nowMs));
    person.ended = true;
  };
  for (let left = size; left > 0; left -= atOnce) await Promise.all(Array.from({ length: Math.min(left, atOnce) }, signIn));
  Object.assign(seen, { refused: 0, longestWaitMs: 0 });
  return {
    tags: new Set(people.map(({ session }) => session.tag)),
    async tick() {
      await signIn();
      // Everywhere in the list, so that no node is met before another.
      const person = people[(leaver += 7) % size]!;
      if (!person.ended) await signOut(person);
    },
    read() {
      let stopped = false;
      const reader = async (from: number): Promise<void> => {
        for (let at = from; !stopped; at += 13) {
          await resolve(people[at % size]!);
          await delay(betweenReadsMs);
        }
      };
      const running = Promise.all(Array.from({ length: readerCount }, (_, index) => reader(index * 31)));
      return async () => {
        stopped = true;
        await running;
      };
    },
    async count() {
      // The change is over, so the reads that follow do not count.
      const { refused, longestWaitMs } = seen;
      return { ...(await countAll(people, resolve)), refused, longestWaitMs };
    },
  };
}

async function countAll(people: readonly Person[], resolve: (person: Person) => Promise<object | undefined>) {
  let [lost, cameBack] = [0, 0];
  const left = people.values();
  const asker = async (): Promise<void> => {
    for (const person of left) {
      const found = await resolve(person);
      if (found === undefined && !person.ended) lost += 1;
      if (found !== undefined && person.ended) cameBack += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, asker));
  const live = people.filter(({ ended }) => !ended).length;
  return { lostPercent: (100 * lost) / live, cameBack };
}
