import { create, toBinary } from '@bufbuild/protobuf';
import { isProblem, OrderEventSchema, recordHeaders, topics } from '@cloakroom/contracts';
import { openEventLog, type EventLog } from '@cloakroom/event-log';
import { type PersonContext } from '@cloakroom/mesh';
import { DatabaseUnavailable } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openOrderNotices, type OrderNotices } from './order-notices.ts';
import { openShop, orderIdOf, personContext, quiet, type Shop } from '../orders.harness.ts';
import type { Database } from '../orders.ts';
import { watchOrders } from './watch-orders.ts';

let shop: Shop;
let eventLog: EventLog;
let notices: OrderNotices;
const leaving: AbortController[] = [];
beforeEach(async () => {
  shop = await openShop();
  eventLog = await openEventLog({ kind: 'embedded', log: quiet, clock: shop.clock });
  notices = openOrderNotices({ eventLog, log: quiet, group: 'notices' });
  notices.start();
  await vi.waitUntil(() => notices.subscribed());
});
afterEach(async () => {
  for (const controller of leaving.splice(0)) controller.abort();
  await notices.stop();
  await eventLog.close();
});

function contextOf(userId: string): { ctx: PersonContext; leave: () => void } {
  const controller = new AbortController();
  leaving.push(controller);
  return { ctx: { ...personContext(userId), signal: controller.signal }, leave: () => controller.abort() };
}

function watch(userId: string, db: Database = shop.db) {
  const { ctx, leave } = contextOf(userId);
  const told: { orderId?: string; traceparent?: string }[] = [];
  const ended = (async () => {
    for await (const message of watchOrders({ db }, notices, ctx)) if (!isProblem(message)) told.push(message);
  })();
  return { told, leave, ended };
}

const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
async function publish(userId: string, orderId: string): Promise<void> {
  const value = Buffer.from(
    toBinary(OrderEventSchema, create(OrderEventSchema, { orderId, userId, event: { case: 'stockReserved', value: {} } })),
  );
  await eventLog.publish(topics.orderEvents, [{ key: userId, value, headers: { [recordHeaders.traceparent]: Buffer.from(traceparent) } }]);
}

it('tells each of a person’s streams of their order, with its trace, and nobody else', async () => {
  const [mine, alsoMine, other] = [watch('u_1'), watch('u_1'), watch('u_2')];
  await publish('u_1', 'o-1');
  await vi.waitFor(() =>
    expect([mine.told, alsoMine.told]).toEqual([[{ orderId: 'o-1', traceparent }], [{ orderId: 'o-1', traceparent }]]),
  );
  await publish('u_2', 'o-2');
  await vi.waitFor(() => expect(other.told).toEqual([{ orderId: 'o-2', traceparent }]));
});

it('begins with the newest order, which may have changed since it was read', async () => {
  shop.catalog.put('hat');
  for (const key of ['a', 'b']) {
    shop.cart.lines.set(key, { productId: 'hat' });
    shop.clock.aheadMs += 1_000;
  }
  const replica = shop.replica();
  await replica.place('u_1', { idempotencyKey: 'a', seen: 'a' });
  shop.clock.aheadMs += 1_000;
  const newest = orderIdOf(await replica.place('u_1', { idempotencyKey: 'b', seen: 'b' }));
  const { told } = watch('u_1');
  await vi.waitFor(() => expect(told).toEqual([{ orderId: newest, traceparent: '' }]));
});

it('goes on without the database, and ends with its client', async () => {
  const away = {
    selectFrom: () => {
      throw new DatabaseUnavailable('away');
    },
  } as unknown as Database;
  const { told, leave, ended } = watch('u_1', away);
  await publish('u_1', 'o-1');
  await vi.waitFor(() => expect(told).toHaveLength(1));
  leave();
  await expect(ended).resolves.toBeUndefined();
});

it('stops at once while the event log is still looked for', async () => {
  const looking = { ensureTopics: () => new Promise(() => undefined) } as unknown as EventLog;
  const waiting = openOrderNotices({ eventLog: looking, log: quiet, group: 'g' });
  waiting.start();
  await expect(waiting.stop()).resolves.toBeUndefined();
});
