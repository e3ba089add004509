import {
  type ListProductsRequest,
  pageSizeMax,
  problem,
  type Problem,
  productPageMax,
  searchChoiceCountMax,
  searchChoiceLengthMax,
  searchLengthMax,
  Sort,
} from '@cloakroom/contracts';
import { facetsOf, matches, type ProductFacets, type ProductFilter } from './product-filter.ts';
import type { CatalogProduct, CachedProduct } from '../products.ts';
import type { ProductCache } from './product-cache.ts';

const pageSizeDefault = 24;

export type ProductsWanted = Omit<ListProductsRequest, '$typeName' | '$unknown' | 'options'> & {
  readonly options: readonly { readonly name: string; readonly value: string }[];
};

export interface ProductPage {
  readonly items: CatalogProduct[];
  readonly total: number;
  readonly page: number;
  readonly pageSize: number;
  readonly facets: ProductFacets;
}

/** One page of products. A query puts the best matches first, and else the order of the shop window holds, unless the request asks for another. */
export async function listProducts(cache: ProductCache, request: ProductsWanted): Promise<ProductPage | Problem> {
  const refused = refusal(request);
  if (refused !== undefined) return problem('invalid_request', refused);
  // proto3 cannot tell an absent number from 0, so 0 is "your default".
  const page = request.page || 1;
  const pageSize = request.pageSize || pageSizeDefault;
  const { category, priceMin, priceMax, inStock } = request;
  const filter: ProductFilter = { category, priceMin, priceMax, inStock, choices: choicesOf(request.options) };

  const { items, search } = await cache.look();
  const query = request.query.trim();
  const found = query === '' ? items : byIds(items, search.find(query));
  const wanted = sorted(
    found.filter((item) => matches(item, filter)),
    request.sort,
  );
  return {
    items: wanted.slice((page - 1) * pageSize, page * pageSize).map(({ product }) => product),
    total: wanted.length,
    page,
    pageSize,
    facets: facetsOf(found, filter),
  };
}

function refusal({ query, category, page, pageSize, options, priceMin, priceMax, sort }: ProductsWanted): string | undefined {
  if (query.trim().length > searchLengthMax) return `query: at most ${searchLengthMax} characters`;
  if (category.length > searchChoiceLengthMax) return `category: at most ${searchChoiceLengthMax} characters`;
  if (page > productPageMax) return `page: at most ${productPageMax}`;
  if (pageSize > pageSizeMax) return `pageSize: at most ${pageSizeMax}`;
  if (options.length > searchChoiceCountMax) return `options: at most ${searchChoiceCountMax}`;
  if (options.some(({ name, value }) => name.length > searchChoiceLengthMax || value.length > searchChoiceLengthMax))
    return `options: names and values of at most ${searchChoiceLengthMax} characters`;
  if (priceMin < 0n || priceMax < 0n) return 'priceMin, priceMax: not below 0';
  // A later version may know this order. Any other order would page through the wrong list.
  if (!(sort in orders)) return 'sort: unknown';
  return undefined;
}

function choicesOf(options: ProductsWanted['options']): Map<string, Set<string>> {
  const byName = Map.groupBy(options, ({ name }) => name);
  return new Map([...byName].map(([name, chosen]) => [name, new Set(chosen.map(({ value }) => value))]));
}

function byIds(items: readonly CachedProduct[], ids: readonly string[]): CachedProduct[] {
  const byId = new Map(items.map((item) => [item.product.productId, item]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

const alphabet = new Intl.Collator('en', { numeric: true });
type Compare = (a: CachedProduct, b: CachedProduct) => number;

/** SORT_UNSPECIFIED has no comparison: the products found are in its order already. */
const orders: Readonly<Record<Sort, Compare | undefined>> = {
  [Sort.UNSPECIFIED]: undefined,
  [Sort.PRICE_ASCENDING]: (a, b) => Number(a.product.price - b.product.price),
  [Sort.PRICE_DESCENDING]: (a, b) => Number(b.product.price - a.product.price),
  [Sort.NAME]: (a, b) => alphabet.compare(a.product.name, b.product.name),
  [Sort.NEWEST]: (a, b) => (a.addedOn === b.addedOn ? 0 : a.addedOn < b.addedOn ? 1 : -1),
};

/** Equal products stay in the order of the window. Without ties, pages meet without a gap. */
function sorted(items: readonly CachedProduct[], sort: Sort): readonly CachedProduct[] {
  const compare = orders[sort];
  return compare === undefined ? items : items.toSorted((a, b) => compare(a, b) || a.position - b.position);
}
