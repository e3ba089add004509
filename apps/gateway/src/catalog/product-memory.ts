/**
 * Names and prices for cart views, remembered for a short time. They are public data, so one memory serves everyone. It is keyed by product
 * alone, and no person's request can change what another sees. While the catalog is away an older memory is better than no cart.
 */
import { isProblem, type Problem, type Product, productIdCountMax } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import { LRUCache } from 'lru-cache';

/** How long a changed price may still be shown; check-out asks the catalog. */
const freshMs = 30_000;
/** How long a product may stand in while the catalog is away. */
const standInMs = 10 * 60_000;
/** About 1 kB each; the catalog has far fewer. */
const productCountMax = 5_000;

export type AskCatalog = (productIds: string[]) => Promise<{ readonly items: readonly Product[] } | Problem>;

interface Remembered {
  /** Undefined: the catalog does not know it. */
  readonly product: Product | undefined;
  readonly atMs: number;
}

export class ProductMemory {
  private readonly remembered = new LRUCache<string, Remembered>({ max: productCountMax });
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @returns what is known of each id; an id that is not in the map does not exist (any more) */
  async products(ids: Iterable<string>, ask: AskCatalog): Promise<Map<string, Product> | Problem> {
    const wanted = [...new Set(ids)];
    const missing = wanted.filter((id) => this.known(id, freshMs) === undefined);
    for (let i = 0; i < missing.length; i += productIdCountMax) {
      const asked = missing.slice(i, i + productIdCountMax);
      const answer = await ask(asked);
      if (isProblem(answer)) {
        if (asked.every((id) => this.known(id, standInMs) !== undefined)) continue;
        return answer;
      }
      this.remember(asked, answer.items);
    }
    return new Map(
      wanted.flatMap((id) => {
        const product = this.known(id, standInMs)?.product;
        return product === undefined ? [] : [[id, product] as const];
      }),
    );
  }

  private known(id: string, ageMaxMs: number): Remembered | undefined {
    const found = this.remembered.get(id);
    return found !== undefined && this.clock.monotonicMs() - found.atMs < ageMaxMs ? found : undefined;
  }

  private remember(asked: readonly string[], items: readonly Product[]): void {
    const atMs = this.clock.monotonicMs();
    const byId = new Map(items.map((product) => [product.productId, product]));
    for (const id of asked) this.remembered.set(id, { product: byId.get(id), atMs });
  }
}
