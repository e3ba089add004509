import { type GetProductsRequest, problem, type Problem, productIdCountMax } from '@cloakroom/contracts';
import type { Kysely } from 'kysely';
import { productsByIds, type CatalogProduct, type CatalogSchema } from './products.ts';
import { withElsewhere } from './stock/shown-stock.ts';
import type { StockShare } from './stock/stock-share.ts';

/**
 * The products with these ids, in that order. Unknown ids are left out, and repeated ids are answered once.
 * @param share where another region decides about the stock
 */
export async function getProducts(
  db: Kysely<CatalogSchema>,
  request: Pick<GetProductsRequest, 'productIds'>,
  share?: Pick<StockShare, 'elsewhere' | 'cutSinceMs'> | null,
): Promise<{ items: CatalogProduct[] } | Problem> {
  const ids = [...new Set(request.productIds)];
  if (ids.length > productIdCountMax) return problem('invalid_request', `productIds: at most ${productIdCountMax}`);
  const items = await productsByIds(db, ids);
  return { items: share ? items.map((product) => withElsewhere(product, share)) : items };
}
