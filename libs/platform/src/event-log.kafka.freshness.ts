/**
 * How fresh is what this member heard? Leases hang on it (libs/platform, revocation feed), so it must never claim more than there is.
 *
 * kafkajs emits FETCH also for fetches that no broker answered (its recoverFromFetch swallows the error, a paused member just sleeps). So the
 * time is taken when a Fetch request is handed to its socket, on our monotonic clock, and counts once its answer came: the REQUEST event with
 * the same correlation id. A broker's next fetch starts only after all batches of its last one were handled, so a batch in hand belongs to the
 * last answered fetch of SOME broker: the oldest of these is the safe answer.
 */
import { apiKeys } from './event-log.kafka.client.ts';
import type { SentRequest } from './event-log.kafka.client.ts';

/** Requests without an answer that are remembered; a connection has one fetch in flight. */
const pendingFetchesMax = 64;

export class Freshness {
  readonly #monotonicMs: () => number;
  readonly #pending = new Map<string, number>();
  /** Start of the last answered fetch, by broker. */
  readonly #answered = new Map<string, number>();
  #heardMs: number | undefined;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Start of the newest fetch that any broker answered. */
  get heardMs(): number | undefined {
    return this.#heardMs;
  }

  /** No later than the start of the fetch that a batch now in hand came with. 0, as long ago as can be, where nothing is known. */
  get batchFetchedMs(): number {
    return this.#answered.size === 0 ? 0 : Math.min(...this.#answered.values());
  }

  sent({ broker, apiKey, correlationId }: SentRequest): void {
    if (apiKey !== apiKeys.fetch) return;
    this.#pending.set(`${broker}#${correlationId}`, this.#monotonicMs());
    const oldest = this.#pending.keys().next().value;
    if (this.#pending.size > pendingFetchesMax && oldest !== undefined) this.#pending.delete(oldest);
  }

  answered({ broker, apiKey, correlationId }: SentRequest): void {
    const id = `${broker}#${correlationId}`;
    const startedMs = this.#pending.get(id);
    if (apiKey !== apiKeys.fetch || startedMs === undefined) return;
    this.#pending.delete(id);
    this.#answered.set(broker, startedMs);
    this.#heardMs = Math.max(this.#heardMs ?? startedMs, startedMs);
  }

  /** A new client counts its correlation ids anew. */
  newClient(): void {
    this.#pending.clear();
  }

  /** A new assignment: brokers that this member no longer reads from would hold the minimum back for ever. */
  newAssignment(): void {
    this.#answered.clear();
  }
}
