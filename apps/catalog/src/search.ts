/** Full-text search in this process: forty products or forty thousand, an index in memory is the smallest thing that answers as one types. */
import MiniSearch from 'minisearch';
import type { CatalogProduct } from './products.ts';

export interface ProductSearch {
  /** Ids, best match first. `category` empty: all of them. */
  find(query: string, category: string): string[];
  /** Products, best match first. */
  suggest(query: string): CatalogProduct[];
}

/** Below this length a word is matched as typed: "a" as a prefix would match half the shop. */
const prefixLengthMin = 2;
/** Short words have too many neighbours one letter away ("tea", "tee", "ten"). */
const fuzzyLengthMin = 5;

export function buildSearch(products: readonly CatalogProduct[]): ProductSearch {
  const index = new MiniSearch<{ id: string; name: string; category: string; description: string; choices: string }>({
    fields: ['name', 'category', 'choices', 'description'],
    storeFields: ['category'],
    searchOptions: {
      boost: { name: 4, category: 2 },
      prefix: (term) => term.length >= prefixLengthMin,
      fuzzy: (term) => (term.length >= fuzzyLengthMin ? 0.2 : false),
      combineWith: 'AND',
    },
  });
  index.addAll(
    products.map((product) => ({
      id: product.productId,
      name: product.name,
      category: product.category,
      description: product.description,
      choices: product.options.flatMap((option) => option.values).join(' '),
    })),
  );
  const byId = new Map(products.map((product) => [product.productId, product]));
  return {
    suggest: (query) => index.search(query).flatMap((result) => byId.get(String(result.id)) ?? []),
    find(query, category) {
      const found = index.search(query, category === '' ? {} : { filter: (result) => result['category'] === category });
      return found.map((result) => String(result.id));
    },
  };
}
