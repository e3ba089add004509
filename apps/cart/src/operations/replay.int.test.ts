/** Replays beside the serving view, on a real Kafka and a real Redis, while two services write, merge, remove and read. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isProblem } from '@cloakroom/contracts';
import { openEventLog, type EventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { accepted, newCommandId, newGuest, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { ViewUnavailable } from '../projection/cart.view.ts';
import { openRedisCartView } from '../projection/cart.view.redis.ts';
import { openSpaces, type Spaces } from '../projection/cart.view.replay.ts';
import type { CartTopics } from '../cart.dependencies.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { evolveInBatch } from '../model/cart.ts';
import { openTestRedis } from '../redis.harness.ts';
import { replay, type Replayed } from './replay.ts';

const brokers = (process.env['TEST_KAFKA_BROKERS'] ?? '').split(',');
const patience = { timeout: 30_000, interval: 50 };
const partitionCount = 4;

let redis: Redis;
let redisUrl: string;
let keyspace: string;
let topics: CartTopics;
let opened: { stop(): Promise<void> }[];

beforeEach(async () => {
  ({ redis, url: redisUrl } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], 9));
  const id = randomUUID().slice(0, 8);
  keyspace = `test-${id}-v1`;
  const topic = (name: string, cleanup: 'delete' | 'compact') => ({
    name: `${name}.replay-${id}`,
    partitions: partitionCount,
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
  redis.disconnect();
});

async function openLog(): Promise<EventLog> {
  const eventLog = await openEventLog({ kind: 'kafka', brokers, clientId: `replay-test-${randomUUID()}`, log: quiet, clock: systemClock });
  opened.push({ stop: () => eventLog.close() });
  return eventLog;
}

async function openService(): Promise<Harness> {
  const eventLog = await openLog();
  const view = openRedisCartView({ url: redisUrl, log: quiet, keyspace });
  await vi.waitFor(async () => expect((await view.status()).ok).toBe(true), patience);
  const service = await openHarness({ eventLog, view, topics, group: `cart-projector-${keyspace}` });
  opened.push({ stop: async () => (await service.stop(), await view.close()) });
  return service;
}

/** On a busy machine an outcome may be unknown. Then this repeats the same command, as any client does. */
async function addSurely(service: Harness, subject: string): Promise<string> {
  const commandId = newCommandId();
  for (;;) {
    const answer = await service.add(subject, 'mug', 1, { commandId });
    if (!isProblem(answer)) return answer.consistencyToken!;
    if (answer.problem !== 'outcome_unknown' && answer.problem !== 'unavailable') throw new Error(answer.problem);
  }
}

async function runReplay(spaces: Spaces = openSpaces(redis, keyspace)): Promise<Replayed> {
  const eventLog = await openLog();
  return replay({
    eventLog,
    clock: systemClock,
    log: quiet,
    topics,
    region: 'local',
    evolve: evolveInBatch,
    spaces,
    open: (building) => openRedisCartView({ url: redisUrl, log: quiet, keyspace, building }),
  });
}

const shows = (service: Harness, subject: string, expected: Record<string, number>): Promise<void> =>
  vi.waitFor(async () => {
    const read = await service.get(subject);
    expect(read.stale).toBe(false);
    expect(quantitiesOf(read)).toEqual(expected);
  }, patience);
const keysOf = async (space: string): Promise<string[]> => (await redis.keys(`*:${space}:*`)).filter((key) => !key.endsWith(':serving'));

