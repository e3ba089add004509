import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { publishBytesMax, type LogRecord } from '@cloakroom/event-log';
import { newCommandId, newGuest, newUser, openHarness, type Harness } from '../cart.harness.ts';
import { dotOf, type CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { projectBatch } from './project-batch.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

const on = (make: () => string, partition: number): string => {
  for (let id = make(); ; id = make()) if (partitionOfCart(cart.parts, id) === partition) return id;
};

/** A guest's claim, and a removal that leaves as many deaths as the limits allow. */
function claimedWithDeaths(guest: string, user: string): CartEvent[] {
  const of = { cartId: guest, atMs: Date.now() };
  const observed = Array.from({ length: 1_000 }, () => dotOf(guest, newCommandId()));
  return [
    { type: 'GuestCartClaimed', ...of, userCartId: user, claimEventId: newCommandId() },
    { type: 'CartCleared', ...of, dot: dotOf(guest, newCommandId()), observed },
  ];
}

it('a batch forwards more guests than one publish can carry', async () => {
  // Apart, so that the harness' own projector finds nothing in the guests' partition.
  const [partition, others] = [3, 4];
  const guests = Array.from({ length: 60 }, () => on(newGuest, partition));
  const { name: topic } = cart.topics.events;
  const records = guests
    .flatMap((guest) => claimedWithDeaths(guest, on(newUser, others)))
    .map((event, index): LogRecord => {
      const offset = BigInt(index);
      return { topic, partition, offset, key: event.cartId, ...encodeEvent(event), timestampMs: event.atMs };
    });
  const publish = vi.spyOn(cart.eventLog, 'publish');
  const { clusterId } = await cart.eventLog.describe();
  const next = BigInt(records.length);
  const projected = await projectBatch(cart.parts, clusterId, { topic, partition, records, highWatermark: next, fetchStartedMs: 0 });

  expect(projected).toMatchObject({ outcome: 'applied', next });
  const forwarded = publish.mock.calls.filter(([to]) => to.name === topic).flatMap(([, joins]) => joins);
  expect(forwarded).toHaveLength(guests.length);
  expect(forwarded.reduce((sum, { value }) => sum + value!.length, 0)).toBeGreaterThan(publishBytesMax);
});
