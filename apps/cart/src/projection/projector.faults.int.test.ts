/** The projector's writes of many partitions over one socket to a real Redis, when that socket is cut, stalls, or loses its answers. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic } from '@cloakroom/contracts';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import type { Redis } from 'ioredis';
import { accepted, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { openTestRedis } from '../redis.harness.ts';
import type { CartView } from './cart.view.ts';
import { openRedisCartView } from './cart.view.redis.ts';

const database = 9;
/** A time-out is 500 ms, a silent socket is dropped after one second, and the machine may be busy. */
const patience = { timeout: 30_000, interval: 50 };
let redis: Redis;
let url: string;
let proxy: TcpProxy;
let view: CartView;
let cart: Harness;
let people: string[];

beforeAll(async () => {
  ({ redis, url } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], database));
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  proxy = await openTcpProxy({ port: Number(new URL(url).port), protocol: 'any' });
  view = openRedisCartView({ url: `redis://${proxy.address}/${database}`, log: quiet, keyspace: `test-${randomUUID()}` });
  await connected();
  cart = await openHarness({ view });
  // Spread over nearly all of the 24 partitions.
  people = Array.from({ length: 60 }, newUser);
});
afterEach(async () => {
  proxy.mend();
  await cart.stop();
  await view.close();
  await proxy.close();
  await redis.flushdb();
});

const connected = (): Promise<void> => vi.waitFor(async () => expect((await view.status()).ok).toBe(true), patience);
const addAll = (): Promise<unknown> => Promise.all(people.map(async (subject) => accepted(await cart.add(subject))));
const holds = (quantity: number): Promise<void> =>
  vi.waitFor(async () => {
    const reads = await Promise.all(people.map((subject) => cart.get(subject)));
    expect(reads.map((read) => ({ ...quantitiesOf(read), stale: read.stale }))).toEqual(
      people.map(() => ({ mug: quantity, stale: false })),
    );
  }, patience);
const buried = async (): Promise<number> =>
  [...(await cart.eventLog.bounds(deadLetterTopic(cart.topics.events))).values()].reduce((sum, { next }) => sum + Number(next), 0);

it.each([
  ['is cut', () => proxy.cut()],
  ['is reset', () => proxy.reset()],
  ['takes the scripts and loses the answers', () => proxy.mute()],
  ['stalls', () => proxy.hold('both')],
])('loses, doubles and buries nothing when the socket to Redis %s in the middle', async (_, fault) => {
  await addAll();
  await holds(1);
  const adding = addAll();
  // Some scripts of the turn are on their way, and the rest is not.
  await new Promise((resolve) => setImmediate(resolve));
  fault();
  await adding;
  await addAll();
  proxy.mend();
  await holds(3);
  expect(await buried()).toBe(0);
});
