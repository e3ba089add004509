import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import type { seenBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

export async function clearCart(x: Exchange, { body }: { readonly body: z.output<typeof seenBody> }, gateway: Gateway): Promise<Outcome> {
  const call = outgoing(x, personOf(x).passport);
  return writeOutcome(await gateway.cart.clearCart(call, { commandId: body.commandId, seen: body.seen }));
}
