import {
  problem,
  type Problem,
  searchLengthMax,
  suggestedCategoryCountMax,
  suggestedProductCountMax,
  type SuggestRequest,
} from '@cloakroom/contracts';
import type { CatalogProduct } from '../products.ts';
import type { ProductCache } from './product-cache.ts';

export interface Suggestions {
  readonly products: Pick<CatalogProduct, 'productId' | 'name' | 'category' | 'image'>[];
  readonly categories: string[];
}

/** Suggestions for an unfinished query, most likely first. */
export async function suggest(cache: ProductCache, request: Pick<SuggestRequest, 'query'>): Promise<Suggestions | Problem> {
  const query = request.query.trim();
  if (query.length > searchLengthMax) return problem('invalid_request', `query: at most ${searchLengthMax} characters`);
  if (query === '') return { products: [], categories: [] };
  const { items, search } = await cache.look();
  const { productIds, categories } = search.suggest(query);
  const byId = new Map(items.map(({ product }) => [product.productId, product]));
  const products = productIds.slice(0, suggestedProductCountMax).flatMap((id) => byId.get(id) ?? []);
  return {
    products: products.map(({ productId, name, category, image }) => ({ productId, name, category, image })),
    categories: categories.slice(0, suggestedCategoryCountMax),
  };
}
