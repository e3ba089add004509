/**
 * A real Redis, filled through the shop's own store. It measures the two things that sessions cost there: memory, and questions that the identity
 * cache of a gateway leaves over. Time is by hand: a gateway's two minutes pass as fast as this machine can ask.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { SessionViewSchema, TokenMode } from '@cloakroom/contracts';
import type { RevocationFeed } from '@cloakroom/identity';
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import { hashNamed, RedisSessionStore, tagFrom, type TokenKey } from '@cloakroom/session';
import type { Redis } from 'ioredis';
import { type AuthAnswer, IdentityCache } from '../../apps/gateway/src/identity/identity-cache.ts';
import { portsOf } from '../../infra/stack/stack.ts';
import { guestSession } from '../bench/measuring/people.ts';
import { openWorld } from '../bench/measuring/world.ts';
import { randomOf } from '../chaos/random.ts';
import { copySessions } from './copies.ts';

/** So many are made by the store. It would take minutes for a million, so the rest are copies of these (copies.ts). */
const madeMax = 20_000;
/** Writes at once: enough to fill the connection, few enough for its time-out. */
const batchCount = 500;
/** Requests of so much of a gateway's time are under way at once. It is far below the life of an entry, so joining an answer changes nothing. */
const batchMs = 100;
const commandTimeoutMs = 30_000;
/** A passport's life. The cache cuts it as it does in a gateway. */
const passportLifeMs = 60_000;
/** The cache is empty at first. After one life of its entries it is as full as it will be. */
const warmUpS = 60;

export interface Crowd {
  /** Makes guests until there are so many, or begins anew where there are more. @returns the memory that they take, in bytes */
  fill(count: number): Promise<number>;
  /** @returns questions to auth for each request, at one gateway */
  ask(wish: AskWish): Promise<number>;
  close(): Promise<void>;
}

export interface AskWish {
  /** People whose requests meet this gateway, at most as many as were made. */
  readonly people: number;
  /** Seconds between two requests of one person at this gateway, in the mean. */
  readonly gapS: number;
  /** Seconds that are counted, after the warm-up. */
  readonly windowS: number;
  readonly isLeased: boolean;
}

export async function openCrowd(base: number): Promise<Crowd> {
  const world = await openWorld({ name: 'a-billion', base, parts: ['redis-sessions'], unpinned: true });
  const redis = openRedis({
    url: `redis://127.0.0.1:${portsOf(base).redisSessions}`,
    name: 'lab',
    log: createLogger('lab', 'silent'),
    // The lab fills as fast as it can. No person waits, so the product's 0.5 s would only fail on a busy machine.
    commandTimeoutMs,
  }) as Redis;
  await redisReady(redis);
  const store = new RedisSessionStore(redis);
  const keys: TokenKey[] = [];
  let emptyBytes = 0;
  // The server keeps the scripts that the first session brings. They are no part of a session.
  await one(store, []);
  return {
    async fill(count) {
      if (keys.length === 0 || keys.length > count) {
        await redis.flushall();
        keys.length = 0;
        emptyBytes = await usedBytes(redis);
      }
      const made = Math.min(count, madeMax);
      while (keys.length < made) {
        const batch = Math.min(batchCount, made - keys.length);
        await Promise.all(Array.from({ length: batch }, () => one(store, keys)));
      }
      if (keys.length < count) await copySessions(redis, store, keys, count);
      const bytes = (await usedBytes(redis)) - emptyBytes;
      const held = await redis.dbsize();
      if (held < count) throw new Error(`the store holds ${held} keys of ${count} sessions`);
      return bytes;
    },
    ask: (wish) => ask(store, keys, wish),
    async close() {
      redis.disconnect();
      await world.stop();
    },
  };
}

async function one(store: RedisSessionStore, keys: TokenKey[]): Promise<void> {
  const key = { tag: tagFrom(randomBytes(2)), hash: hashNamed(randomUUID()) };
  keys.push(key);
  const nowMs = Date.now();
  await store.create(guestSession(key, `g_${randomUUID()}`, 'hybrid', nowMs), 1, nowMs);
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

/** Requests come as from many people who know nothing of each other: each is of a person by chance, after a chance pause (Poisson). */
async function ask(store: RedisSessionStore, keys: readonly TokenKey[], wish: AskWish): Promise<number> {
  const random = randomOf(1);
  const startMs = Date.now();
  let nowMs = startMs;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs - startMs };
  const cache = new IdentityCache({ feed: feedThat(wish.isLeased), clock, random: () => random.next() });
  const counted = { requests: 0, questions: 0 };
  const meanPauseMs = (wish.gapS * 1_000) / wish.people;
  const warmMs = startMs + warmUpS * 1_000;
  const endMs = warmMs + wish.windowS * 1_000;
  let waiting: Promise<unknown>[] = [];
  let batchFromMs = nowMs;
  while (nowMs < endMs) {
    nowMs += -Math.log(1 - random.next()) * meanPauseMs;
    const key = keys[Math.floor(random.next() * wish.people)]!;
    const isCounted = nowMs >= warmMs;
    if (isCounted) counted.requests++;
    const answer = cache.identify({
      tokenHash: key.hash,
      audience: 'cart',
      sensitive: false,
      touch: true,
      patience: () => new Promise(() => undefined),
      ask: () => {
        if (isCounted) counted.questions++;
        return answerOf(store, key, nowMs);
      },
    });
    waiting.push(answer);
    if (waiting.length < batchCount && nowMs - batchFromMs < batchMs) continue;
    await Promise.all(waiting);
    waiting = [];
    batchFromMs = nowMs;
  }
  await Promise.all(waiting);
  cache.close();
  return counted.questions / counted.requests;
}

/** auth's answer, by its store. A signature would only cost time here. */
async function answerOf(store: RedisSessionStore, key: TokenKey, nowMs: number): Promise<AuthAnswer> {
  const session = await store.resolve(key, Math.floor(nowMs), { idleTimeoutMs: 7 * 86_400_000 });
  if (session === undefined) throw new Error('the store lost a session');
  const { subject, handle, epoch, globalEpoch } = session;
  const view = create(SessionViewSchema, { mode: TokenMode.HYBRID });
  return { view, passport: '', identity: { subject, handle, epoch, globalEpoch, issuedAtMs: Math.floor(nowMs) }, lifeMs: passportLifeMs };
}

const feedThat = (isLeased: boolean): RevocationFeed => ({
  ready: Promise.resolve(),
  leaseValid: () => isLeased,
  leaseAgeMs: () => 0,
  isRevoked: () => false,
  isTokenRevoked: () => false,
  onRevocation: () => () => undefined,
  stop: () => Promise.resolve(),
});