describe('a replay into a new view', () => {
  it('lets no read go back and loses nothing, while people write, sign in and remove', async () => {
    const [one, two] = await Promise.all([openService(), openService()]);
    // Both services share the claims' group, so both must know the key.
    vi.spyOn(two.auth.ring, 'find').mockImplementation((kid) => one.auth.ring.find(kid));
    const people = Array.from({ length: 6 }, newUser);
    const [guest, owner] = [newGuest(), newUser()];
    for (const subject of [...people, guest]) for (let n = 0; n < 20; n++) accepted(await one.add(subject));
    await one.claim(guest, owner);
    await shows(two, owner, { mug: 20 });

    let going = true;
    let reads = 0;
    const wentBack: string[] = [];
    const shop = async (subject: string, index: number): Promise<number> => {
      let mugs = 20;
      for (; going; mugs++) {
        const [writer, reader] = index % 2 === 0 ? [one, two] : [two, one];
        const consistencyToken = await addSurely(writer, subject);
        // The token demands this count. A read that lags says so, and is repeated.
        await vi.waitFor(async () => {
          const read = await reader.get(subject, consistencyToken);
          const { mug = 0 } = quantitiesOf(read);
          // This is never repeated: a reader must not see less than before.
          if (mug < mugs) wentBack.push(`${mug} after ${mugs}`);
          reads += 1;
          expect(read.stale).toBe(false);
          expect(quantitiesOf(read)).toEqual({ mug: mugs + 1 });
        }, patience);
      }
      return mugs;
    };
    const shopping = people.map(shop);
    const asGuest = (async () => {
      let mugs = 20;
      for (; going; mugs++) await addSurely(one, guest);
      return mugs;
    })();

    const replayed = await runReplay()
      .then(async (done) => {
        await vi.waitFor(() => expect(reads).toBeGreaterThan(60), patience);
        return done;
      })
      .finally(() => (going = false));
    expect(wentBack).toEqual([]);
    expect(replayed).toMatchObject({ from: [keyspace], to: keyspace.replace(/1$/, '2'), partitions: partitionCount });
    for (const [index, subject] of people.entries()) await shows(one, subject, { mug: await shopping[index]! });
    // One projector or the other has forwarded the guest's commands around the switch.
    await shows(two, owner, { mug: await asGuest });
    expect(await keysOf(keyspace)).toEqual([]);
    expect((await keysOf(replayed.to)).length).toBeGreaterThanOrEqual(people.length + 2);
    // 140 writes, a merge and a replay, beside other tests that share the broker.
  }, 240_000);

  it('mends a wrong cart of the old view, and keeps removals and unreadable records as they were', async () => {
    const service = await openService();
    const [ada, eve] = [newUser(), newUser()];
    const { seen } = accepted(await service.add(ada, 'mug', 2));
    accepted(await service.add(ada, 'cup', 1));
    accepted(await service.remove(ada, 'mug', seen!));
    await service.eventLog.publish(topics.events, [{ key: eve, value: Buffer.from('x'), headers: {} }]);
    await shows(service, ada, { cup: 1 });
    await vi.waitFor(async () => expect(await service.get(eve)).toMatchObject({ incomplete: true }), patience);
    const partition = partitionOfCart(service.parts, ada);
    const key = `{cart:${partition}}:${keyspace}:cart:${ada}`;
    await redis.del(key);
    expect(quantitiesOf(await service.get(ada))).toEqual({});

    await runReplay();
    await shows(service, ada, { cup: 1 });
    expect(await service.get(eve)).toMatchObject({ incomplete: true });
    accepted(await service.add(ada, 'cup', 1));
    await shows(service, ada, { cup: 2 });
    // A second replay starts from the new view.
    expect(await runReplay()).toMatchObject({ to: keyspace.replace(/1$/, '3') });
    await shows(service, ada, { cup: 2 });
    expect(await service.get(eve)).toMatchObject({ incomplete: true });
  });

  it('completes when the answer of each switch was lost', async () => {
    const service = await openService();
    const people = Array.from({ length: 8 }, newUser);
    for (const subject of people) accepted(await service.add(subject));
    for (const subject of people) await shows(service, subject, { mug: 1 });
    const spaces = openSpaces(redis, keyspace);
    const lost = new Set<number>();
    const forgetful: Spaces = {
      ...spaces,
      switchOver: async (partition, from, to) => {
        const done = await spaces.switchOver(partition, from, to);
        if (!done || lost.has(partition)) return done;
        lost.add(partition);
        throw new ViewUnavailable('command timed out');
      },
    };

    expect(await runReplay(forgetful)).toMatchObject({ to: keyspace.replace(/1$/, '2') });
    expect(lost.size).toBe(partitionCount);
    for (const subject of people) accepted(await service.add(subject));
    for (const subject of people) await shows(service, subject, { mug: 2 });
    expect(await keysOf(keyspace)).toEqual([]);
  });

  it('continues where a killed one ended, and leaves no space behind', async () => {
    const service = await openService();
    const people = Array.from({ length: 8 }, newUser);
    for (const subject of people) accepted(await service.add(subject));
    for (const subject of people) await shows(service, subject, { mug: 1 });
    const spaces = openSpaces(redis, keyspace);
    // Imitates a run that was killed after its first switch.
    const eventLog = await openLog();
    let switched = 0;
    const halting = {
      ...spaces,
      switchOver: async (...args: Parameters<typeof spaces.switchOver>) => {
        if (switched > 0) throw new Error('killed');
        const done = await spaces.switchOver(...args);
        if (done) switched += 1;
        return done;
      },
    };
    const open = (building: string) => openRedisCartView({ url: redisUrl, log: quiet, keyspace, building });
    const parts = { eventLog, clock: systemClock, log: quiet, topics, region: 'local', evolve: evolveInBatch, open };
    await expect(replay({ ...parts, spaces: halting })).rejects.toThrow('killed');
    for (const subject of people) await shows(service, subject, { mug: 1 });
    for (const subject of people) accepted(await service.add(subject));
    for (const subject of people) await shows(service, subject, { mug: 2 });

    expect(await runReplay()).toMatchObject({ from: [keyspace], to: keyspace.replace(/1$/, '2') });
    for (const subject of people) await shows(service, subject, { mug: 2 });
    expect(await keysOf(keyspace)).toEqual([]);
  });
});
