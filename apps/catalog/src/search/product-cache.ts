/**
 * All products in memory, with the index over them. Searching, filtering, counting and sorting a few hundred products is faster here than any query
 * to the database.
 *
 * So lists may be a moment old, and stock a second at most. A product page, the prices of a cart and check-out ask the database (get-products.ts,
 * reserve-stock.ts). Every replica reads for itself, so it sees an order that another replica served just as soon.
 */
import { type Clock, type Logger, withoutExperiment } from '@cloakroom/platform';
import { buildSearch, type ProductSearch } from './search.ts';
import type { CachedProduct } from '../products.ts';

/** How old a list may be. Other replicas and people at the database change products. Five seconds do not disturb people who browse. */
const freshMs = 5_000;
/** How old the stock in a list may be. Orders change it all day. A few hundred pairs of id and number are read in less than a millisecond. */
const stockFreshMs = 1_000;

export interface Arrangement {
  /** Sorted as in the shop window. */
  readonly items: readonly CachedProduct[];
  readonly search: ProductSearch;
}

export interface ProductCache {
  /** @throws when the products were never read and cannot be read now; later an older arrangement is better than none */
  look(): Promise<Arrangement>;
}

export interface ProductSource {
  readonly all: () => Promise<CachedProduct[]>;
  /** Reads the stock by product id. */
  readonly stocks: () => Promise<ReadonlyMap<string, number>>;
}

export function openProductCache(source: ProductSource, { clock, log }: { readonly clock: Clock; readonly log: Logger }): ProductCache {
  let arranged: (Arrangement & { readonly text: string }) | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let stockTriedAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Arrangement> | undefined;

  const arrange = async (): Promise<Arrangement & { readonly text: string }> => {
    const items = await source.all();
    const text = JSON.stringify(items.map(({ product }) => ({ ...product, price: 0, stock: 0, stockHeardAtMs: 0 })));
    // Indexing costs more than all the rest, and depends on the words alone.
    const search = arranged?.text === text ? arranged.search : buildSearch(items.map(({ product }) => product));
    return { items, search, text };
  };

  const read = async (whole: boolean): Promise<Arrangement> => {
    try {
      arranged =
        whole || arranged === undefined ? await arrange() : { ...arranged, items: withStocks(arranged.items, await source.stocks()) };
    } catch (error) {
      if (arranged === undefined) throw error;
      log.warn({ err: error }, 'products could not be read again; the older ones are shown');
    } finally {
      reading = undefined;
    }
    // Set after a failure too. Otherwise each request would wait for the database.
    stockTriedAtMs = clock.monotonicMs();
    if (whole) triedAtMs = stockTriedAtMs;
    return arranged;
  };

  return {
    look: async () => {
      const nowMs = clock.monotonicMs();
      const whole = arranged === undefined || nowMs - triedAtMs >= freshMs;
      if (arranged !== undefined && !whole && nowMs - stockTriedAtMs < stockFreshMs) return arranged;
      // All requests that come meanwhile share one read, so it is of no experiment.
      reading ??= withoutExperiment(() => read(whole));
      return reading;
    },
  };
}

/** Items with unchanged stock stay the same objects. */
function withStocks(items: readonly CachedProduct[], stocks: ReadonlyMap<string, number>): readonly CachedProduct[] {
  return items.map((item) => {
    const stock = stocks.get(item.product.productId) ?? 0;
    return stock === item.product.stock ? item : { ...item, product: { ...item.product, stock } };
  });
}
