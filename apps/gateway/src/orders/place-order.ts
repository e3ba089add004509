/**
 * Check-out. The orders service of the buyer's home decides it. The gateway says how it ended, with what a page needs to go on.
 *
 * If the answer was lost, the order may have been placed. The gateway says so, and the page asks again with the same key: the order is placed
 * once, whatever was lost.
 */
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { readCart } from '../cart/get-cart.ts';
import { knownOutcome } from '../cart/write-outcome.ts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { identifyCaller } from '../identity/identify-caller.ts';
import { type CheckoutProblem, orderBodyOf, previewBodyOf } from './order-answer.ts';
import type { orderBody, orderHeaders } from './order-input.ts';
import { ordersOf } from './orders-at-home.ts';

type Needed = Pick<Gateway, 'cart' | 'catalog' | 'orders' | 'limits' | 'identity' | 'products'>;

interface Input {
  readonly headers: z.output<typeof orderHeaders>;
  readonly body: z.output<typeof orderBody>;
}

export async function placeOrder(exchange: Exchange, { headers, body }: Input, gateway: Needed): Promise<Outcome> {
  const person = personOf(exchange);
  const limited = await gateway.limits.order(person.view.subject);
  if (limited !== undefined) return limited;
  const order = await ordersOf(exchange, gateway).placeOrder(outgoing(exchange, person.passport), {
    idempotencyKey: headers['idempotency-key'],
    seen: body.seen,
    addressId: body.addressId,
    paymentMethod: body.paymentMethod ?? '',
    ...(body.expectedTotal !== undefined && { expectedTotal: BigInt(body.expectedTotal) }),
  });
  if (isProblem(order)) return explained(knownOutcome(order), body.seen, exchange, gateway);
  return { status: 201, body: orderBodyOf(order) };
}

/**
 * Adds the cart or the preview that the person must look at before ordering again. If neither can be had, the refusal stands without it, and
 * the page can ask itself.
 */
async function explained(refusal: Problem, seen: string, exchange: Exchange, gateway: Needed): Promise<CheckoutProblem> {
  if (refusal.problem === 'cart_changed') {
    return { ...refusal, ...(await cartOf(exchange, gateway)) };
  }
  if (refusal.problem !== 'price_changed' && refusal.problem !== 'out_of_stock') return refusal;
  const preview = await ordersOf(exchange, gateway).previewOrder(outgoing(exchange, personOf(exchange).passport), { seen });
  return isProblem(preview) ? refusal : { ...refusal, preview: previewBodyOf(preview) };
}

/** Reads the cart with a passport of its own, because this route's passport is for orders. */
async function cartOf(exchange: Exchange, gateway: Needed): Promise<Pick<CheckoutProblem, 'cart' | 'reached'>> {
  const person = await identifyCaller(exchange, { audience: 'cart', sensitive: false, touch: true }, gateway.identity);
  if (person === undefined || typeof person === 'string' || isProblem(person)) return {};
  const read = await readCart({ ...exchange, person }, gateway);
  return isProblem(read) ? {} : read;
}
