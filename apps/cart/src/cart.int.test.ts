/** The cart on a real Kafka and a real Redis. Each test has topics and keys of its own. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MergeState } from '@cloakroom/contracts';
import { openEventLog, type EventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { accepted, newGuest, newUser, openHarness, quantitiesOf, quiet, type Harness } from './cart.harness.ts';
import type { CartView } from './projection/cart.view.ts';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import type { Doom } from './doomed-projector.harness.ts';
import type { CartTopics } from './cart.dependencies.ts';
import { openTestRedis } from './redis.harness.ts';

const brokers = (process.env['TEST_KAFKA_BROKERS'] ?? '').split(',');
const database = 8;
/** The group leaves a killed member its partitions for 6 s. */
const patience = { timeout: 30_000, interval: 100 };

let redis: Redis;
let redisUrl: string;
let id: string;
let topics: CartTopics;
let opened: { stop(): Promise<void> }[];

beforeAll(async () => {
  ({ redis, url: redisUrl } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], database));
});
afterAll(() => redis.disconnect());

beforeEach(() => {
  id = randomUUID().slice(0, 8);
  const topic = (name: string, cleanup: 'delete' | 'compact') => ({
    name: `${name}.test-${id}`,
    partitions: 4,
    cleanup,
    retentionMs: cleanup === 'compact' ? -1 : 86_400_000,
  });
  topics = {
    events: topic('cart.events', 'delete'),
    snapshots: topic('cart.snapshots', 'compact'),
    identity: topic('identity.events', 'delete'),
    orders: topic('order.events', 'delete'),
  };
  opened = [];
});
afterEach(async () => {
  for (const each of opened.reverse()) await each.stop();
  await redis.flushdb();
});

const keyspace = (): string => `test-${id}`;
const group = (): string => `cart-projector-${id}`;

/** One cart service, with connections of its own. */
async function openService(): Promise<Harness & { view: CartView; eventLog: EventLog }> {
  const eventLog = await openEventLog({ kind: 'kafka', brokers, clientId: `cart-test-${randomUUID()}`, log: quiet, clock: systemClock });
  const view = openRedisCartView({ url: redisUrl, log: quiet, keyspace: keyspace() });
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true), patience);
  const service = await openHarness({ eventLog, view, topics, group: group() });
  opened.push({
    stop: async () => {
      await service.stop();
      await eventLog.close();
      await view.close();
    },
  });
  return service;
}

const shows = (service: Harness, subject: string, expected: Record<string, number>): Promise<void> =>
  vi.waitFor(async () => {
    const read = await service.get(subject);
    expect(quantitiesOf(read)).toEqual(expected);
    expect(read.stale).toBe(false);
  }, patience);

