/**
 * Full-text search in this process. For three hundred products or thirty thousand, an index in memory is the smallest design that answers while a
 * person types.
 */
import MiniSearch, { type Query, type SearchOptions } from 'minisearch';
import type { CatalogProduct } from '../products.ts';
import { fileTypos } from './typos.ts';
import { foldQueryWord, foldShopWord, foldTypedWord, plain } from './words.ts';

export interface ProductSearch {
  /** Ids, best match first: products that have all the words, or if there are none, those that have some. */
  find(query: string): string[];
  /** Suggestions for an unfinished query: ids, and categories whose own name matches. */
  suggest(query: string): { readonly productIds: string[]; readonly categories: string[] };
}

/** Below this length a word is matched as typed: "a" as a prefix would match half the shop. */
const prefixLengthMin = 2;
/** From this length on two letters of a word may be wrong, by `fuzzyShare`. typos.ts forgives one slip without it. */
const fuzzyLengthMin = 8;
const fuzzyShare = 0.2;
/** A match by a slip counts less than an exact match. The index gives a nearly equal word the same weight. */
const slipWeight = 0.4;

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
  combineWith: 'AND',
  processTerm: foldQueryWord,
};

export function buildSearch(products: readonly CatalogProduct[]): ProductSearch {
  const spellings = new Map<string, string>();
  const index = new MiniSearch<Document>({
    fields: ['name', 'category', 'choices', 'description'],
    storeFields: ['category'],
    processTerm: (word) => {
      const terms = foldShopWord(word);
      for (const term of terms ?? []) spellings.set(term, term);
      if (terms?.[0] !== undefined) spellings.set(plain(word), terms[0]);
      return terms;
    },
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
  const read = readQueries(spellings);
  const search = (query: Query, more: SearchOptions = {}) =>
    // Equal matches stay in the order of the window, whatever the order inside the index.
    index.search(query, more).toSorted((a, b) => b.score - a.score || placeOf.get(a.id as string)! - placeOf.get(b.id as string)!);
  const find = (query: string) => {
    const meant = read(query, foldQueryWord);
    const all = search(meant);
    if (all.length > 0) return all;
    const some = search({ ...meant, combineWith: 'OR' });
    return some.length > 0 ? some : search(read(query, foldTypedWord));
  };
  return {
    find: (query) => find(query).map(({ id }) => id as string),
    suggest: (query) => {
      // Names come first, from the first letter on. Descriptions are searched only when no name matches.
      const inNames = { fields: ['name', 'category', 'choices'], prefix: true };
      const typed = search(query, { ...inNames, processTerm: foldTypedWord });
      const named = typed.length > 0 ? typed : search(read(query, foldTypedWord), inNames);
      const found = named.length > 0 ? named : find(query);
      const meant = found.filter(({ match }) => Object.values(match).some((fields) => fields.includes('category')));
      return {
        productIds: found.map(({ id }) => id as string),
        categories: [...new Set([...meant, ...found].map(({ category }) => category as string))],
      };
    },
  };
}

const words = MiniSearch.getDefault('tokenize') as (text: string) => string[];
const asItIs = (term: string): string => term;

/** Makes a query that forgives slips. A word that the shop has is taken as typed: "coat" is no slip for "goat". */
function readQueries(spellings: ReadonlyMap<string, string>): (query: string, fold: typeof foldQueryWord) => Query & object {
  const terms = new Set(spellings.values());
  const typos = fileTypos(spellings);
  const readWord = (word: string, term: string): Query => {
    if (terms.has(term)) return term;
    const meant = [...new Set([...typos.meantBy(plain(word)), ...typos.meantBy(term)])];
    if (meant.length === 0) return { queries: [term], fuzzy: term.length >= fuzzyLengthMin ? fuzzyShare : false };
    return { combineWith: 'OR', queries: [term, { combineWith: 'OR', queries: meant, prefix: false, boostTerm: () => slipWeight }] };
  };
  return (query, fold) => ({
    combineWith: 'AND',
    processTerm: asItIs,
    queries: words(query).flatMap((word) => {
      const term = fold(word);
      return term === null || term === '' ? [] : [readWord(word, term)];
    }),
  });
}
