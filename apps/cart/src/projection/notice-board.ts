/** The listeners of this process, by cart. watch-cart.ts bounds how many there are. */
import type { CartNotice } from './cart.view.ts';

type Listener = (notice: CartNotice) => void;

export class NoticeBoard {
  readonly #listeners = new Map<number, Map<string, Set<Listener>>>();

  /** @returns the unsubscribe function */
  watch(partition: number, cartId: string, listener: Listener): () => void {
    const carts = this.#listeners.get(partition) ?? new Map<string, Set<Listener>>();
    this.#listeners.set(partition, carts);
    const listeners = carts.get(cartId) ?? new Set<Listener>();
    carts.set(cartId, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && carts.get(cartId) === listeners) carts.delete(cartId);
      if (carts.size === 0 && this.#listeners.get(partition) === carts) this.#listeners.delete(partition);
    };
  }

  watched(partition: number): boolean {
    return this.#listeners.has(partition);
  }

  partitions(): number[] {
    return [...this.#listeners.keys()];
  }

  post(partition: number, notice: CartNotice): void {
    // A listener may leave while it is called: iterating over a Set allows that.
    for (const listener of this.#listeners.get(partition)?.get(notice.cartId) ?? []) listener(notice);
  }

  /** Notices of these partitions may have been missed. */
  postAll(partitions: readonly number[]): void {
    for (const partition of partitions) {
      for (const cartId of this.#listeners.get(partition)?.keys() ?? []) this.post(partition, { cartId, watermark: undefined });
    }
  }
}
