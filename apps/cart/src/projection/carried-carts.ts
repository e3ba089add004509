/**
 * The carts that this member has just written, so that the next batch of their partition need not load them. Carrying is safe, because what
 * is carried is only used for a write that names the place at which it was written. The view refuses this write if anything has moved the
 * place: another projector, a rebuild, a mark of a dead letter, a wipe, a rollback, a switch of the space. Then the carried carts of the
 * partition are dropped, and the batch is projected from what the view holds.
 *
 * A write that leaves the place where it is would go unnoticed. There are two:
 * - A sweep marks carts as snapshotted. Nothing is carried while one of this member runs (`without`). One of another process may lose its
 *   mark to a carried cart: that costs a second snapshot, never a line.
 * - A restore brings carts back before a rebuild. It belongs to settling, which drops what is carried. After a restore of another process
 *   the rebuild moves the place, and brings the carts to every record from there on.
 *
 * A redrive writes nothing into the view: its records come through the log. Before a batch tells others anything (a guest's change, a
 * snapshot), the projector reads the place again (project-batch.ts). So a member that has lost its partition tells no more than it ever
 * did.
 */
import { LRUCache } from 'lru-cache';
import { samePlace, type Place } from './cart.view.ts';
import type { CartRecord } from '../model/codec.ts';

/** About 30 MB: a dot, a death or an origin takes some 150 bytes. Most of it is shared with the view's own cache of decoded carts. */
const entriesMax = 200_000;
/** A cart without entries. */
const entriesOfCart = 10;

const entriesOf = ({ state }: CartRecord): number =>
  entriesOfCart + state.dots.size + state.dead.size + state.doomed.size + state.origins.size + state.coupons.size + state.joined.size;

interface Stand {
  readonly place: Place;
  readonly carts: ReadonlyMap<string, CartRecord>;
}

/** Ends with the partition's place. So dropping a partition is one step, however many carts it has. */
interface Era {
  place: Place;
}

export class CarriedCarts {
  readonly #eras = new Map<number, Era>();
  readonly #carts = new LRUCache<string, { readonly era: Era; readonly cart: CartRecord }>({
    maxSize: entriesMax,
    sizeCalculation: ({ cart }) => entriesOf(cart),
  });
  readonly #closed = new Map<number, number>();

  /** The place that this member has left, and those of the carts that it still carries; undefined when it carries nothing. */
  of(partition: number, cartIds: readonly string[]): Stand | undefined {
    const era = this.#eras.get(partition);
    if (era === undefined) return undefined;
    const carts = new Map<string, CartRecord>();
    for (const cartId of cartIds) {
      const carried = this.#carts.get(cartId);
      if (carried?.era === era) carts.set(cartId, carried.cart);
    }
    return { place: era.place, carts };
  }

  /**
   * After a write that succeeded.
   * @param from the place on which the write was based. What was carried at another place is dropped.
   */
  keep(partition: number, from: Place, place: Place, carts: readonly CartRecord[]): void {
    if (this.#closed.has(partition)) return;
    const known = this.#eras.get(partition);
    const era: Era = known !== undefined && samePlace(known.place, from) ? known : { place };
    era.place = place;
    this.#eras.set(partition, era);
    for (const cart of carts) this.#carts.set(cart.state.cartId, { era, cart });
  }

  drop(partition: number): void {
    this.#eras.delete(partition);
  }

  /** Carries nothing of the partition during this work, which changes carts and leaves their place. */
  async without<T>(partition: number, work: () => Promise<T>): Promise<T> {
    this.#closed.set(partition, (this.#closed.get(partition) ?? 0) + 1);
    this.drop(partition);
    try {
      return await work();
    } finally {
      const others = this.#closed.get(partition)! - 1;
      if (others > 0) this.#closed.set(partition, others);
      else this.#closed.delete(partition);
    }
  }
}
