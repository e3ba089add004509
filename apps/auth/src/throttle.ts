/**
 * Guessing passwords is slow work: 10 failures an account and 100 an address in 15 minutes, each answered later than the one before, then
 * 429. Only failures count. An attempt takes its point before the password is looked at and gets it back on success, so that a hundred
 * guesses in parallel are still only ten.
 *
 * The price of a limit by account is that a stranger can use it up. Whoever proves the password from a live session of that same account
 * (a known device) is counted by that session instead, so a stranger does not lock the owner out there. A cookie that outlives sign-out
 * and marks a known device would do the same for signed-out browsers; it is not built.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import { StoreUnavailable } from '@cloakroom/session';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** ASVS 5.0 6.3.1 asks for a limit; 10 in 15 min leaves 960 guesses a day against a password of at least 8 characters. */
const accountFailureCountMax = 10;
/** Ten times as many, for the people behind one NAT. */
const addressFailureCountMax = 100;
const windowS = 15 * 60;
/** The first mistypes cost nothing. */
const failureCountWithoutDelay = 3;
const delayStepMs = 100;
/** 5 s are the budget of a sign-in. */
const delayMaxMs = 1_600;

export interface Throttle {
  /**
   * Takes one attempt. A Problem when there is none left.
   * @param knownHandle the live session of this account that the attempt comes from, if any
   */
  begin(email: string, address: string, knownHandle?: string): Promise<Attempt | Problem>;
}

export interface Attempt {
  /** Gives the points back. */
  succeeded(): Promise<void>;
  /** How long to wait before the answer; grows with each failure. */
  readonly failureDelayMs: number;
}

/** @param redis the sessions' Redis, shared by every replica; without one the counts are this process' own */
export function openThrottle(redis: Redis | undefined, prefix = 'throttle'): Throttle {
  const limiter = (name: string, points: number): RateLimiterAbstract => {
    const options = { keyPrefix: `${prefix}:${name}`, points, duration: windowS };
    return redis === undefined ? new RateLimiterMemory(options) : new RateLimiterRedis({ ...options, storeClient: redis });
  };
  const byAccount = limiter('account', accountFailureCountMax);
  const byHandle = limiter('session', accountFailureCountMax);
  const byAddress = limiter('address', addressFailureCountMax);
  return {
    begin: async (email, address, knownHandle) => {
      const [person, personKey] = knownHandle === undefined ? [byAccount, email] : [byHandle, knownHandle];
      // Embedded and tests may not know the browser's address: no address, no limit by address.
      if (address !== '') {
        const left = await consume(byAddress, address);
        if ('problem' in left) return left;
      }
      const left = await consume(person, personKey);
      const giveBack = async (): Promise<void> => {
        if (address !== '') await byAddress.reward(address, 1);
      };
      if ('problem' in left) {
        await reachable(giveBack);
        return left;
      }
      return {
        failureDelayMs: delayMs(left.consumedPoints),
        succeeded: () => reachable(async () => void (await Promise.all([giveBack(), person.reward(personKey, 1)]))),
      };
    },
  };
}

const delayMs = (failureCount: number): number =>
  failureCount <= failureCountWithoutDelay ? 0 : Math.min(delayStepMs * 2 ** (failureCount - failureCountWithoutDelay - 1), delayMaxMs);

/** The library rejects with a result when the limit is reached, and with an error when its store fails. */
async function consume(limiter: RateLimiterAbstract, key: string): Promise<RateLimiterRes | Problem> {
  return reachable(async () => {
    try {
      return await limiter.consume(key, 1);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      // It counts what it refuses too; a refused attempt looked at no password and is no failure.
      await limiter.reward(key, 1);
      return problem('too_many_attempts', undefined, Math.max(1, Math.ceil(refused.msBeforeNext / 1000)));
    }
  });
}

async function reachable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new StoreUnavailable('the throttle cannot count', { cause: error });
  }
}
