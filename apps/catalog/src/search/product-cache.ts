/**
 * All products in memory, with the index over them: a few hundred are searched, filtered, counted and sorted faster here than any database is
 * asked. What is shown in lists may so be a moment old, stock a second at most; a product page, the prices of a cart and check-out ask the
 * database (get-products.ts, reserve-stock.ts). Every replica reads for itself, so an order that another one served is seen as soon.
 */
import type { Clock, Logger } from '@cloakroom/platform';
import { buildSearch, type ProductSearch } from './search.ts';
import type { ShelfItem } from '../products.ts';

/** How old a list may be. Other replicas and people at the database change products; nobody who browses minds five seconds. */
const freshMs = 5_000;
/** How old the stock in it may be. Orders change it all day; a few hundred pairs of id and number are read in less than a millisecond. */
const stockFreshMs = 1_000;

export interface Arrangement {
  /** In the order of the shop window. */
  readonly items: readonly ShelfItem[];
  readonly search: ProductSearch;
}

export interface Shelf {
  /** @throws when the products were never read and cannot be read now; later an older arrangement is better than none */
  look(): Promise<Arrangement>;
}

export interface ShelfSource {
  readonly all: () => Promise<ShelfItem[]>;
  /** By product id. */
  readonly stocks: () => Promise<ReadonlyMap<string, number>>;
}

export function openShelf(source: ShelfSource, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Shelf {
  let arranged: (Arrangement & { readonly text: string }) | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let stockTriedAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Arrangement> | undefined;

  const arrange = async (): Promise<Arrangement & { readonly text: string }> => {
    const items = await source.all();
    const text = JSON.stringify(items.map(({ product }) => ({ ...product, price: 0, stock: 0 })));
    // Indexing costs more than all the rest and is of words alone.
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
    // Also after a failure: each request would wait for the database otherwise.
    stockTriedAtMs = clock.monotonicMs();
    if (whole) triedAtMs = stockTriedAtMs;
    return arranged;
  };

  return {
    look: async () => {
      const nowMs = clock.monotonicMs();
      const whole = arranged === undefined || nowMs - triedAtMs >= freshMs;
      if (arranged !== undefined && !whole && nowMs - stockTriedAtMs < stockFreshMs) return arranged;
      // One reading for all who ask meanwhile.
      reading ??= read(whole);
      return reading;
    },
  };
}

/** What did not change stays the same object. */
function withStocks(items: readonly ShelfItem[], stocks: ReadonlyMap<string, number>): readonly ShelfItem[] {
  return items.map((item) => {
    const stock = stocks.get(item.product.productId) ?? 0;
    return stock === item.product.stock ? item : { ...item, product: { ...item.product, stock } };
  });
}
