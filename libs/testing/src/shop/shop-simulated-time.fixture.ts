/** The clock of a simulated shop and of its shoppers. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ShopTime } from './shop-transport.ts';

/** Simulated time jumps to the next waiter when no other work is left. */
export class SimulatedTime implements ShopTime {
  #now = 1_000_000;
  readonly #waiting: { readonly atMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }
  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#waiting.push({ atMs: this.#now + ms, wake }));
  }
  /** Runs time until `done` is settled. */
  async run<T>(done: Promise<T>): Promise<T> {
    let over = false;
    const ended = done.finally(() => (over = true));
    ended.catch(() => undefined);
    for (;;) {
      await turn();
      if (over) return ended;
      const next = this.#waiting.reduce((first, one, at, all) => (one.atMs < all[first]!.atMs ? at : first), 0);
      const [woken] = this.#waiting.splice(next, 1);
      if (woken === undefined) continue;
      this.#now = Math.max(this.#now, woken.atMs);
      woken.wake();
    }
  }
}
