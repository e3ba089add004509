import { problem, type Problem, type SuggestRequest } from '@cloakroom/contracts';
import type { CatalogProduct } from './products.ts';
import type { ProductSearch } from './search.ts';

/** Longer is no search a person types, and each word costs a walk of the index. */
const queryLengthMax = 100;
/** What fits below a search field without scrolling. */
const productCountMax = 6;
const categoryCountMax = 3;

type Suggestion = Pick<CatalogProduct, 'productId' | 'name' | 'category' | 'image'>;

/** What a person who has typed this much may mean. */
export async function suggest(
  search: ProductSearch,
  request: Pick<SuggestRequest, 'query'>,
): Promise<{ products: Suggestion[]; categories: string[] } | Problem> {
  const query = request.query.trim();
  if (query.length > queryLengthMax) return problem('invalid_request', `query: at most ${queryLengthMax} characters`);
  if (query === '') return { products: [], categories: [] };
  const found = search.suggest(query);
  return {
    products: found.slice(0, productCountMax).map(({ productId, name, category, image }) => ({ productId, name, category, image })),
    categories: [...new Set(found.map(({ category }) => category))].slice(0, categoryCountMax),
  };
}
