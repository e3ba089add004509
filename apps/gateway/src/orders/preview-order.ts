import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { previewBodyOf } from './order-answer.ts';
import type { previewBody } from './order-input.ts';
import { ordersOf, toldByHome, unheardRegions } from './orders-at-home.ts';

export async function previewOrder(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof previewBody> },
  gateway: Pick<Gateway, 'orders' | 'identity'>,
): Promise<Outcome> {
  const answer = await ordersOf(exchange, gateway).previewOrder(outgoing(exchange, personOf(exchange).passport), { seen: body.seen });
  const preview = toldByHome(exchange, answer);
  if (isProblem(preview)) return preview;
  const unheard = unheardRegions(exchange, gateway);
  return { status: 200, body: { ...previewBodyOf(preview), ...(unheard.length > 0 && { unheard }) } };
}
