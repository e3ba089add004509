import { isProblem, type Problem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { cartBody, type CartBody } from './cart-answer.ts';

export async function getCart(x: Exchange, _input: unknown, gateway: Gateway): Promise<Outcome> {
  const read = await readCart(x, gateway);
  return isProblem(read) ? read : { status: 200, body: read.cart, ...(read.reached !== '' && { reached: read.reached }) };
}

/** Reads the cart. The session knows which guest cart its sign-in claimed, and the cart says whether it has arrived. */
export async function readCart(x: Exchange, gateway: Gateway): Promise<{ cart: CartBody; reached: string } | Problem> {
  const person = personOf(x);
  const cart = await gateway.cart.getCart(outgoing(x, person.passport), { claimedGuestCart: person.view.claimedGuestCart });
  if (isProblem(cart)) return cart;
  const products = await gateway.products.products(
    cart.lines.map((line) => line.productId),
    (productIds) => gateway.catalog.getProducts(outgoing(x), { productIds }),
  );
  return isProblem(products) ? products : { cart: cartBody(cart, products), reached: cart.consistencyToken };
}
