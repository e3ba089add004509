import { problem, type ListProductsRequest, type Problem } from '@cloakroom/contracts';
import type { Kysely } from 'kysely';
import { productPage, productsByIds, type CatalogProduct, type CatalogSchema } from './products.ts';
import type { ProductSearch } from './search.ts';

/** Longer is no search a person types, and each word costs a walk of the index. */
const queryLengthMax = 100;
const categoryLengthMax = 64;
const pageSizeDefault = 24;
/** What the gateway promises its clients; it also bounds one answer to some 100 KB. */
const pageSizeMax = 100;
/** Keeps page x size a safe integer; no shop has as many pages. */
const pageMax = 10_000;

export interface ProductPage {
  readonly items: CatalogProduct[];
  readonly total: number;
  readonly page: number;
  readonly pageSize: number;
}

/** One page of products; with a query the best matches first, else in the order of the shop window. */
export async function listProducts(
  db: Kysely<CatalogSchema>,
  search: ProductSearch,
  request: Pick<ListProductsRequest, 'query' | 'category' | 'page' | 'pageSize'>,
): Promise<ProductPage | Problem> {
  const query = request.query.trim();
  if (query.length > queryLengthMax) return problem('invalid_request', `query: at most ${queryLengthMax} characters`);
  if (request.category.length > categoryLengthMax) return problem('invalid_request', `category: at most ${categoryLengthMax} characters`);
  // proto3 cannot tell an absent number from 0, so 0 is "your default".
  const page = request.page || 1;
  const pageSize = request.pageSize || pageSizeDefault;
  if (page > pageMax) return problem('invalid_request', `page: at most ${pageMax}`);
  if (pageSize > pageSizeMax) return problem('invalid_request', `pageSize: at most ${pageSizeMax}`);

  const offset = (page - 1) * pageSize;
  if (query === '') {
    const { items, total } = await productPage(db, { category: request.category, limit: pageSize, offset });
    return { items, total, page, pageSize };
  }
  const found = search.find(query, request.category);
  return { items: await productsByIds(db, found.slice(offset, offset + pageSize)), total: found.length, page, pageSize };
}
