/**
 * Guessing is slow work: 10 failures an account and 100 an address in 15 minutes, each answered later than the one before, then 429. Only
 * failures count. An attempt takes its point before the proof is looked at and gets it back on success, so that a hundred guesses in parallel
 * are still only ten.
 *
 * The price of a limit by account is that a stranger can use it up. Whoever comes from a device that has proved this account's password before
 * (known-devices.ts), or from a live session of it, is counted by that device or session alone: neither the account's nor the address' count,
 * which strangers share, keeps them out. Each such device has its own ten, of each kind of proof.
 *
 * What succeeds and still fills something (accounts, guest sessions) is counted by address too, and never given back.
 *
 * An IPv6 address counts with its /64, and that with its /48 (libs/platform/src/network.ts): who has one has 65,536 of the former.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf, siteOf } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { type Attempts, memoryAttempts, redisAttempts } from './attempts.ts';
import { throttled } from '../metrics.ts';

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

/** Of what one network may have, its /48 has ten: a company with ten offices, and a bound for who rents the whole of it. */
const networksOfSite = 10;
/** What all guests share has ten parts, of which one /48 gets one: nobody else is kept out by it. */
const guestShareOfSite = 1 / 10;

const windowMs = 15 * 60_000;
const hourMs = 60 * 60_000;
/** The first mistypes cost nothing. */
const failureCountWithoutDelay = 3;
const delayStepMs = 100;
/** 5 s are the budget of a sign-in. */
const delayMaxMs = 1_600;

/** A device or a live session of the account, or the account itself where nobody else gets so far. Counted alone. */
export interface Known {
  readonly by: 'device' | 'session' | 'account';
  readonly name: string;
}

export interface Guess {
  /** Each kind of proof has counts of its own. `taken-email` asks about somebody else's account. */
  readonly at: 'password' | 'second-factor' | 'totp-setup' | 'passkey' | 'taken-email';
  /** Whose: an e-mail or a subject. Undefined where there is nothing to guess (a signature), so that the address alone counts. */
  readonly of: string | undefined;
  readonly address: string;
  /** Said by every caller: who forgets to look for a known device does not compile. */
  readonly known: Known | 'stranger';
}

export interface Throttle {
  /** The one way to a count of failures. Takes one attempt; a Problem when there is none left. */
  begin(guess: Guess): Promise<Attempt | Problem>;
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
type Count = readonly [kind: 'account' | 'known' | 'address' | 'site' | 'registration' | 'guest' | 'guests', of: string, countMax: number];

/** @param redis the sessions' Redis, shared by every replica; without one the counts are this process' own */
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
    registration: (address) => {
      const { registrationsPerHour: countMax } = limits;
      return refusal(attempts, ofPlace('registration', '', address, countMax, countMax * networksOfSite));
    },
    guest: (address) => {
      const { guestsPerHour, guestsPerHourInAll } = limits;
      const ofSite = Math.max(guestsPerHour, Math.floor(guestsPerHourInAll * guestShareOfSite));
      return refusal(attempts, [...ofPlace('guest', '', address, guestsPerHour, ofSite), ['guests', 'all', guestsPerHourInAll]]);
    },
  };
}

function countsOf({ at, of, address, known }: Guess, { accountFailures, addressFailures }: ThrottleLimits): Count[] {
  if (known !== 'stranger') return [['known', `${at} ${known.by} ${known.name}`, accountFailures]];
  // Whoever asks for other people's e-mails must not use up the sign-ins of the same address, nor the other way round.
  const place = ofPlace('address', at === 'taken-email' ? at : '', address, addressFailures, addressFailures * networksOfSite);
  return of === undefined ? place : [...place, ['account', `${at} ${of}`, accountFailures]];
}

/** By the network of the address and, where it is a part of a larger one, by that too. */
function ofPlace(kind: Count[0], what: string, address: string, countMax: number, siteCountMax: number): Count[] {
  const site = siteOf(address);
  const network: Count = [kind, `${what} ${networkOf(address)}`, countMax];
  return site === undefined ? [network] : [network, ['site', `${kind} ${what} ${site}`, siteCountMax]];
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
