import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { otherCart, type lineParams, type setQuantityBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

type Input = { readonly params: z.output<typeof lineParams>; readonly body: z.output<typeof setQuantityBody> };

export async function setQuantity(exchange: Exchange, { params, body }: Input, gateway: Pick<Gateway, 'cart'>): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const call = outgoing(exchange, personOf(exchange).passport);
  return writeOutcome(
    await gateway.cart.setQuantity(call, { commandId: body.commandId, lineId: params.lineId, quantity: body.quantity, seen: body.seen }),
  );
}
