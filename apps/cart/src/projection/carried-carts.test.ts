/** Carts that a projector carries from batch to batch save loads, and never show in a cart. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { recordHeaders } from '@cloakroom/contracts';
import type { LogRecord, RecordBatch } from '@cloakroom/event-log';
import { newCommandId, newGuest, newUser, openHarness, type Harness } from '../cart.harness.ts';
import { dotOf, type CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import { newCart } from './apply-record.ts';
import { CarriedCarts } from './carried-carts.ts';
import type { MemoryCartView } from './cart.view.memory.ts';
import { markIncomplete } from './dead-letters.ts';
import { projectBatch } from './project-batch.ts';
import { sweepPartition } from './snapshots.ts';

/** Apart from every cart of the harness' own projector. */
const partition = 3;
let cart: Harness;
let logId: string;
let carried: CarriedCarts;
let next: bigint;
let ada: string;
beforeEach(async () => {
  cart = await openHarness();
  await cart.projector().stop();
  ({ clusterId: logId } = await cart.eventLog.describe());
  carried = new CarriedCarts();
  next = 0n;
  ada = newUser();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

const added = (cartId: string): CartEvent => ({
  type: 'ItemAdded',
  cartId,
  atMs: Date.now(),
  dot: dotOf(cartId, newCommandId()),
  line: 'mug',
  quantity: 1,
});
const claimed = (cartId: string): CartEvent => ({
  type: 'GuestCartClaimed',
  cartId,
  atMs: Date.now(),
  userCartId: newUser(),
  claimEventId: newCommandId(),
});
/** The next records of the partition. */
function batchOf(...events: readonly CartEvent[]): RecordBatch {
  const { name: topic } = cart.topics.events;
  const records = events.map((event): LogRecord => {
    const { value, headers } = encodeEvent(event);
    return { topic, partition, offset: next++, key: event.cartId, value, headers, timestampMs: event.atMs };
  });
  return { topic, partition, records, highWatermark: next, fetchStartedMs: 0 };
}
const project = (batch: RecordBatch, by: CarriedCarts | undefined = carried) => projectBatch(cart.parts, logId, batch, by);
const held = async (cartId: string) => (await cart.view.load(partition, [cartId])).carts.get(cartId);
const dotCount = async (cartId: string): Promise<number | undefined> => (await held(cartId))?.state.dots.size;

it('a cart that was just written is not loaded again', async () => {
  await project(batchOf(added(ada)));
  const load = vi.spyOn(cart.view, 'load');
  for (let n = 0; n < 3; n++) expect(await project(batchOf(added(ada)))).toMatchObject({ outcome: 'applied', next });
  expect(load).not.toHaveBeenCalled();
  load.mockRestore();
  expect(await dotCount(ada)).toBe(4);
});

it('of a batch, only the carts that are not carried are loaded', async () => {
  const [eve, bob] = [newUser(), newUser()];
  await project(batchOf(added(ada), added(eve)));
  await project(batchOf(added(bob)), undefined);
  carried = new CarriedCarts();
  await project(batchOf(added(ada)));
  const load = vi.spyOn(cart.view, 'load');
  await project(batchOf(added(ada), added(eve), added(bob)));
  expect(load.mock.calls).toEqual([[partition, [eve, bob]]]);
  load.mockRestore();
  expect(await Promise.all([ada, eve, bob].map(dotCount))).toEqual([3, 2, 2]);
});

it("a member that another one has overtaken drops what it carries, and loses none of the other one's records", async () => {
  const other = new CarriedCarts();
  for (let n = 0; n < 6; n++) {
    const by = n % 2 === 0 ? carried : other;
    expect(await project(batchOf(added(ada)), by)).toMatchObject({ outcome: 'applied', next });
  }
  expect(await dotCount(ada)).toBe(6);
});

it('a cart that was carried at an earlier place is loaded again, also after the member has written another cart', async () => {
  const eve = newUser();
  await project(batchOf(added(ada), added(eve)));
  await project(batchOf(added(eve)), new CarriedCarts());
  await project(batchOf(added(ada)));
  await project(batchOf(added(eve)));
  expect(await Promise.all([ada, eve].map(dotCount))).toEqual([2, 3]);
});

it('a member that was overtaken applies a batch of the past to nothing', async () => {
  await project(batchOf(added(ada)));
  const both = batchOf(added(ada));
  await project(both, new CarriedCarts());
  expect(await project(both)).toEqual({ outcome: 'elsewhere' });
  expect(await dotCount(ada)).toBe(2);
});

it('a wiped view is not filled with what a member carries', async () => {
  await project(batchOf(added(ada)));
  (cart.view as MemoryCartView).wipe();
  expect(await project(batchOf(added(ada)))).toEqual({ outcome: 'elsewhere' });
  expect(await held(ada)).toBeUndefined();
});

it('the mark of a dead letter stays when its cart was carried, and a redriven record is applied once', async () => {
  await project(batchOf(added(ada)));
  const [buried] = batchOf(added(ada)).records;
  await markIncomplete(cart.parts, buried!);
  await project(batchOf(added(ada)));
  expect((await held(ada))?.missing).toEqual(new Set([buried!.offset]));
  const again = batchOf(added(ada), added(ada));
  const origin = { [recordHeaders.redriveOf]: Buffer.from(String(buried!.offset)) };
  const redriven = again.records.map((record) => ({ ...record, value: buried!.value, headers: { ...record.headers, ...origin } }));
  await project({ ...again, records: redriven });
  expect((await held(ada))?.missing).toEqual(new Set());
  expect(await dotCount(ada)).toBe(3);
});

it('the mark of a sweep stays: nothing is carried while it runs', async () => {
  await project(batchOf(added(ada)));
  const later = { ...cart.parts, clock: { ...cart.parts.clock, nowMs: () => Date.now() + cart.topics.events.retentionMs / 2 + 1_000 } };
  await carried.without(partition, async () => {
    await project(batchOf(added(ada)));
    expect(await sweepPartition(later, partition)).toBe(1);
  });
  const load = vi.spyOn(cart.view, 'load');
  await project(batchOf(added(ada)));
  expect(load).toHaveBeenCalled();
  load.mockRestore();
  expect((await held(ada))?.eventsSinceSnapshot).toBe(1);
});

it('a member that has lost its partition forwards no guest and writes no snapshot of what it carries', async () => {
  const guest = newGuest();
  await project(batchOf(added(guest), added(ada)));
  const lost = batchOf(claimed(guest), ...Array.from({ length: 100 }, () => added(ada)));
  // The new owner has these records.
  await project(lost, new CarriedCarts());
  const publish = vi.spyOn(cart.eventLog, 'publish');
  expect(await project(lost)).toEqual({ outcome: 'elsewhere' });
  expect(publish).not.toHaveBeenCalled();
});

it("a claimed guest's change is forwarded once, also when the guest was carried", async () => {
  const guest = newGuest();
  await project(batchOf(added(guest)));
  const publish = vi.spyOn(cart.eventLog, 'publish');
  await project(batchOf(claimed(guest)));
  await project(batchOf(added(guest)));
  const joins = publish.mock.calls.flatMap(([, records]) => records).map(({ headers }) => headers?.[recordHeaders.eventType]?.toString());
  expect(joins).toEqual(['GuestJoined', 'GuestJoined']);
});

it('carries a bounded number of entries, and forgets the carts that were not written for the longest', () => {
  const place = { next: 1n, rebuiltAt: 0n, forwardedTo: 0n, logId };
  const dead = new Map(Array.from({ length: 1_000 }, (_, n) => [String(n), n]));
  const carts = Array.from({ length: 300 }, () => newUser());
  for (const cartId of carts) {
    const empty = newCart(cartId);
    carried.keep(partition, place, place, [{ ...empty, state: { ...empty.state, dead } }]);
  }
  const held = carried.of(partition, carts)!.carts;
  expect([...held.keys()]).toEqual(carts.slice(-held.size));
  expect(held.size).toBe(198);
});
