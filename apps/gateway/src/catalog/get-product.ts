import { isProblem, problem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { productBody } from './product-answer.ts';

/** Asks the catalog itself, not the memory of the cart view, because a person decides here by price and stock. */
export async function getProduct(
  exchange: Exchange,
  { params }: { readonly params: { readonly productId: string } },
  gateway: Pick<Gateway, 'catalog'>,
): Promise<Outcome> {
  const found = await gateway.catalog.getProducts(outgoing(exchange), { productIds: [params.productId] });
  if (isProblem(found)) return found;
  const product = found.items[0];
  return product === undefined ? problem('not_found') : { status: 200, body: productBody(product) };
}
