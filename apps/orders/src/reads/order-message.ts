/** An order as a person sees it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { OrderStatus, type OrderAddressSchema, type OrderLineSchema, type OrderSchema } from '@cloakroom/contracts';
import type { Database, OrderedLine, OrderRow, Phase } from '../orders.ts';

export type OrderMessage = MessageInitShape<typeof OrderSchema>;

const statusOf: Readonly<Record<Phase, OrderStatus>> = {
  accepted: OrderStatus.PENDING,
  reserved: OrderStatus.PENDING,
  unknown: OrderStatus.PENDING,
  placed: OrderStatus.PLACED,
  cancelled: OrderStatus.CANCELLED,
};

export const linesOf = (row: Pick<OrderRow, 'lines'>): OrderedLine[] => JSON.parse(row.lines) as OrderedLine[];

export function lineMessage(line: OrderedLine): MessageInitShape<typeof OrderLineSchema> {
  const { lineId, productId, name, options, quantity, unitPrice } = line;
  return { lineId, productId, name, options: { ...options }, quantity, unitPrice: BigInt(unitPrice) };
}

/** The messages come in the order of the rows. */
export async function orderMessages(db: Database, rows: readonly OrderRow[]): Promise<OrderMessage[]> {
  if (rows.length === 0) return [];
  const steps = await db
    .selectFrom('order_events')
    .select(['order_id', 'name', 'at_ms'])
    .where(
      'order_id',
      'in',
      rows.map((row) => row.order_id),
    )
    .orderBy('sequence')
    .execute();
  const byOrder = Map.groupBy(steps, (step) => step.order_id);
  return rows.map((row) => ({
    orderId: row.order_id,
    status: statusOf[row.phase],
    lines: linesOf(row).map(lineMessage),
    subtotal: BigInt(row.subtotal),
    discount: BigInt(row.discount),
    coupon: row.coupon,
    total: BigInt(row.total),
    currency: row.currency,
    placedAtMs: BigInt(row.placed_at_ms),
    address: JSON.parse(row.address) as MessageInitShape<typeof OrderAddressSchema>,
    steps: (byOrder.get(row.order_id) ?? []).map(({ name, at_ms }) => ({ name, atMs: BigInt(at_ms) })),
    reason: row.reason,
    paymentMethod: row.payment_method,
  }));
}
