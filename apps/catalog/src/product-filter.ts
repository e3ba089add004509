/** What a person narrows a list down by, and what there would be if they chose otherwise. */
import type { CatalogProduct, ShelfItem } from './products.ts';

export interface ProductFilter {
  /** Empty: all. */
  readonly category: string;
  /** For each name one of the values. */
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

export function matches({ product }: ShelfItem, filter: ProductFilter): boolean {
  if (filter.category !== '' && product.category !== filter.category) return false;
  if (product.price < filter.priceMin) return false;
  if (filter.priceMax !== 0n && product.price > filter.priceMax) return false;
  if (filter.inStock && product.stock === 0) return false;
  return [...filter.choices].every(([name, values]) => valuesOf(product, name).some((value) => values.has(value)));
}

/** Each facet is counted as if nothing were chosen in it: one sees what else there is. What is chosen is named even where it has become 0. */
export function facetsOf(found: readonly ShelfItem[], filter: ProductFilter): ProductFacets {
  const without = (change: Partial<ProductFilter>) =>
    found.filter((item) => matches(item, { ...filter, ...change })).map(({ product }) => product);
  const categories = without({ category: '' }).map(({ category }) => category);
  const prices = without({ priceMin: 0n, priceMax: 0n }).map(({ price }) => price);
  const names = new Set([...found.flatMap(({ product }) => product.options.map(({ name }) => name)), ...filter.choices.keys()]);
  const options = [...names].flatMap((name) => {
    const chosen = filter.choices.get(name) ?? new Set<string>();
    const others = new Map([...filter.choices].filter(([other]) => other !== name));
    const products = without({ choices: others });
    const values = counted(
      products.flatMap((product) => valuesOf(product, name)),
      chosen,
    );
    const productCount = products.filter((product) => valuesOf(product, name).length > 0).length;
    return values.length === 0 ? [] : [{ name, values, productCount }];
  });
  return {
    categories: counted(categories, filter.category === '' ? [] : [filter.category]),
    // What divides the most products comes first.
    options: options
      .toSorted((a, b) => b.productCount - a.productCount || naturally.compare(a.name, b.name))
      .map(({ name, values }) => ({ name, values })),
    priceMin: prices.reduce((least, price) => (price < least ? price : least), prices[0] ?? 0n),
    priceMax: prices.reduce((most, price) => (price > most ? price : most), 0n),
  };
}

const valuesOf = (product: CatalogProduct, name: string): readonly string[] =>
  product.options.find((option) => option.name === name)?.values ?? [];

function counted(values: readonly string[], chosen: Iterable<string>): FacetCount[] {
  const counts = new Map<string, number>([...chosen].map((value) => [value, 0]));
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count })).toSorted((a, b) => compareValues(a.value, b.value));
}

/** Sizes in letters as they follow one another, numbers by size, words by the alphabet. */
const letterSizes = ['XS', 'S', 'S/M', 'M', 'L', 'L/XL', 'XL'];
const naturally = new Intl.Collator('en', { numeric: true });

function compareValues(a: string, b: string): number {
  const [rankA, rankB] = [letterSizes.indexOf(a), letterSizes.indexOf(b)];
  if (rankA >= 0 && rankB >= 0) return rankA - rankB;
  if (rankA >= 0 || rankB >= 0) return rankA >= 0 ? -1 : 1;
  return naturally.compare(a, b);
}