describe('a cart on Kafka and Redis', () => {
  it('shows an acknowledged add to a read that brings its token', async () => {
    const service = await openService();
    const ada = newUser();
    await shows(service, ada, {});
    const { consistencyToken } = accepted(await service.add(ada, 'mug', 2));
    const read = await service.get(ada, consistencyToken);
    expect(read).toMatchObject({ stale: false, behind: 0n });
    expect(quantitiesOf(read)).toEqual({ mug: 2 });
  });

  it('loses and doubles none of 200 simultaneous adds through two producers', async () => {
    const [one, two] = await Promise.all([openService(), openService()]);
    const ada = newUser();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? one : two).add(ada, `product-${n % 5}`)));
    expect(new Set(answers.map((answer) => accepted(answer).consistencyToken)).size).toBe(200);
    const all = Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`product-${n}`, 40]));
    await shows(one, ada, all);
    await shows(two, ada, all);
  });

  it('merges a guest cart across partitions and services', async () => {
    const [one, two] = await Promise.all([openService(), openService()]);
    const [guest, user] = [newGuest(), newUser()];
    accepted(await one.add(guest, 'mug', 2));
    accepted(await two.add(user, 'cup', 1));
    // Both services share the claims' group, so both must know the key.
    const key = one.auth.key;
    vi.spyOn(two.auth.ring, 'find').mockImplementation((kid) => one.auth.ring.find(kid));
    for (let n = 0; n < 2; n++) await one.claim(guest, user, { signer: key });
    await vi.waitFor(async () => {
      const read = await two.get(user, undefined, guest);
      expect(read.merge?.state).toBe(MergeState.MERGED);
      expect(quantitiesOf(read)).toEqual({ mug: 2, cup: 1 });
    }, patience);
  });

  it('heals after FLUSHDB by itself, says stale until it has, and then shows all lines', async () => {
    const service = await openService();
    const people = Array.from({ length: 6 }, newUser);
    for (const subject of people) for (let n = 0; n < 5; n++) accepted(await service.add(subject));
    for (const subject of people) await shows(service, subject, { mug: 5 });
    await redis.flushdb();
    expect((await service.get(people[0]!)).stale).toBe(true);
    for (const subject of people) await shows(service, subject, { mug: 5 });
  });

  it('restores from snapshots, then replays the later events', async () => {
    const service = await openService();
    const ada = newUser();
    for (let n = 0; n < 25; n++) await Promise.all([1, 2, 3, 4, 5].map(async () => accepted(await service.add(ada))));
    await shows(service, ada, { mug: 125 });
    const snapshots = [...(await service.eventLog.bounds(topics.snapshots)).values()].reduce((sum, { next }) => sum + Number(next), 0);
    expect(snapshots).toBeGreaterThanOrEqual(1);
    await redis.flushdb();
    await shows(service, ada, { mug: 125 });
  });

  it('applies no event twice when it is killed between the write to the view and the commit', async () => {
    const service = await openService();
    const people = Array.from({ length: 8 }, newUser);
    await service.projector().stop();
    for (const subject of people) for (let n = 0; n < 3; n++) accepted(await service.add(subject));
    const doom: Doom = { brokers, redisUrl, keyspace: keyspace(), topics, group: group() };
    const child = spawn(
      process.execPath,
      [
        '--conditions=source',
        '--experimental-transform-types',
        '--no-warnings',
        join(import.meta.dirname, 'doomed-projector.harness.ts'),
        JSON.stringify(doom),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    // The killed projector had applied a batch and committed none of it.
    const places = await service.view.places([0, 1, 2, 3]);
    const applied = [...places].filter(([, { next }]) => next > 0n);
    expect(applied.length).toBeGreaterThan(0);
    const lag = await service.eventLog.lag(group(), topics.events);
    expect(lag.reduce((sum, { records }) => sum + records, 0n)).toBe(24n);

    await service.restartProjector();
    for (const subject of people) await shows(service, subject, { mug: 3 });
    const { carts } = await service.view.load(applied[0]![0], people);
    for (const { eventsSinceSnapshot } of carts.values()) expect(eventsSinceSnapshot).toBe(3);
  });

  it('says stale for a cart whose owner is paused, even to a device without a token, and sells no removed line', async () => {
    const service = await openService();
    const owner = spawn(
      process.execPath,
      [
        '--conditions=source',
        '--experimental-transform-types',
        '--no-warnings',
        join(import.meta.dirname, 'doomed-projector.harness.ts'),
        JSON.stringify({ brokers, redisUrl, keyspace: keyspace(), topics, group: group(), lives: true } satisfies Doom),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    opened.push({ stop: async () => void owner.kill('SIGKILL') });
    // Both are members before the first write, so each holds two of the four partitions.
    await once(owner.stdout, 'data');
    const people = Array.from({ length: 16 }, newUser);
    const seen = new Map<string, string>();
    for (const subject of people) {
      accepted(await service.add(subject));
      await shows(service, subject, { mug: 1 });
      seen.set(subject, (await service.get(subject)).seen ?? '');
    }
    owner.kill('SIGSTOP');
    const lineId = (await service.get(people[0]!)).lines![0]!.lineId!;
    for (const subject of people) accepted(await service.remove(subject, lineId, seen.get(subject)!));

    const sold = await Promise.all(people.map((subject) => service.prepare(subject, seen.get(subject)!).then(accepted)));
    for (const { lines, stale } of sold) expect(stale || lines?.length === 0).toBe(true);
    expect(sold.filter(({ stale }) => stale).length, 'carts that the paused one holds').toBeGreaterThan(0);
    // The paused owner keeps its partitions for 6 s. Reads notice it within that time, and only reads of its carts are stale.
    await vi.waitFor(
      async () => {
        const carts = await Promise.all(people.map((subject) => service.get(subject)));
        const old = carts.filter((cart) => quantitiesOf(cart)['mug'] !== undefined);
        expect(old.length).toBeGreaterThan(0);
        expect(old.filter(({ stale }) => stale !== true)).toEqual([]);
        expect(carts.filter((cart) => quantitiesOf(cart)['mug'] === undefined && cart.stale === true)).toEqual([]);
      },
      { timeout: 4_500, interval: 100 },
    );
    // Two starts and a rebalance, on a busy machine.
  }, 240_000);

  it('continues where a killed service ended, and keeps every acknowledged line', async () => {
    const [one, two] = await Promise.all([openService(), openService()]);
    const people = Array.from({ length: 8 }, newUser);
    for (const subject of people) accepted(await one.add(subject));
    for (const subject of people) await shows(two, subject, { mug: 1 });
    await one.projector().stop();
    for (const subject of people) accepted(await two.add(subject));
    for (const subject of people) await shows(two, subject, { mug: 2 });
  });
});
