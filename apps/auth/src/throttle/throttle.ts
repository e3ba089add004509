/**
 * The throttle makes guessing slow: 10 failures an account and 100 an address in 15 minutes. Each failure is answered later than the one before, and
 * after the last comes 429. Only failures count. An attempt takes its point before the proof is checked and gets it back on success. So a hundred
 * guesses in parallel are still only ten.
 *
 * A stranger can use up a limit by account. So the throttle counts some callers by their own device or session alone. These callers come from a
 * device that has proved this account's password before (known-devices.ts), or from a live session of it. Strangers share the counts of the account
 * and the address, and those counts do not keep such a caller out. Each such device has its own ten, of each kind of proof.
 *
 * Successful requests that fill something (accounts, guest sessions) are counted by address too. A sign-up that must wait for the other region is given
 * back, and no other.
 *
 * An IPv6 address counts with its /64, and that with its /48 (libs/platform/src/network.ts), since the owner of a /48 has 65,536 /64s.
 */
import { createHash } from 'node:crypto';
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf, siteOf } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { type Attempts, memoryAttempts, redisAttempts } from './attempts.ts';
import { throttled } from '../metrics.ts';

export interface ThrottleLimits {
  /** ASVS 5.0 6.3.1 asks for a limit. 10 in 15 min leaves 960 guesses a day against a password of at least 8 characters. */
  readonly accountFailures: number;
  /** Ten times as many, for the people behind one NAT. */
  readonly addressFailures: number;
  readonly registrationsPerHour: number;
  readonly guestsPerHour: number;
  /** All addresses together, so that a flood from many of them cannot fill the store. */
  readonly guestsPerHourInAll: number;
}

export const throttleLimits: ThrottleLimits = {
  accountFailures: 10,
  addressFailures: 100,
  // Enough for a class of students behind one address, or a flat full of people.
  registrationsPerHour: 100,
  // A guest lives 7 idle days, at 800 B with all its data. 1,000 an hour are 135 MB, the most that one address can hold.
  guestsPerHour: 1_000,
  // 2.7 GB in the week that they live. The sessions' Redis must have that size (docs/overload.md).
  guestsPerHourInAll: 20_000,
};

/** A /48 may have ten times as much as one network: enough for a company with ten offices, and a bound for a tenant of the whole /48. */
const networksOfSite = 10;
/** One /48 gets a tenth of the count that all guests share, so it cannot keep the others out. */
const guestShareOfSite = 1 / 10;

const windowMs = 15 * 60_000;
const hourMs = 60 * 60_000;
/** The first mistypes are answered without delay. */
const failureCountWithoutDelay = 3;
const delayStepMs = 100;
/** A sign-in has a budget of 5 s. */
const delayMaxMs = 1_600;

/** A caller with a count of its own: a device or a live session of the account. Also the account itself, where no stranger gets so far. */
export interface Known {
  readonly by: 'device' | 'session' | 'account';
  readonly name: string;
}

export interface Guess {
  /** Each kind of proof has its own counts. `taken-email` asks about another person's account. */
  readonly at: 'password' | 'second-factor' | 'totp-setup' | 'passkey' | 'taken-email';
  /** The e-mail (countedAs) or subject that is guessed at. Undefined for a signature, which cannot be guessed, so that only the address counts. */
  readonly of: string | undefined;
  readonly address: string;
  /** Required, so that a caller that forgets to look for a known device does not compile. */
  readonly known: Known | 'stranger';
}

export interface Throttle {
  /** The only way to count failures. Takes one attempt; a Problem when none is left. */
  begin(guess: Guess): Promise<Attempt | Problem>;
  /** Gives back the points of an attempt that failed here and succeeded in the region where the account lives. */
  succeededElsewhere(guess: Guess): Promise<void>;
  registration(address: string): Promise<Registration | Problem>;
  guest(address: string): Promise<Problem | undefined>;
}

export interface Registration {
  /** For a sign-up that made no account, and whose refusal tells nothing. */
  giveBack(): Promise<void>;
}

export interface Attempt {
  /** Gives the attempt's points back. */
  succeeded(): Promise<void>;
  /** The wait before the answer; grows with each failure. */
  readonly failureDelayMs: number;
}

/** One count: its kind, its key, and its limit. */
type Count = readonly [kind: 'account' | 'known' | 'address' | 'site' | 'registration' | 'guest' | 'guests', of: string, countMax: number];

/** The name of an e-mail in the counts of passwords. Another region gets this name where it need not know the e-mail (login-abroad.ts). */
export const countedAs = (email: string): string => createHash('sha256').update(email).digest('base64url');

/** @param redis the sessions' Redis, shared by every replica; without it each process counts alone */
export function openThrottle(
  redis: Pick<Redis, 'eval'> | undefined,
  prefix = 'throttle',
  limits: ThrottleLimits = throttleLimits,
  nowMs: () => number = Date.now,
): Throttle {
  const attempts = redis === undefined ? memoryAttempts(nowMs) : redisAttempts(redis, prefix);
  return {
    begin: async (guess) => {
      const counts = countsOf(guess, limits);
      const taken = await takeAll(attempts, counts, windowMs, 'too_many_attempts');
      if (typeof taken !== 'number') return taken;
      return { failureDelayMs: delayMs(taken), succeeded: () => giveAllBack(attempts, counts) };
    },
    succeededElsewhere: (guess) => giveAllBack(attempts, countsOf(guess, limits)),
    registration: async (address) => {
      const { registrationsPerHour: countMax } = limits;
      const counts = ofPlace('registration', '', address, countMax, countMax * networksOfSite);
      const taken = await takeAll(attempts, counts, hourMs, 'too_many_requests');
      return typeof taken === 'number' ? { giveBack: () => giveAllBack(attempts, counts) } : taken;
    },
    guest: async (address) => {
      const { guestsPerHour, guestsPerHourInAll } = limits;
      const ofSite = Math.max(guestsPerHour, Math.floor(guestsPerHourInAll * guestShareOfSite));
      const counts: Count[] = [...ofPlace('guest', '', address, guestsPerHour, ofSite), ['guests', 'all', guestsPerHourInAll]];
      const taken = await takeAll(attempts, counts, hourMs, 'too_many_requests');
      return typeof taken === 'number' ? undefined : taken;
    },
  };
}

function countsOf({ at, of, address, known }: Guess, { accountFailures, addressFailures }: ThrottleLimits): Count[] {
  if (known !== 'stranger') return [['known', `${at} ${known.by} ${known.name}`, accountFailures]];
  // Asking for other people's e-mails must not use up the sign-ins of the same address, nor the other way round.
  const place = ofPlace('address', at === 'taken-email' ? at : '', address, addressFailures, addressFailures * networksOfSite);
  return of === undefined ? place : [...place, ['account', `${at} ${of}`, accountFailures]];
}

/** Counts by the network of the address and, where that is part of a larger one, by the larger one too. */
function ofPlace(kind: Count[0], what: string, address: string, countMax: number, siteCountMax: number): Count[] {
  const site = siteOf(address);
  const network: Count = [kind, `${what} ${networkOf(address)}`, countMax];
  return site === undefined ? [network] : [network, ['site', `${kind} ${what} ${site}`, siteCountMax]];
}

/** Takes one of each count, or none: a refusal by one gives the others back. @returns the last count */
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
