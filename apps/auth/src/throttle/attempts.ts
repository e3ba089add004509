/**
 * Counts of attempts, shared by every replica through the sessions' Redis. Each step is one script on one key, so it is atomic, and the same on a
 * cluster. The window begins with the first attempt. Every key has its end as TTL from its first write on.
 *
 * A counter that gives back by a plain decrement had two faults. A point given back after the window has ended makes the next window start below
 * zero. And a flood of refused attempts, timed to the second that Retry-After told, buys hundreds of guesses that way. So this counter gives nothing
 * back to a count that does not exist, and a refused attempt takes nothing.
 */
import { createHash } from 'node:crypto';
import { StoreUnavailable } from '@cloakroom/session';
import type { Redis } from 'ioredis';

export interface Attempts {
  /** Takes one of `countMax` in `windowMs`. An undefined count means that none is left. @throws StoreUnavailable */
  take(key: string, countMax: number, windowMs: number): Promise<{ readonly count: number | undefined; readonly leftMs: number }>;
  /** @throws StoreUnavailable */
  giveBack(key: string): Promise<void>;
}

const takeScript = `
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[1]) then return {-1, redis.call('PTTL', KEYS[1])} end
count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {count, redis.call('PTTL', KEYS[1])}`;

/** Deletes a count that falls to zero, so that an attempt without a failure leaves nothing behind. */
const giveBackScript = `
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count > 1 then return redis.call('DECR', KEYS[1]) end
return redis.call('DEL', KEYS[1])`;

/** Throws when Redis is away, and the caller answers 503: guesses that are not counted would be unlimited. A sign-in needs the same Redis anyway. */
export function redisAttempts(redis: Pick<Redis, 'eval'>, prefix: string): Attempts {
  const run = async (script: string, key: string, ...args: number[]): Promise<unknown> => {
    try {
      return await redis.eval(script, 1, `${prefix}:${shortened(key)}`, ...args);
    } catch (error) {
      throw new StoreUnavailable('the throttle cannot count', { cause: error });
    }
  };
  return {
    take: async (key, countMax, windowMs) => {
      const [count, leftMs] = (await run(takeScript, key, countMax, windowMs)) as [number, number];
      return { count: count < 0 ? undefined : count, leftMs };
    },
    giveBack: async (key) => void (await run(giveBackScript, key)),
  };
}

/** The most keys of one process, about 200 B each. Above it the oldest windows are forgotten, which takes more failures than one address may have. */
const memoryKeyCountMax = 50_000;

/** For embedded mode and tests: one process, no Redis. */
export function memoryAttempts(nowMs: () => number): Attempts {
  const counts = new Map<string, { count: number; endMs: number }>();
  const alive = (key: string) => {
    const entry = counts.get(key);
    if (entry === undefined || entry.endMs > nowMs()) return entry;
    counts.delete(key);
    return undefined;
  };
  return {
    take: (key, countMax, windowMs) => {
      const entry = alive(key) ?? { count: 0, endMs: nowMs() + windowMs };
      const leftMs = entry.endMs - nowMs();
      if (entry.count >= countMax) return Promise.resolve({ count: undefined, leftMs });
      entry.count += 1;
      counts.set(key, entry);
      if (counts.size > memoryKeyCountMax) counts.delete(counts.keys().next().value!);
      return Promise.resolve({ count: entry.count, leftMs });
    },
    giveBack: (key) => {
      const entry = alive(key);
      if (entry !== undefined && (entry.count -= 1) <= 0) counts.delete(key);
      return Promise.resolve();
    },
  };
}

/** Hashes the key to one length, whatever was typed. So a dump of the store lists no e-mail addresses. */
const shortened = (key: string): string => {
  const at = key.indexOf(':');
  return `${key.slice(0, at)}:${createHash('sha256')
    .update(key.slice(at + 1))
    .digest('base64url')
    .slice(0, 22)}`;
};
