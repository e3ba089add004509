import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { otherCart, type commandBody, type couponParams } from './command-input.ts';
import { writeOutcome } from './write-outcome.ts';

type Input = { readonly params: z.output<typeof couponParams>; readonly body: z.output<typeof commandBody> };

/** Notes the coupon, whatever it says. orders judges it at check-out, by what is in the cart then. */
export async function applyCoupon(exchange: Exchange, { params, body }: Input, gateway: Pick<Gateway, 'cart'>): Promise<Outcome> {
  const refused = otherCart(exchange, body.cartId);
  if (refused !== undefined) return refused;
  const call = outgoing(exchange, personOf(exchange).passport);
  return writeOutcome(await gateway.cart.applyCoupon(call, { commandId: body.commandId, code: params.code.toUpperCase() }));
}
