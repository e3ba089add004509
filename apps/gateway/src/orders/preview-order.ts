import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { previewBodyOf } from './order-answer.ts';
import type { previewBody } from './order-input.ts';

export async function previewOrder(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof previewBody> },
  gateway: Pick<Gateway, 'orders'>,
): Promise<Outcome> {
  const preview = await gateway.orders.previewOrder(outgoing(exchange, personOf(exchange).passport), { seen: body.seen });
  return isProblem(preview) ? preview : { status: 200, body: previewBodyOf(preview) };
}
