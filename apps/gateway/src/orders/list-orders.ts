import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { orderBodyOf, type orderPageSchema } from './order-answer.ts';
import type { ordersQuery } from './order-input.ts';

/** Newest first. */
export async function listOrders(
  exchange: Exchange,
  { query }: { readonly query: z.output<typeof ordersQuery> },
  gateway: Pick<Gateway, 'orders'>,
): Promise<Outcome> {
  const found = await gateway.orders.listOrders(outgoing(exchange, personOf(exchange).passport), query);
  if (isProblem(found)) return found;
  const { items, total, page, pageSize } = found;
  const body: z.output<typeof orderPageSchema> = { items: items.map(orderBodyOf), total, page, pageSize };
  return { status: 200, body };
}
