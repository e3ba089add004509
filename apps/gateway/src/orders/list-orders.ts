import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { orderBodyOf, type orderPageSchema } from './order-answer.ts';
import type { ordersQuery } from './order-input.ts';
import { ordersOf, toldByHome } from './orders-at-home.ts';

/** Newest first. */
export async function listOrders(
  exchange: Exchange,
  { query }: { readonly query: z.output<typeof ordersQuery> },
  gateway: Pick<Gateway, 'orders'>,
): Promise<Outcome> {
  const answer = await ordersOf(exchange, gateway).listOrders(outgoing(exchange, personOf(exchange).passport), query);
  const found = toldByHome(exchange, answer);
  if (isProblem(found)) return found;
  const { items, total, page, pageSize } = found;
  const body: z.output<typeof orderPageSchema> = { items: items.map(orderBodyOf), total, page, pageSize };
  return { status: 200, body };
}
