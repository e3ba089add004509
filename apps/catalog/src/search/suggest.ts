import { problem, type Problem, type SuggestRequest } from '@cloakroom/contracts';
import { queryLengthMax } from './list-products.ts';
import type { CatalogProduct } from '../products.ts';
import type { Shelf } from './product-cache.ts';

/** What fits below a search field without scrolling. */
const productCountMax = 6;
const categoryCountMax = 3;

export interface Suggestions {
  readonly products: Pick<CatalogProduct, 'productId' | 'name' | 'category' | 'image'>[];
  readonly categories: string[];
}

/** What a person who has typed this much may mean, most likely first. */
export async function suggest(shelf: Shelf, request: Pick<SuggestRequest, 'query'>): Promise<Suggestions | Problem> {
  const query = request.query.trim();
  if (query.length > queryLengthMax) return problem('invalid_request', `query: at most ${queryLengthMax} characters`);
  if (query === '') return { products: [], categories: [] };
  const { items, search } = await shelf.look();
  const { productIds, categories } = search.suggest(query);
  const byId = new Map(items.map(({ product }) => [product.productId, product]));
  const products = productIds.slice(0, productCountMax).flatMap((id) => byId.get(id) ?? []);
  return {
    products: products.map(({ productId, name, category, image }) => ({ productId, name, category, image })),
    categories: categories.slice(0, categoryCountMax),
  };
}
