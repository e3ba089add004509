import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadLetterTopic, recordHeaders } from '@cloakroom/contracts';
import type { LogRecord, RecordBatch } from '@cloakroom/event-log';
import { accepted, newCommandId, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { dotOf, type CartEvent } from '../model/cart.ts';
import { ViewUnavailable } from './cart.view.ts';
import { MemoryCartView } from './cart.view.memory.ts';
import { encodeEvent } from '../model/codec.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { projectBatch } from './project-batch.ts';
import { sweepPartition } from './snapshots.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

const partitionOf = (subject: string): number => partitionOfCart(cart.parts, subject);
const shows = (subject: string, expected: Record<string, number>): Promise<void> =>
  vi.waitFor(
    async () => {
      const read = await cart.get(subject);
      expect(quantitiesOf(read)).toEqual(expected);
      expect(read.stale).toBe(false);
    },
    { timeout: 8_000 },
  );
const addMany = async (subject: string, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) accepted(await cart.add(subject));
};
const eventOf = (subject: string, quantity = 1): CartEvent => ({
  type: 'ItemAdded',
  cartId: subject,
  atMs: Date.now(),
  dot: dotOf(subject, newCommandId()),
  line: 'mug',
  quantity,
});

describe('the watermark', () => {
  const applied = (next: bigint) => ({ outcome: 'applied', next });
  const batchOf = (subject: string, from: bigint, events: readonly CartEvent[]): RecordBatch => {
    const records = events.map((event, index): LogRecord => {
      const { value, headers } = encodeEvent(event);
      return {
        topic: cart.topics.events.name,
        partition: partitionOf(subject),
        offset: from + BigInt(index),
        key: subject,
        value,
        headers,
        timestampMs: Date.now(),
      };
    });
    return {
      topic: cart.topics.events.name,
      partition: partitionOf(subject),
      records,
      highWatermark: from + BigInt(events.length),
      fetchStartedMs: 0,
    };
  };
  const logId = async (): Promise<string> => (await cart.eventLog.describe()).clusterId;

  it('accepts a batch only where the view ends, so no record in a gap is skipped', async () => {
    const ada = newUser();
    const events = [eventOf(ada), eventOf(ada), eventOf(ada)];
    expect(await projectBatch(cart.parts, await logId(), batchOf(ada, 2n, events.slice(2)))).toEqual({ outcome: 'elsewhere' });
    expect(await projectBatch(cart.parts, await logId(), batchOf(ada, 0n, events.slice(0, 2)))).toMatchObject(applied(2n));
    expect(await projectBatch(cart.parts, await logId(), batchOf(ada, 2n, events.slice(2)))).toMatchObject(applied(3n));
  });

  it('applies only the new records of a redelivered batch, and none of an old batch', async () => {
    const ada = newUser();
    const events = [eventOf(ada), eventOf(ada), eventOf(ada)];
    await projectBatch(cart.parts, await logId(), batchOf(ada, 0n, events.slice(0, 2)));
    expect(await projectBatch(cart.parts, await logId(), batchOf(ada, 0n, events.slice(0, 2)))).toEqual({ outcome: 'elsewhere' });
    expect(await projectBatch(cart.parts, await logId(), batchOf(ada, 0n, events))).toMatchObject(applied(3n));
    const { carts } = await cart.view.load(partitionOf(ada), [ada]);
    expect(carts.get(ada)).toMatchObject({ position: 3n, eventsSinceSnapshot: 3 });
  });

  it('lets one of two projectors apply a batch that both have', async () => {
    const ada = newUser();
    const batch = batchOf(ada, 0n, [eventOf(ada), eventOf(ada)]);
    const both = await Promise.all([projectBatch(cart.parts, await logId(), batch), projectBatch(cart.parts, await logId(), batch)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['applied', 'elsewhere']);
  });

  it('refuses offsets of another log', async () => {
    const ada = newUser();
    expect(await projectBatch(cart.parts, 'another-cluster', batchOf(ada, 0n, [eventOf(ada)]))).toEqual({ outcome: 'elsewhere' });
  });
});

describe('the projector', () => {
  it('continues from the watermark after a restart, whatever the group has committed', async () => {
    const ada = newUser();
    await addMany(ada, 3);
    await shows(ada, { mug: 3 });
    await cart.restartProjector();
    await addMany(ada, 1);
    await shows(ada, { mug: 4 });
  });

  it('shares the partitions with a second process and loses nothing while it joins and leaves', async () => {
    const people = Array.from({ length: 12 }, newUser);
    const adding = Promise.all(people.map((subject) => addMany(subject, 10)));
    const second = await openHarness({ eventLog: cart.eventLog, view: cart.view });
    await adding;
    await second.stop();
    for (const subject of people) await shows(subject, { mug: 10 });
  });

  it('heals a wiped view without a new event, and says stale until it has', async () => {
    const ada = newUser();
    await addMany(ada, 5);
    await shows(ada, { mug: 5 });
    (cart.view as MemoryCartView).wipe();
    expect(await cart.get(ada)).toMatchObject({ stale: true });
    await shows(ada, { mug: 5 });
  });

  it('heals a wiped view without a read', async () => {
    const ada = newUser();
    await addMany(ada, 2);
    await shows(ada, { mug: 2 });
    (cart.view as MemoryCartView).wipe();
    await vi.waitFor(async () => expect((await cart.view.load(partitionOf(ada), [ada])).carts.get(ada)?.state.dots.size).toBe(2), {
      timeout: 5_000,
    });
  });

  it('rebuilds while the log grows, and never takes a committed offset below the first record', async () => {
    const ada = newUser();
    await addMany(ada, 3);
    await shows(ada, { mug: 3 });
    vi.spyOn(cart.eventLog, 'lag').mockResolvedValue([{ topic: cart.topics.events.name, partition: partitionOf(ada), records: 7n }]);
    (cart.view as MemoryCartView).wipe();
    await shows(ada, { mug: 3 });
    expect((await cart.view.places([partitionOf(ada)])).get(partitionOf(ada))?.forwardedTo).toBe(0n);
  });

  it('heals at once when the view has lost writes at a reconnect', async () => {
    const ada = newUser();
    await addMany(ada, 2);
    await shows(ada, { mug: 2 });
    (cart.view as MemoryCartView).wipe();
    const looked = vi.spyOn(cart.view, 'places');
    (cart.view as MemoryCartView).announceReturn();
    expect(looked, 'before the next second').toHaveBeenCalled();
    await vi.waitFor(async () => expect((await cart.view.places([partitionOf(ada)])).size).toBe(1));
  });

  it('replays the records that a rolled-back view has lost', async () => {
    const ada = newUser();
    const partition = partitionOf(ada);
    await addMany(ada, 2);
    await shows(ada, { mug: 2 });
    const { place, carts } = await cart.view.load(partition, [ada]);
    await addMany(ada, 3);
    await shows(ada, { mug: 5 });
    const now = (await cart.view.places([partition])).get(partition);
    // AOF everysec loses the last second in the same way: place and carts together.
    expect(await cart.view.apply(partition, { expected: now, place, carts: [...carts.values()] })).toBe(true);
    await shows(ada, { mug: 5 });
  });

  it('waits for a view that is down, buries nothing, and continues', async () => {
    const ada = newUser();
    const away = vi.spyOn(cart.view, 'apply').mockRejectedValue(new ViewUnavailable('away'));
    await addMany(ada, 3);
    await vi.waitFor(() => expect(away).toHaveBeenCalled());
    away.mockRestore();
    await shows(ada, { mug: 3 });
    const buried = await cart.eventLog.bounds(deadLetterTopic(cart.topics.events));
    expect([...buried.values()].every(({ next }) => next === 0n)).toBe(true);
  });

  it('restores a cart from its snapshot when retention has taken the events', async () => {
    const ada = newUser();
    const partition = partitionOf(ada);
    await addMany(ada, 120);
    await shows(ada, { mug: 120 });
    const snapshots = await cart.eventLog.bounds(cart.topics.snapshots);
    expect(snapshots.get(partition)?.next).toBeGreaterThanOrEqual(1n);
    const bounds = await cart.eventLog.bounds(cart.topics.events);
    // Retention takes exactly the events that the newest snapshot holds.
    const kept = cart.parts.eventLog;
    vi.spyOn(kept, 'bounds').mockImplementation(async (topic) =>
      topic.name === cart.topics.events.name ? new Map(bounds).set(partition, { first: 100n, next: 120n }) : snapshots,
    );
    (cart.view as MemoryCartView).wipe();
    await shows(ada, { mug: 120 });
    const { place, carts } = await cart.view.load(partition, [ada]);
    expect(place?.rebuiltAt).toBe(120n);
    expect(carts.get(ada)).toMatchObject({ position: 120n });
  });

  it('skips the events of a snapshot in a replay, keeps the cart as it was, and writes no second snapshot', async () => {
    const ada = newUser();
    const partition = partitionOf(ada);
    await addMany(ada, 120);
    await shows(ada, { mug: 120 });
    const before = (await cart.view.load(partition, [ada])).carts.get(ada);
    const snapshots = await cart.eventLog.bounds(cart.topics.snapshots);
    (cart.view as MemoryCartView).wipe();
    await shows(ada, { mug: 120 });
    expect((await cart.view.load(partition, [ada])).carts.get(ada)).toMatchObject({
      position: 120n,
      eventsSinceSnapshot: before?.eventsSinceSnapshot,
    });
    expect(await cart.eventLog.bounds(cart.topics.snapshots)).toEqual(snapshots);
  });

  it('closes a retention gap by snapshots without losing lines that the view has', async () => {
    const ada = newUser();
    const partition = partitionOf(ada);
    await addMany(ada, 120);
    await shows(ada, { mug: 120 });
    const { place } = await cart.view.load(partition, [ada]);
    const bounds = await cart.eventLog.bounds(cart.topics.events);
    const snapshots = await cart.eventLog.bounds(cart.topics.snapshots);
    // Retention has passed the view: it stands at 40, and the log begins at 100.
    await cart.view.reset(partition);
    await cart.view.apply(partition, { expected: undefined, place: { ...place!, next: 40n }, carts: [] });
    vi.spyOn(cart.eventLog, 'bounds').mockImplementation(async (topic) =>
      topic.name === cart.topics.events.name ? new Map(bounds).set(partition, { first: 100n, next: 120n }) : snapshots,
    );
    await shows(ada, { mug: 120 });
  });

  it('begins anew when the log was replaced, so that an old watermark hides no new record', async () => {
    const ada = newUser();
    await addMany(ada, 5);
    await shows(ada, { mug: 5 });
    await cart.projector().stop();
    const next = await openHarness({ view: cart.view });
    try {
      accepted(await next.add(ada, 'cup', 1));
      await vi.waitFor(async () => expect(quantitiesOf(await next.get(ada))).toEqual({ cup: 1 }));
    } finally {
      await next.stop();
    }
  });

  it('writes a snapshot every 100 events of a cart, and for a quiet cart before retention takes its events', async () => {
    const ada = newUser();
    const partition = partitionOf(ada);
    await addMany(ada, 3);
    await shows(ada, { mug: 3 });
    expect(await sweepPartition(cart.parts, partition)).toBe(0);
    const later = { ...cart.parts, clock: { ...cart.parts.clock, nowMs: () => Date.now() + cart.topics.events.retentionMs / 2 + 1_000 } };
    expect(await sweepPartition(later, partition)).toBe(1);
    expect(await sweepPartition(later, partition)).toBe(0);
    expect((await cart.eventLog.bounds(cart.topics.snapshots)).get(partition)?.next).toBe(1n);
  });
});

describe('a record that cannot be decoded', () => {
  const poison = (subject: string, value = Buffer.from('not a cart event'), version = '1') =>
    cart.eventLog.publish(cart.topics.events, [{ key: subject, value, headers: { [recordHeaders.eventVersion]: Buffer.from(version) } }]);

  it('goes to the dead-letter topic, marks its own cart alone, and delays no other cart', async () => {
    const ada = newUser();
    accepted(await cart.add(ada));
    await poison(ada);
    accepted(await cart.add(ada));
    await shows(ada, { mug: 2 });
    expect((await cart.get(ada)).incomplete).toBe(true);
    expect((await cart.get(newUser())).incomplete).toBe(false);
    const buried = await cart.eventLog.bounds(deadLetterTopic(cart.topics.events));
    expect(buried.get(partitionOf(ada))?.next).toBe(1n);
    const { place } = await cart.view.load(partitionOf(ada), [ada]);
    expect(place?.next).toBe(3n);
  });

  it('marks its cart even when it is the last record of its partition', async () => {
    const ada = newUser();
    await poison(ada);
    await vi.waitFor(async () => expect(await cart.get(ada)).toMatchObject({ incomplete: true, stale: false }));
  });

  it('clears its mark when a redriven record has been applied', async () => {
    const ada = newUser();
    await poison(ada);
    await vi.waitFor(async () => expect((await cart.get(ada)).incomplete).toBe(true));
    const { value, headers } = encodeEvent(eventOf(ada, 4));
    const redriven = { key: ada, value, headers: { ...headers, [recordHeaders.redriveOf]: Buffer.from('0') } };
    await cart.eventLog.publish(cart.topics.events, [redriven, redriven]);
    await shows(ada, { mug: 4 });
    expect((await cart.get(ada)).incomplete).toBe(false);
  });
});
