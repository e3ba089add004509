/**
 * Commits a change of an order and its event in one transaction, so neither a crash nor an unavailable Kafka can lose one without the other. Each
 * change locks the order's row first, so the events of one order are numbered in the order of its commits. Events of different orders of one person
 * may come in either order, and every reader accepts that.
 */
import { create, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { OrderEventSchema } from '@cloakroom/contracts';
import { speaksPostgres } from '@cloakroom/platform/database';
import { sql, type Transaction } from 'kysely';
import type { OrderRow, OrdersSchema } from '../orders.ts';
import { newId, type OrdersParts } from '../orders.dependencies.ts';

/**
 * The one background worker of all replicas holds this lease (background-worker.ts). It is also the channel by which commits wake that worker. The
 * value is older than the name: replicas of an older build hold the lease and listen under it.
 */
export const workerLease = 'orders_keeper';

type OrderEventCase = NonNullable<NonNullable<MessageInitShape<typeof OrderEventSchema>['event']>['case']>;

/** The names of the steps, on order.events and for people. */
const names = {
  accepted: 'OrderAccepted',
  stockReserved: 'StockReserved',
  stockShort: 'StockShort',
  paymentCaptured: 'PaymentCaptured',
  paymentDeclined: 'PaymentDeclined',
  paymentUnknown: 'PaymentUnknown',
  confirmed: 'OrderConfirmed',
  cancelled: 'OrderCancelled',
  stockReleased: 'StockReleased',
} as const satisfies Record<OrderEventCase, string>;

export type Step = Extract<NonNullable<MessageInitShape<typeof OrderEventSchema>['event']>, { case: OrderEventCase }>;

export async function announce(
  trx: Transaction<OrdersSchema>,
  parts: Pick<OrdersParts, 'clock' | 'random'>,
  order: Pick<OrderRow, 'order_id' | 'user_id' | 'traceparent' | 'experiment'>,
  steps: readonly Step[],
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const rows = steps.map((event) => ({
    order_id: order.order_id,
    user_id: order.user_id,
    name: names[event.case],
    event: toJsonString(
      OrderEventSchema,
      create(OrderEventSchema, {
        eventId: newId(parts),
        orderId: order.order_id,
        userId: order.user_id,
        atMs: BigInt(nowMs),
        event,
      }),
    ),
    at_ms: nowMs,
    published: 0,
    traceparent: order.traceparent,
    experiment: order.experiment,
  }));
  await trx.insertInto('order_events').values(rows).execute();
  // The server sends this notice at commit, to the background worker in whichever process.
  if (speaksPostgres(trx)) await sql`select pg_notify(${workerLease}, '')`.execute(trx);
}
