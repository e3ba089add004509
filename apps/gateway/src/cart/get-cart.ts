import { isProblem, type Problem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { cartBody, type CartBody } from './cart-answer.ts';

export type CartReading = Pick<Gateway, 'cart' | 'catalog' | 'products'>;

export async function getCart(exchange: Exchange, gateway: CartReading): Promise<Outcome> {
  const read = await readCart(exchange, gateway);
  return isProblem(read) ? read : { status: 200, body: read.cart, ...(read.reached !== '' && { reached: read.reached }) };
}

/** Reads the cart. The session knows which guest cart its sign-in claimed, and the cart says whether it has arrived. */
export async function readCart(exchange: Exchange, gateway: CartReading): Promise<{ cart: CartBody; reached: string } | Problem> {
  const person = personOf(exchange);
  const cart = await gateway.cart.getCart(outgoing(exchange, person.passport), { claimedGuestCart: person.view.claimedGuestCart });
  if (isProblem(cart)) return cart;
  const products = await gateway.products.products(
    cart.lines.map((line) => line.productId),
    (productIds) => gateway.catalog.getProducts(outgoing(exchange), { productIds }),
  );
  return isProblem(products) ? products : { cart: cartBody(cart, products), reached: cart.consistencyToken };
}
