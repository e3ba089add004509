/**
 * Guessing passwords is slow work: 10 failures an account and 100 an address in 15 minutes, each answered later than the one before, then
 * 429. Only failures count. An attempt takes its point before the password is looked at and gets it back on success, so that a hundred
 * guesses in parallel are still only ten.
 *
 * The price of a limit by account is that a stranger can use it up. Whoever comes from a device that has proved this account's password before
 * (known-devices.ts), or from a live session of it, is counted by that device or session alone: neither the account's nor the address' count,
 * which strangers share, keeps them out. Each such device has its own ten.
 *
 * What succeeds and still fills something (accounts, guest sessions) is counted by address too, and never given back.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { type Attempts, memoryAttempts, redisAttempts } from './attempts.ts';
import { throttled } from './metrics.ts';

export interface ThrottleLimits {
  /** ASVS 5.0 6.3.1 asks for a limit; 10 in 15 min leaves 960 guesses a day against a password of at least 8 characters. */
  readonly accountFailures: number;
  /** Ten times as many, for the people behind one NAT. */
  readonly addressFailures: number;
  readonly registrationsPerHour: number;
  readonly guestsPerHour: number;
  /** Of all addresses together: a flood from many must not fill the store. */
  readonly guestsPerHourInAll: number;
}

export const throttleLimits: ThrottleLimits = {
  accountFailures: 10,
  addressFailures: 100,
  // A class of students behind one address, or a flat full of people.
  registrationsPerHour: 100,
  // A guest lives 7 idle days, at 800 B with all that belongs to it: 1,000 an hour are 135 MB, the most that one address can hold.
  guestsPerHour: 1_000,
  // 2.7 GB in the week that they live: the size that the sessions' Redis has to have (docs/overload.md).
  guestsPerHourInAll: 20_000,
};

const windowMs = 15 * 60_000;
const hourMs = 60 * 60_000;
/** The first mistypes cost nothing. */
const failureCountWithoutDelay = 3;
const delayStepMs = 100;
/** 5 s are the budget of a sign-in. */
const delayMaxMs = 1_600;

export interface Throttle {
  /**
   * Takes one attempt. A Problem when there is none left.
   * @param known the device or the live session of this account that the attempt comes from, if any
   */
  begin(email: string, address: string, known?: string): Promise<Attempt | Problem>;
  registration(address: string): Promise<Problem | undefined>;
  guest(address: string): Promise<Problem | undefined>;
}

export interface Attempt {
  /** Gives the points back. */
  succeeded(): Promise<void>;
  /** How long to wait before the answer; grows with each failure. */
  readonly failureDelayMs: number;
}

/** One count: what it is of, under which key, and how high it may get. */
type Count = readonly [kind: 'account' | 'known' | 'address' | 'registration' | 'guest' | 'guests', of: string, countMax: number];

/** @param redis the sessions' Redis, shared by every replica; without one the counts are this process' own */
export function openThrottle(
  redis: Pick<Redis, 'eval'> | undefined,
  prefix = 'throttle',
  limits: ThrottleLimits = throttleLimits,
  nowMs: () => number = Date.now,
): Throttle {
  const attempts = redis === undefined ? memoryAttempts(nowMs) : redisAttempts(redis, prefix);
  // Embedded and tests may not know the browser's address: no address, no limit by address.
  const ofAddress = (kind: Count[0], address: string, countMax: number): Count[] => {
    const network = networkOf(address);
    return network === '' ? [] : [[kind, network, countMax]];
  };
  return {
    begin: async (email, address, known) => {
      const counts: Count[] =
        known === undefined
          ? [...ofAddress('address', address, limits.addressFailures), ['account', email, limits.accountFailures]]
          : [['known', known, limits.accountFailures]];
      const taken = await takeAll(attempts, counts, windowMs, 'too_many_attempts');
      if (typeof taken !== 'number') return taken;
      return { failureDelayMs: delayMs(taken), succeeded: () => giveAllBack(attempts, counts) };
    },
    registration: (address) => refusal(attempts, ofAddress('registration', address, limits.registrationsPerHour)),
    guest: (address) =>
      refusal(attempts, [...ofAddress('guest', address, limits.guestsPerHour), ['guests', 'all', limits.guestsPerHourInAll]]),
  };
}

async function refusal(attempts: Attempts, counts: readonly Count[]): Promise<Problem | undefined> {
  const taken = await takeAll(attempts, counts, hourMs, 'too_many_requests');
  return typeof taken === 'number' ? undefined : taken;
}

/** One of each, or none: what is refused by one takes nothing from the others. @returns the last count */
async function takeAll(
  attempts: Attempts,
  counts: readonly Count[],
  ofMs: number,
  code: 'too_many_attempts' | 'too_many_requests',
): Promise<number | Problem> {
  let last = 0;
  for (const [at, [kind, of, countMax]] of counts.entries()) {
    const { count, leftMs } = await attempts.take(`${kind}:${of}`, countMax, ofMs);
    if (count === undefined) {
      await giveAllBack(attempts, counts.slice(0, at));
      throttled.inc({ kind });
      return problem(code, undefined, Math.max(1, Math.ceil(leftMs / 1000)));
    }
    last = count;
  }
  return last;
}

async function giveAllBack(attempts: Attempts, counts: readonly Count[]): Promise<void> {
  await Promise.all(counts.map(([kind, of]) => attempts.giveBack(`${kind}:${of}`)));
}

const delayMs = (failureCount: number): number =>
  failureCount <= failureCountWithoutDelay ? 0 : Math.min(delayStepMs * 2 ** (failureCount - failureCountWithoutDelay - 1), delayMaxMs);
