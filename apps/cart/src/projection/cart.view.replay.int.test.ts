/** The switch of a partition from one space of the view to the next, on a real Redis. operations/replay.int.test.ts has whole replays. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Redis } from 'ioredis';
import { quiet } from '../cart.harness.ts';
import { openTestRedis } from '../redis.harness.ts';
import { openRedisCartView } from './cart.view.redis.ts';
import { openSpaces } from './cart.view.replay.ts';
import type { CartView, MirrorPlace, Place } from './cart.view.ts';

const patience = { timeout: 30_000, interval: 50 };

let redis: Redis;
let redisUrl: string;
let keyspace: string;
let opened: { stop(): Promise<void> }[];
beforeEach(async () => {
  ({ redis, url: redisUrl } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], 12));
  keyspace = `test-${randomUUID().slice(0, 8)}-v1`;
  opened = [];
});
afterEach(async () => {
  for (const each of opened.reverse()) await each.stop();
  await redis.flushdb();
  redis.disconnect();
});

const placeAt = (next: bigint, more: Partial<Place> = {}): Place => ({ next, rebuiltAt: 0n, forwardedTo: 0n, logId: 'log', ...more });
const connected = async (view: CartView): Promise<CartView> => {
  opened.push({ stop: () => view.close() });
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true), patience);
  return view;
};
const openBoth = async () => {
  const to = keyspace.replace(/1$/, '2');
  const serving = await connected(openRedisCartView({ url: redisUrl, log: quiet, keyspace }));
  const building = await connected(openRedisCartView({ url: redisUrl, log: quiet, keyspace, building: to }));
  const level = () => openSpaces(redis, keyspace).switchOver(0, keyspace, to);
  return { serving, building, level };
};
const put = async (view: CartView, place: Place): Promise<void> => {
  const { place: expected } = await view.load(0, []);
  expect(await view.apply(0, { expected, place, carts: [] })).toBe(true);
};

it('a switch happens only when both spaces stand at the same record of the same log, and the new space has caught up', async () => {
  const { serving, building, level } = await openBoth();
  expect(await level()).toBe(false);
  await put(serving, placeAt(5n));
  expect(await level()).toBe(false);
  for (const elsewhere of [placeAt(4n), placeAt(6n), placeAt(5n, { logId: 'other' }), placeAt(5n, { rebuiltAt: 9n })]) {
    await put(building, elsewhere);
    expect(await level()).toBe(false);
  }
  await put(building, placeAt(5n));
  expect(await level()).toBe(true);
});

it('a switch happens only when both spaces stand at the same record of each copy too, and the new space has read what each copy held', async () => {
  const { serving, building, level } = await openBoth();
  const us = { region: 'us', next: 7n, rebuiltAt: 0n, reached: 9n, heardMs: 5, logId: 'a' };
  const ap = { ...us, region: 'ap', next: 3n };
  const beside = (...mirrors: readonly MirrorPlace[]) => placeAt(5n, { mirrors });
  await put(serving, beside(us, ap));
  const elsewhere = [
    placeAt(5n),
    beside(us),
    beside({ ...us, next: 6n }, ap),
    beside({ ...us, next: 8n }, ap),
    beside({ ...us, rebuiltAt: 9n }, ap),
  ];
  for (const place of elsewhere) {
    await put(building, place);
    expect(await level()).toBe(false);
  }
  await put(building, beside(ap, { ...us, reached: 0n, heardMs: 0, logId: '' }));
  expect(await level()).toBe(true);
  // A copy whose records retention has taken tells a new space nothing of how far its log was heard.
  expect((await serving.load(0, [])).place).toEqual(beside(us, ap));
});

it('a switch is reported to a caller that repeats it after a lost answer, and never goes back', async () => {
  const { serving, building, level } = await openBoth();
  await put(serving, placeAt(5n));
  await put(building, placeAt(5n));
  expect(await level()).toBe(true);
  // The serving projector has continued since then, in the new space.
  await put(serving, placeAt(6n));
  expect(await level()).toBe(true);
  const third = keyspace.replace(/1$/, '3');
  expect(await openSpaces(redis, keyspace).switchOver(0, keyspace, third)).toBe(false);
});

it('a switch ends writes to both spaces at that record, so none goes into the wrong space', async () => {
  const { serving, building, level } = await openBoth();
  await put(serving, placeAt(5n, { forwardedTo: 3n }));
  await put(building, placeAt(5n));
  const [old, built] = [(await serving.load(0, [])).place, (await building.load(0, [])).place];
  expect(await level()).toBe(true);
  // One batch was read before the switch, and the replay does not know of the switch yet.
  expect(await serving.apply(0, { expected: old, place: placeAt(6n), carts: [] })).toBe(false);
  expect(await building.apply(0, { expected: built, place: placeAt(6n), carts: [] })).toBe(false);
  expect((await serving.load(0, [])).place).toEqual(placeAt(5n));
  await put(serving, placeAt(6n));
  expect((await building.load(0, [])).place).toEqual(placeAt(6n));
});
