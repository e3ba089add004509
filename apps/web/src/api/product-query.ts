/** The address of a product list says what it shows, so that a person can link to it, reload it and go back to it. */

import { formatPrice } from '../format.ts';

export const sorts = ['relevance', 'price', '-price', 'name', 'newest'] as const;
export type Sort = (typeof sorts)[number];

export interface ProductQuery {
  readonly query: string;
  readonly category: string;
  readonly sort: Sort;
  /** "Size:M", as the gateway takes it. A product matches when for each name it has one of the values. */
  readonly options: readonly string[];
  /** Minor units; undefined is no bound. */
  readonly priceMin: number | undefined;
  readonly priceMax: number | undefined;
  readonly inStock: boolean;
  readonly page: number;
  readonly pageSize: number;
}

export const pageSize = 24;

export const everyProduct: ProductQuery = {
  query: '',
  category: '',
  sort: 'relevance',
  options: [],
  priceMin: undefined,
  priceMax: undefined,
  inStock: false,
  page: 1,
  pageSize,
};

/** The address holds only differences from `everyProduct`, so that one list has one address. Its prices are in euros, as people write them. */
export function toAddress(shown: ProductQuery): URLSearchParams {
  const params = new URLSearchParams();
  if (shown.query !== '') params.set('query', shown.query);
  if (shown.sort !== everyProduct.sort) params.set('sort', shown.sort);
  for (const option of shown.options) params.append('option', option);
  if (shown.priceMin !== undefined) params.set('from', String(shown.priceMin / 100));
  if (shown.priceMax !== undefined) params.set('to', String(shown.priceMax / 100));
  if (shown.inStock) params.set('inStock', 'true');
  if (shown.page > 1) params.set('page', String(shown.page));
  return params;
}

/** People type and paste addresses, so a value that makes no sense is ignored. */
export function fromAddress(params: URLSearchParams, category: string): ProductQuery {
  const sort = sorts.find((known) => known === params.get('sort'));
  return {
    query: (params.get('query') ?? '').trim().slice(0, 100),
    category,
    sort: sort ?? everyProduct.sort,
    options: [...new Set(params.getAll('option').filter((option) => /^[^:]+:.+$/.test(option)))],
    priceMin: minorUnits(params.get('from')),
    priceMax: minorUnits(params.get('to')),
    inStock: params.get('inStock') === 'true',
    page: Math.max(1, Math.trunc(Number(params.get('page'))) || 1),
    pageSize,
  };
}

export function minorUnits(text: string | null): number | undefined {
  if (text === null || !/^\d{1,6}([.,]\d{1,2})?$/.test(text.trim())) return undefined;
  const amount = Math.round(Number(text.trim().replace(',', '.')) * 100);
  return amount > 0 ? amount : undefined;
}

/** Says why no price can match. Undefined if one can. */
export function impossiblePrices({ priceMin, priceMax }: Pick<ProductQuery, 'priceMin' | 'priceMax'>): string | undefined {
  if (priceMin === undefined || priceMax === undefined || priceMin <= priceMax) return undefined;
  const [from, to] = [priceMin, priceMax].map((amount) => formatPrice(amount, 'EUR'));
  return `No price is ${from} or more and ${to} or less at once.`;
}

/** The query of GET /api/products. */
export function toRequest(shown: ProductQuery): string {
  const params = new URLSearchParams();
  if (shown.query !== '') params.set('query', shown.query);
  if (shown.category !== '') params.set('category', shown.category);
  if (shown.sort !== everyProduct.sort) params.set('sort', shown.sort);
  for (const option of shown.options) params.append('option', option);
  if (shown.priceMin !== undefined) params.set('priceMin', String(shown.priceMin));
  if (shown.priceMax !== undefined) params.set('priceMax', String(shown.priceMax));
  if (shown.inStock) params.set('inStock', 'true');
  params.set('page', String(shown.page));
  params.set('pageSize', String(shown.pageSize));
  return params.toString();
}

/** How many filters narrow the list. The search words do not count. */
export const choiceCount = (shown: ProductQuery): number =>
  shown.options.length + (shown.priceMin === undefined && shown.priceMax === undefined ? 0 : 1) + (shown.inStock ? 1 : 0);
