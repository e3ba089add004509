/** The filters of a list, and the counts that each other choice would give. */
import type { CatalogProduct, CachedProduct } from '../products.ts';

export interface ProductFilter {
  /** Empty: every category. */
  readonly category: string;
  /** For each option name, the product must have one of the values. */
  readonly choices: ReadonlyMap<string, ReadonlySet<string>>;
  /** Minor units; 0 is no bound. */
  readonly priceMin: bigint;
  readonly priceMax: bigint;
  readonly inStock: boolean;
}

export interface ProductFacets {
  readonly categories: FacetCount[];
  readonly options: { readonly name: string; readonly values: FacetCount[] }[];
  readonly priceMin: bigint;
  readonly priceMax: bigint;
}

interface FacetCount {
  readonly value: string;
  readonly count: number;
}

export const matches = ({ product }: CachedProduct, filter: ProductFilter): boolean => failuresOf(product, filter).length === 0;

type Dimension = 'category' | 'price' | 'stock' | `option ${string}`;

/** @returns the chosen dimensions that the product does not match */
function failuresOf(product: CatalogProduct, filter: ProductFilter): Dimension[] {
  const failures: Dimension[] = [];
  if (filter.category !== '' && product.category !== filter.category) failures.push('category');
  if (product.price < filter.priceMin || (filter.priceMax !== 0n && product.price > filter.priceMax)) failures.push('price');
  if (filter.inStock && product.stock === 0) failures.push('stock');
  for (const [name, values] of filter.choices) {
    if (!valuesOf(product, name).some((value) => values.has(value))) failures.push(`option ${name}`);
  }
  return failures;
}

/**
 * Each facet is counted as if nothing were chosen in it, so a person sees the alternatives. A matching product counts in all facets. A product that
 * only one facet's choice excludes counts in that facet. A chosen value is listed even when its count is 0.
 */
export function facetsOf(found: readonly CachedProduct[], filter: ProductFilter): ProductFacets {
  const categories = new Counts(filter.category === '' ? [] : [filter.category]);
  const options = new Map([...filter.choices].map(([name, chosen]) => [name, new Counts(chosen)]));
  const prices: bigint[] = [];
  for (const { product } of found) {
    const [failure, second] = failuresOf(product, filter);
    if (second !== undefined) continue;
    const counts = (dimension: Dimension): boolean => failure === undefined || failure === dimension;
    if (counts('category')) categories.add([product.category]);
    if (counts('price')) prices.push(product.price);
    for (const { name, values } of product.options) {
      if (!counts(`option ${name}`)) continue;
      if (!options.has(name)) options.set(name, new Counts([]));
      options.get(name)!.add(values);
    }
  }
  return {
    categories: categories.sorted(),
    // The option that divides the most products comes first.
    options: [...options]
      .toSorted(([nameA, a], [nameB, b]) => b.products - a.products || naturally.compare(nameA, nameB))
      .map(([name, counted]) => ({ name, values: counted.sorted() })),
    priceMin: prices.reduce((least, price) => (price < least ? price : least), prices[0] ?? 0n),
    priceMax: prices.reduce((most, price) => (price > most ? price : most), 0n),
  };
}

const valuesOf = (product: CatalogProduct, name: string): readonly string[] =>
  product.options.find((option) => option.name === name)?.values ?? [];

class Counts {
  products = 0;
  private readonly byValue: Map<string, number>;

  constructor(chosen: Iterable<string>) {
    this.byValue = new Map([...chosen].map((value) => [value, 0]));
  }

  add(values: readonly string[]): void {
    this.products++;
    for (const value of values) this.byValue.set(value, (this.byValue.get(value) ?? 0) + 1);
  }

  sorted(): FacetCount[] {
    return [...this.byValue].map(([value, count]) => ({ value, count })).toSorted((a, b) => compareValues(a.value, b.value));
  }
}

/** Letter sizes sort from small to large, numbers by size, words by the alphabet. */
const letterSizes = ['XS', 'S', 'S/M', 'M', 'L', 'L/XL', 'XL'];
const naturally = new Intl.Collator('en', { numeric: true });

function compareValues(a: string, b: string): number {
  const [rankA, rankB] = [letterSizes.indexOf(a), letterSizes.indexOf(b)];
  if (rankA >= 0 && rankB >= 0) return rankA - rankB;
  if (rankA >= 0 || rankB >= 0) return rankA >= 0 ? -1 : 1;
  return naturally.compare(a, b);
}
