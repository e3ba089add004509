/**
 * All products in memory, with the index over them: a few hundred are searched, filtered, counted and sorted faster here than any database is
 * asked. What is shown in lists may so be a moment old; a product page and the prices of a cart ask the database (get-products.ts).
 */
import type { Clock, Logger } from '@cloakroom/platform';
import { buildSearch, type ProductSearch } from './search.ts';
import type { ShelfItem } from './products.ts';

/** How old a list may be. Other replicas and people at the database change products; nobody who browses minds five seconds. */
const freshMs = 5_000;

export interface Arrangement {
  /** In the order of the shop window. */
  readonly items: readonly ShelfItem[];
  readonly search: ProductSearch;
}

export interface Shelf {
  /** @throws when the products were never read and cannot be read now; later an older arrangement is better than none */
  look(): Promise<Arrangement>;
}

export function openShelf(readAll: () => Promise<ShelfItem[]>, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Shelf {
  let arranged: (Arrangement & { readonly text: string }) | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Arrangement> | undefined;

  const arrange = async (): Promise<Arrangement> => {
    try {
      const items = await readAll();
      const text = JSON.stringify(items.map(({ product }) => ({ ...product, price: 0, stock: 0 })));
      // Indexing costs more than all the rest and is of words alone.
      const search = arranged?.text === text ? arranged.search : buildSearch(items.map(({ product }) => product));
      arranged = { items, search, text };
    } catch (error) {
      if (arranged === undefined) throw error;
      log.warn({ err: error }, 'products could not be read again; the older ones are shown');
    } finally {
      reading = undefined;
    }
    // Also after a failure: each request would wait for the database otherwise.
    triedAtMs = clock.monotonicMs();
    return arranged;
  };

  return {
    look: async () => {
      if (arranged !== undefined && clock.monotonicMs() - triedAtMs < freshMs) return arranged;
      // One reading for all who ask meanwhile.
      reading ??= arrange();
      return reading;
    },
  };
}
