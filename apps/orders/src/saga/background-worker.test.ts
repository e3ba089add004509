import { fromBinary } from '@bufbuild/protobuf';
import { OrderEventSchema, recordHeaders, topics, uuidV7Milliseconds } from '@cloakroom/contracts';
import { Commits, openEventLog, type EventLog, type LogRecord, type OutgoingRecord } from '@cloakroom/event-log';
import { soleLease } from '@cloakroom/platform/database';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openBackgroundWorker, publishRows } from './background-worker.ts';
import { openShop, orderIdOf, personContext, quiet, type Replica, type Shop } from '../orders.harness.ts';
import { placeOrder } from '../place-order/place-order.ts';

let shop: Shop;
let replica: Replica;
let eventLog: EventLog;
beforeEach(async () => {
  shop = await openShop();
  replica = shop.replica();
  shop.catalog.put('hat');
  shop.cart.lines.set('a', { productId: 'hat' });
  eventLog = await openEventLog({ kind: 'embedded', log: quiet, clock: shop.clock });
});
afterEach(async () => {
  await eventLog.close();
});

const held = (): Promise<void> => Promise.resolve();

async function published(): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const subscription = await eventLog.subscribe({
    group: 'reader',
    topics: [topics.orderEvents],
    from: 'earliest',
    handler: (batch) => Promise.resolve(void records.push(...batch.records)),
  });
  const bounds = await eventLog.bounds(topics.orderEvents);
  const count = [...bounds.values()].reduce((sum, { first, next }) => sum + Number(next - first), 0);
  await vi.waitFor(() => expect(records).toHaveLength(count));
  await subscription.stop();
  return records;
}

it('publishes the steps of an order in their order, under the person’s key, each with its own id', async () => {
  await eventLog.ensureTopics([topics.orderEvents]);
  const orderId = orderIdOf(await replica.place('u_1', { idempotencyKey: 'k', seen: 'a' }));
  await publishRows(replica.parts, eventLog, held);
  const records = await published();
  expect(records.map(({ headers }) => String(headers[recordHeaders.eventType]))).toEqual([
    'OrderAccepted',
    'StockReserved',
    'PaymentCaptured',
    'OrderConfirmed',
  ]);
  const events = records.map(({ value }) => fromBinary(OrderEventSchema, value!));
  expect(records.every(({ key }) => key === 'u_1')).toBe(true);
  expect(events.every((event) => event.orderId === orderId && event.userId === 'u_1')).toBe(true);
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(4);
  expect(events.every(({ eventId }) => uuidV7Milliseconds(eventId) !== undefined)).toBe(true);
  expect(events.at(-1)!.event).toMatchObject({ case: 'confirmed', value: { cartId: 'u_1', dots: [{ cartId: 'u_1' }] } });
  // Each record carries the trace of the request that placed the order.
  expect(records.every(({ headers }) => String(headers[recordHeaders.traceparent]).startsWith('00-'))).toBe(true);
});

it('publishes again what the log did not acknowledge, and nothing that it did', async () => {
  await replica.place('u_1', { idempotencyKey: 'k', seen: 'a' });
  const sent: OutgoingRecord[][] = [];
  let lost = 1;
  const unreliable = {
    publish: (_topic: unknown, records: OutgoingRecord[]) => {
      sent.push(records);
      return lost-- > 0 ? Promise.reject(new Error('the answer was lost')) : Promise.resolve([]);
    },
  } as unknown as EventLog;
  await expect(publishRows(replica.parts, unreliable, held)).rejects.toThrow('lost');
  await publishRows(replica.parts, unreliable, held);
  expect(sent[1]).toEqual(sent[0]);
  expect(await publishRows(replica.parts, unreliable, held)).toBe(false);
  expect(sent).toHaveLength(2);
});

it('publishes nothing once the lease is not provably held', async () => {
  await replica.place('u_1', { idempotencyKey: 'k', seen: 'a' });
  const publish = vi.fn<EventLog['publish']>();
  const lost = (): Promise<void> => Promise.reject(new Error('the lease is lost'));
  await expect(publishRows(replica.parts, { publish } as unknown as EventLog, lost)).rejects.toThrow('lease');
  expect(publish).not.toHaveBeenCalled();
});

it('by itself tells the log of each order, and settles what nobody finished, until it is stopped', async () => {
  const { provider } = replica;
  const commits = new Commits();
  const parts = { ...replica.parts, committed: commits.notice };
  const worker = openBackgroundWorker({ parts, commits, eventLog, lease: soleLease(), deliverCallbacks: () => provider.deliver() });
  worker.start();
  expect(worker.leads()).toBe(true);
  const wanted = { idempotencyKey: 'k', seen: 'a', addressId: 'home', paymentMethod: 'card_times_out_charged' } as never;
  await placeOrder(parts, personContext('u_1'), wanted);
  shop.clock.aheadMs += 10_000;
  await vi.waitFor(
    async () => {
      shop.clock.aheadMs += 1_000;
      const { phase } = await shop.db.selectFrom('orders').select('phase').executeTakeFirstOrThrow();
      expect(phase).toBe('placed');
      expect(await shop.db.selectFrom('order_events').selectAll().where('published', '=', 0).execute()).toEqual([]);
    },
    { timeout: 15_000, interval: 50 },
  );
  await worker.stop();
  expect(worker.leads()).toBe(false);
  expect((await published()).map(({ headers }) => String(headers[recordHeaders.eventType]))).toEqual([
    'OrderAccepted',
    'StockReserved',
    'PaymentUnknown',
    'PaymentCaptured',
    'OrderConfirmed',
  ]);
});
