/**
 * Check-out. Everything before `acceptOrder` can be repeated at will. After it the order goes on by itself (saga.ts), and this request is only the
 * first to advance it. When the request's time runs out or its client is gone, the answer is the order as it stands then.
 */
import { createHash } from 'node:crypto';
import {
  cartLineCountMax,
  idempotencyKeyPattern,
  isProblem,
  Obstacle,
  problem,
  type PlaceOrderRequest,
  type Problem,
} from '@cloakroom/contracts';
import { forward, type PersonContext } from '@cloakroom/mesh';
import { acceptOrder, findByKey, sameOrder } from './accept-order.ts';
import { orderMessages, type OrderMessage } from '../reads/order-message.ts';
import { orUnavailable } from '../or-unavailable.ts';
import type { OrderedAddress, OrderRow } from '../orders.ts';
import type { OrdersParts } from '../orders.dependencies.ts';
import { quantityPerProductMax, type Quote, quoteOrder } from './quote.ts';
import { advance, problemOf } from '../saga/saga.ts';

export type Wanted = Pick<PlaceOrderRequest, 'idempotencyKey' | 'seen' | 'addressId' | 'expectedTotal' | 'paymentMethod'>;

export async function placeOrder(parts: OrdersParts, ctx: PersonContext, request: Wanted): Promise<OrderMessage | Problem> {
  const { idempotencyKey } = request;
  if (!idempotencyKeyPattern.test(idempotencyKey))
    return problem('invalid_request', 'Idempotency-Key: 1 to 64 printable characters without spaces');
  const paymentMethod = request.paymentMethod === '' ? parts.payments.methods[0]! : request.paymentMethod;
  if (!parts.payments.methods.includes(paymentMethod)) return problem('invalid_request', 'paymentMethod: no such means of payment');

  const bodyHash = hashOf({ ...request, paymentMethod });
  const byKey = () => orUnavailable(() => findByKey(parts.db, ctx.identity.subject, idempotencyKey));
  const known = await byKey();
  if (known !== undefined) return finish(parts, ctx, sameOrder(known, bodyHash));

  const [quote, address] = await Promise.all([
    orUnavailable(() => quoteOrder(parts, ctx, request.seen)),
    readAddress(parts, ctx, request.addressId),
  ]);
  if (isProblem(quote)) return quote;
  const refusal = refusalOf(quote, request);
  if (refusal !== undefined) {
    // An earlier request with this key has emptied the cart, and maybe the stock. Then its order is the answer.
    const ordered = await byKey();
    return ordered === undefined ? refusal : finish(parts, ctx, sameOrder(ordered, bodyHash));
  }
  if (isProblem(address)) return address;

  // The client waits no longer. It may have asked again and been refused, and that refusal must stay true.
  if (ctx.signal.aborted || ctx.deadline.remainingMs() <= 0) return problem('deadline_exceeded');
  const acceptance = { idempotencyKey, bodyHash, quote, address, paymentMethod };
  const accepted = await orUnavailable(() => acceptOrder(parts, ctx, acceptance), 'outcome_unknown');
  return finish(parts, ctx, sameOrder(accepted, bodyHash));
}

/** A repeated request also comes here: it advances the order and gets the same result. */
async function finish(parts: OrdersParts, ctx: PersonContext, accepted: OrderRow | Problem): Promise<OrderMessage | Problem> {
  if (isProblem(accepted)) return accepted;
  return orUnavailable(async () => {
    const order = await advance(parts, accepted.order_id, () => forward(ctx));
    if (order.phase === 'cancelled') return problemOf(order);
    return (await orderMessages(parts.db, [order]))[0]!;
  }, 'outcome_unknown');
}

function refusalOf(quote: Quote, { expectedTotal }: Wanted): Problem | undefined {
  if (quote.changed) return problem('cart_changed');
  if (quote.lines.length === 0) return problem('nothing_to_order');
  const obstacles = new Set(quote.lines.map(({ obstacle }) => obstacle));
  if (obstacles.has(Obstacle.LIMIT))
    return problem('limit_exceeded', `At most ${quantityPerProductMax} of a product and ${cartLineCountMax} lines in an order.`);
  if (obstacles.has(Obstacle.OUT_OF_STOCK) || obstacles.has(Obstacle.UNKNOWN_PRODUCT)) return problem('out_of_stock');
  return expectedTotal === undefined || expectedTotal === BigInt(quote.total) ? undefined : problem('price_changed');
}

async function readAddress(parts: OrdersParts, ctx: PersonContext, addressId: string): Promise<OrderedAddress | Problem> {
  const passport = await parts.exchange.exchangeFor(ctx, 'profile');
  if (isProblem(passport)) return passport;
  const profile = await parts.profile.getProfile(forward(ctx, { passport }), {});
  if (isProblem(profile)) return profile;
  const address = profile.addresses.find((each) => each.addressId === addressId);
  if (address === undefined) return problem('unknown_address');
  const { name, line1, line2, city, postalCode, country } = address;
  return { name, line1, line2, city, postalCode, country };
}

/** Hash of everything in the request except the key. */
function hashOf({ seen, addressId, expectedTotal, paymentMethod }: Wanted): string {
  const said = JSON.stringify([seen, addressId, expectedTotal?.toString() ?? null, paymentMethod]);
  return createHash('sha256').update(said).digest('base64url');
}
