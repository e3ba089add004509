/** The products of the seed, without a database. */
import { seedProducts } from '../seed/products.seed.ts';
import type { CachedProduct } from '../products.ts';
import { buildSearch } from './search.ts';
import type { Arrangement, ProductCache } from './product-cache.ts';

const items: CachedProduct[] = seedProducts.map(({ price, options, image, addedOn, ...rest }, position) => ({
  product: {
    ...rest,
    price: BigInt(price),
    currency: 'EUR',
    options: Object.entries(options).map(([name, values]) => ({ name, values: [...values] })),
    image: `/images/${image}.svg`,
    stockHeardAtMs: 0n,
  },
  position,
  addedOn,
}));

export const seedShelf: Arrangement = { items, search: buildSearch(items.map(({ product }) => product)) };
export const fixedProductCache: ProductCache = { look: () => Promise.resolve(seedShelf) };
