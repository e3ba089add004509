/**
 * Asks the log of carts where it ends. A replica's own fetches tell only of the partitions that it holds. When the owner of another
 * partition hangs, that part of the view stands still, while this replica still hears its broker. So a read compares the view with where
 * the log ended a second ago. A healthy owner has long passed that offset.
 */
import type { TopicSpec } from '@cloakroom/contracts';
import type { CartParts } from '../cart.dependencies.ts';

/**
 * One small request covers all partitions of a log. Together with `graceMs` this bounds how long a hanging owner goes unnoticed: about two seconds.
 */
const askIntervalMs = 1_000;
/** A healthy owner needs 2 to 10 ms. A busy owner must not make every cart stale. */
const graceMs = 1_000;
/** Two are enough usually. While a request takes longer than its interval, older answers stay in use. */
const keptMax = 4;

interface Ends {
  readonly askedMs: number;
  readonly atMs: number;
  /** By region, this one included, and by partition. */
  readonly next: ReadonlyMap<string, ReadonlyMap<number, bigint>>;
}

type EndsParts = Pick<CartParts, 'eventLog' | 'topics' | 'clock' | 'log' | 'region'>;

export class LogEnds {
  readonly #parts: EndsParts;
  #kept: readonly Ends[] = [];
  #asking: Promise<Ends> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: EndsParts) {
    this.#parts = parts;
  }

  /** When the log was asked that answered last; undefined before its first answer. */
  heardMs(): number | undefined {
    return this.#kept.at(-1)?.askedMs;
  }

  start(): void {
    // A failure needs no report: a log that does not answer is silent, and reads call the cart stale for that.
    const ask = () => void this.#keep().catch(() => undefined);
    this.#timer = setInterval(ask, askIntervalMs).unref();
    ask();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * The newest end of this partition that the log had at least `graceMs` ago; undefined where none is known.
   * @param region for the copy of another region's log, whose offsets are its own
   */
  standing(partition: number, region = this.#parts.region): bigint | undefined {
    const beforeMs = this.#parts.clock.monotonicMs() - graceMs;
    return this.#kept
      .findLast(({ atMs }) => atMs <= beforeMs)
      ?.next.get(region)
      ?.get(partition);
  }

  /** @returns where the partition of this region's own log ends at this moment; undefined when it does not answer within `budgetMs` */
  async now(partition: number, budgetMs: number): Promise<bigint | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), budgetMs)));
    // A new request: the log may have answered one that is under way before this moment.
    const asked = this.#nextOf(this.#parts.topics.events).then(
      (next) => next.get(partition),
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
    const { clock, region, topics } = this.#parts;
    const askedMs = clock.monotonicMs();
    const next = new Map(this.#kept.at(-1)?.next);
    const copies = (topics.mirrors ?? []).map(async (copy) => {
      // A copy that does not answer ends where it ended before. The own carts need no more.
      const of = await this.#nextOf(copy.events).catch(() => undefined);
      if (of !== undefined) next.set(copy.region, of);
    });
    next.set(region, await this.#nextOf(topics.events));
    await Promise.all(copies);
    return { askedMs, atMs: clock.monotonicMs(), next };
  }

  async #nextOf(events: TopicSpec): Promise<Map<number, bigint>> {
    const bounds = await this.#parts.eventLog.bounds(events);
    return new Map([...bounds].map(([partition, of]) => [partition, of.next]));
  }
}
