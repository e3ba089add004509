import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { otherCart, type couponParams, type seenBody } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

type Input = { readonly params: z.output<typeof couponParams>; readonly body: z.output<typeof seenBody> };

/** Removes the coupon as the client saw it: one that another device applied meanwhile stays. */
export async function removeCoupon(exchange: Exchange, { params, body }: Input, gateway: Pick<Gateway, 'cart'>): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const call = outgoing(exchange, personOf(exchange).passport);
  const { commandId, seen } = body;
  return writeOutcome(await gateway.cart.removeCoupon(call, { commandId, code: params.code.toUpperCase(), seen }));
}
