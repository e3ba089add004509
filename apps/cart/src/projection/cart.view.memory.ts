/**
 * The view in this process's memory, for embedded and for tests. It holds bytes, as Redis does, so that no caller shares an object with it.
 */
import { decodeCart, encodeCart } from '../model/codec.ts';
import type { CartRecord } from '../model/codec.ts';
import { samePlace, type CartNotice, type CartView, type Change, type Place } from './cart.view.ts';
import { NoticeBoard } from './notice-board.ts';

interface Partition {
  place: Place | undefined;
  readonly carts: Map<string, Buffer>;
  readonly due: Map<string, number>;
}

export class MemoryCartView implements CartView {
  readonly #partitions = new Map<number, Partition>();
  readonly #board = new NoticeBoard();
  readonly #returnListeners: (() => void)[] = [];

  load(partition: number, cartIds: readonly string[]): Promise<{ place: Place | undefined; carts: Map<string, CartRecord> }> {
    const { place, carts } = this.#of(partition);
    const found = cartIds.flatMap((cartId) => {
      const bytes = carts.get(cartId);
      return bytes === undefined ? [] : [[cartId, decodeCart(bytes)] as const];
    });
    return Promise.resolve({ place, carts: new Map(found) });
  }

  places(partitions: readonly number[]): Promise<Map<number, Place>> {
    const places = partitions.flatMap((partition) => {
      const { place } = this.#of(partition);
      return place === undefined ? [] : [[partition, place] as const];
    });
    return Promise.resolve(new Map(places));
  }

  apply(partition: number, { expected, place, carts, traces }: Change): Promise<boolean> {
    const of = this.#of(partition);
    if (!samePlace(of.place, expected)) return Promise.resolve(false);
    for (const cart of carts) {
      const { cartId } = cart.state;
      of.carts.set(cartId, encodeCart(cart));
      if (cart.oldestUnsnapshottedAtMs > 0) of.due.set(cartId, cart.oldestUnsnapshottedAtMs);
      else of.due.delete(cartId);
    }
    if (place === undefined) return Promise.resolve(true);
    of.place = place;
    for (const { state } of carts) {
      const { cartId } = state;
      this.#board.post(partition, { cartId, watermark: place.next, traceparent: traces?.get(cartId) });
    }
    return Promise.resolve(true);
  }

  due(partition: number, beforeMs: number, countMax: number): Promise<string[]> {
    const due = [...this.#of(partition).due].filter(([, atMs]) => atMs < beforeMs);
    due.sort(([, a], [, b]) => a - b);
    return Promise.resolve(due.slice(0, countMax).map(([cartId]) => cartId));
  }

  reset(partition: number): Promise<void> {
    this.#partitions.delete(partition);
    return Promise.resolve();
  }

  watch(partition: number, cartId: string, listener: (notice: CartNotice) => void): () => void {
    return this.#board.watch(partition, cartId, listener);
  }

  onReturn(listener: () => void): void {
    this.#returnListeners.push(listener);
  }

  status(): Promise<{ ok: boolean; kind: 'memory' }> {
    return Promise.resolve({ ok: true, kind: 'memory' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** For tests and labs: empties the view, as FLUSHALL empties Redis. */
  wipe(): void {
    this.#partitions.clear();
  }

  /** For tests: behaves as after a reconnect. */
  announceReturn(): void {
    for (const listener of this.#returnListeners) listener();
  }

  #of(partition: number): Partition {
    const known = this.#partitions.get(partition) ?? { place: undefined, carts: new Map(), due: new Map() };
    this.#partitions.set(partition, known);
    return known;
  }
}
