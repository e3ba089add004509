import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { otherCart, type lineParams, type seenBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

type Input = { readonly params: z.output<typeof lineParams>; readonly body: z.output<typeof seenBody> };

/** Removes the line as the client saw it: units that another device added meanwhile stay. */
export async function removeLine(exchange: Exchange, { params, body }: Input, gateway: Pick<Gateway, 'cart'>): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const call = outgoing(exchange, personOf(exchange).passport);
  return writeOutcome(await gateway.cart.removeItem(call, { commandId: body.commandId, lineId: params.lineId, seen: body.seen }));
}
