/**
 * Removes ordered items from their cart: each OrderConfirmed becomes an OrderPlaced in that cart's own log, and so is part of its history.
 * An order that is heard twice is appended twice, with the same bytes. The second kills the same dots and changes nothing. The order may
 * arrive before or after any command of the cart, even before a dot that it names.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { isUserSubject, OrderEventSchema, type OrderConfirmed, type OrderEvent } from '@cloakroom/contracts';
import {
  publishInParts,
  traceHeaders,
  traceIdOfRecord,
  traceOfRecord,
  type LogRecord,
  type OutgoingRecord,
  type Subscription,
} from '@cloakroom/event-log';
import { encodeEvent, fromDot, UndecodableRecord } from '../model/codec.ts';
import { ordersHeard } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';

export const ordersGroup = 'cart-orders';

type OrderParts = Pick<CartParts, 'eventLog' | 'topics' | 'log'>;

export function startPlacedOrders(parts: OrderParts, group: string = ordersGroup): Promise<Subscription> {
  const { eventLog, topics } = parts;
  return eventLog.subscribe({
    group,
    topics: [topics.orders],
    from: 'earliest',
    handler: async ({ records }) => {
      const appends = records.flatMap((record) => placedRecords(parts, record));
      await publishInParts(eventLog, topics.events, appends);
    },
  });
}

function placedRecords({ log }: Pick<OrderParts, 'log'>, record: LogRecord): OutgoingRecord[] {
  const event = readOrderEvent(record);
  if (event.event.case !== 'confirmed') return [];
  if (!isOfItsOwnCart(event, event.event.value, record)) {
    ordersHeard.inc({ outcome: 'refused' });
    const where = { partition: record.partition, offset: String(record.offset), trace_id: traceIdOfRecord(record) };
    log.error({ ...where, order_id: event.orderId }, "an order that names another cart than its buyer's was refused");
    return [];
  }
  const { cartId, dots } = event.event.value;
  // The event takes the time of the order, so that a second copy has the same bytes.
  const placed = { type: 'OrderPlaced', cartId, atMs: Number(event.atMs), orderId: event.orderId, dots: dots.map(fromDot) } as const;
  const { value, headers } = encodeEvent(placed);
  ordersHeard.inc({ outcome: 'placed' });
  return [{ key: cartId, value, headers: { ...headers, ...traceHeaders(traceOfRecord(record)) } }];
}

/** @throws UndecodableRecord: the record goes to the dead-letter topic and waits there for a build that can read it */
export function readOrderEvent({ value }: Pick<LogRecord, 'value'>): OrderEvent {
  if (value === null) throw new UndecodableRecord('no value');
  let event: OrderEvent;
  try {
    event = fromBinary(OrderEventSchema, value);
  } catch (error) {
    throw new UndecodableRecord('not an order event', { cause: error });
  }
  // A later build may have written it. This one cannot guess what it means for a cart.
  if (event.event.case === undefined) throw new UndecodableRecord('unknown event type');
  return event;
}

/** Only its owner orders from a cart, and the cart's id is the owner's. */
export const isOfItsOwnCart = ({ userId }: OrderEvent, { cartId }: OrderConfirmed, { key }: LogRecord): boolean =>
  isUserSubject(userId) && cartId === userId && key === userId;
