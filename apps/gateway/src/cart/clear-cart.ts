import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { otherCart, type seenBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

export async function clearCart(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof seenBody> },
  gateway: Pick<Gateway, 'cart'>,
): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const call = outgoing(exchange, personOf(exchange).passport);
  return writeOutcome(await gateway.cart.clearCart(call, { commandId: body.commandId, seen: body.seen }));
}
