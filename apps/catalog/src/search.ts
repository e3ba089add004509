/** Full-text search in this process: three hundred products or thirty thousand, an index in memory is the smallest thing that answers as one types. */
import MiniSearch, { type SearchOptions } from 'minisearch';
import type { CatalogProduct } from './products.ts';
import { foldQueryWord, foldShopWord, foldTypedWord } from './words.ts';

export interface ProductSearch {
  /** Ids, best match first. Products that have all the words; if there are none, those that have some. */
  find(query: string): string[];
  /** What a person who has typed this much may mean: ids, and categories whose own name is meant. */
  suggest(query: string): { readonly productIds: string[]; readonly categories: string[] };
}

/** Below this length a word is matched as typed: "a" as a prefix would match half the shop. */
const prefixLengthMin = 2;
/** Short words have too many neighbours one letter away ("tea", "tee", "ten"). */
const fuzzyLengthMin = 5;
/** Of a word's letters, rounded: one of five may be wrong, two of eight. */
const fuzzyShare = 0.2;

interface Document {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly choices: string;
  readonly description: string;
}

const options: SearchOptions = {
  boost: { name: 6, category: 3, choices: 2 },
  prefix: (term) => term.length >= prefixLengthMin,
  fuzzy: (term) => (term.length >= fuzzyLengthMin ? fuzzyShare : false),
  combineWith: 'AND',
  processTerm: foldQueryWord,
};

export function buildSearch(products: readonly CatalogProduct[]): ProductSearch {
  const index = new MiniSearch<Document>({
    fields: ['name', 'category', 'choices', 'description'],
    storeFields: ['category'],
    processTerm: foldShopWord,
    searchOptions: options,
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
  const placeOf = new Map(products.map(({ productId }, place) => [productId, place]));
  const search = (query: string, more: SearchOptions = {}) =>
    // Equal matches stay in the order of the window, whatever the order inside the index.
    index.search(query, more).toSorted((a, b) => b.score - a.score || placeOf.get(a.id as string)! - placeOf.get(b.id as string)!);
  const find = (query: string) => {
    const all = search(query);
    if (all.length > 0) return all;
    const some = search(query, { combineWith: 'OR' });
    return some.length > 0 ? some : search(query, { processTerm: foldTypedWord });
  };
  return {
    find: (query) => find(query).map(({ id }) => id as string),
    suggest: (query) => {
      // Names first, from the first letter on; what is only described is found when nothing is called so.
      const named = search(query, { fields: ['name', 'category', 'choices'], prefix: true, processTerm: foldTypedWord });
      const found = named.length > 0 ? named : find(query);
      const meant = found.filter(({ match }) => Object.values(match).some((fields) => fields.includes('category')));
      return {
        productIds: found.map(({ id }) => id as string),
        categories: [...new Set([...meant, ...found].map(({ category }) => category as string))],
      };
    },
  };
}
