import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { orderBodyOf } from './order-answer.ts';
import type { orderParams } from './order-input.ts';
import { ordersOf, toldByHome } from './orders-at-home.ts';

/** Another person's order is not found: orders looks only among those of the passport's subject. */
export async function getOrder(
  exchange: Exchange,
  { params }: { readonly params: z.output<typeof orderParams> },
  gateway: Pick<Gateway, 'orders'>,
): Promise<Outcome> {
  const found = await ordersOf(exchange, gateway).getOrder(outgoing(exchange, personOf(exchange).passport), { orderId: params.orderId });
  const order = toldByHome(exchange, found);
  return isProblem(order) ? order : { status: 200, body: orderBodyOf(order) };
}
