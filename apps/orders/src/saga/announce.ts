/**
 * A change of an order and what others are to hear of it, in one transaction: neither a crash nor an absent Kafka can lose one without the other.
 * Whoever changes an order locks its row first, so the events of one order are numbered in the order of its commits. Orders of one person may
 * be told in either order: nobody who reads them minds.
 */
import { create, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { OrderEventSchema } from '@cloakroom/contracts';
import { speaksPostgres } from '@cloakroom/platform';
import { sql, type Transaction } from 'kysely';
import type { OrderRow, OrdersSchema } from '../orders.ts';
import { newId, type OrdersParts } from '../orders.dependencies.ts';

/**
 * Held by the one background worker of all replicas (background-worker.ts); also the channel by which commits wake it.
 * The value is older than the name: replicas of an older build hold the lease and listen under it.
 */
export const workerLease = 'orders_keeper';

type OrderEventCase = NonNullable<NonNullable<MessageInitShape<typeof OrderEventSchema>['event']>['case']>;

/** As a step is called on order.events and towards people. */
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
  // Sent by the server when this commits, to the background worker in whichever process.
  if (speaksPostgres(trx)) await sql`select pg_notify(${workerLease}, '')`.execute(trx);
}
