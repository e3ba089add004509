import { type GetProductsRequest, problem, type Problem, productIdCountMax } from '@cloakroom/contracts';
import type { Kysely } from 'kysely';
import { productsByIds, type CatalogProduct, type CatalogSchema } from './products.ts';

/** The products with these ids, in that order. Unknown ids are left out, and repeated ids are answered once. */
export async function getProducts(
  db: Kysely<CatalogSchema>,
  request: Pick<GetProductsRequest, 'productIds'>,
): Promise<{ items: CatalogProduct[] } | Problem> {
  const ids = [...new Set(request.productIds)];
  if (ids.length > productIdCountMax) return problem('invalid_request', `productIds: at most ${productIdCountMax}`);
  return { items: await productsByIds(db, ids) };
}
