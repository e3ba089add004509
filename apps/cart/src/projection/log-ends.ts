/**
 * Where the log of carts ends, asked of the log itself. A replica's own fetches tell only of the partitions that it holds: when the owner of
 * another partition hangs, that view stands still while this replica hears its broker as ever. So a read compares the view with an end that
 * the log had a second ago: one that a healthy owner has long passed.
 */
import type { CartParts } from '../cart.dependencies.ts';

/** One small question for all partitions. With `graceMs` it bounds how long a hanging owner goes unnoticed: about two seconds. */
const askIntervalMs = 1_000;
/** A healthy owner needs 2 to 10 ms; a busy one must not have every cart called stale. */
const graceMs = 1_000;
/** Two would do; a question that takes longer than its interval leaves the older one in use. */
const keptMax = 4;

interface Ends {
  readonly atMs: number;
  readonly next: ReadonlyMap<number, bigint>;
}

export class LogEnds {
  readonly #parts: Pick<CartParts, 'eventLog' | 'topics' | 'clock' | 'log'>;
  #kept: readonly Ends[] = [];
  #asking: Promise<Ends> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Pick<CartParts, 'eventLog' | 'topics' | 'clock' | 'log'>) {
    this.#parts = parts;
  }

  start(): void {
    // A log that does not answer is silent, and reads say so by that.
    this.#timer = setInterval(() => void this.#keep().catch(() => undefined), askIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The newest end of this partition that the log had at least `graceMs` ago; undefined where none is known. */
  standing(partition: number): bigint | undefined {
    const beforeMs = this.#parts.clock.monotonicMs() - graceMs;
    return this.#kept.findLast(({ atMs }) => atMs <= beforeMs)?.next.get(partition);
  }

  /** Where the partition ends at this moment. @returns undefined when the log does not say so within `budgetMs` */
  async now(partition: number, budgetMs: number): Promise<bigint | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), budgetMs)));
    // A question of its own: one that is under way may have been answered before this moment.
    const asked = this.#ask().then(
      ({ next }) => next.get(partition),
      () => undefined,
    );
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  async #keep(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    const ends = await this.#asking;
    if (this.#kept.at(-1) !== ends) this.#kept = [...this.#kept, ends].slice(-keptMax);
  }

  async #ask(): Promise<Ends> {
    const bounds = await this.#parts.eventLog.bounds(this.#parts.topics.events);
    const next = new Map([...bounds].map(([partition, of]) => [partition, of.next]));
    return { atMs: this.#parts.clock.monotonicMs(), next };
  }
}
