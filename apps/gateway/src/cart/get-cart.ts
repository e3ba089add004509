import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { cartBody } from './cart-answer.ts';

/** The session knows which guest cart its sign-in claimed; the cart says whether it has arrived. */
export async function getCart(x: Exchange, _input: unknown, gateway: Gateway): Promise<Outcome> {
  const person = personOf(x);
  const cart = await gateway.cart.getCart(outgoing(x, person.passport), { claimedGuestCart: person.view.claimedGuestCart });
  if (isProblem(cart)) return cart;
  const products = await gateway.products.products(
    cart.lines.map((line) => line.productId),
    (productIds) => gateway.catalog.getProducts(outgoing(x), { productIds }),
  );
  return isProblem(products) ? products : { status: 200, body: cartBody(cart, products) };
}
