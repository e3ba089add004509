/**
 * Measures how fresh this member's knowledge is. Leases depend on it (libs/identity, revocation feed), so it must never claim more than there is.
 *
 * kafkajs emits FETCH also for fetches that no broker answered (its recoverFromFetch swallows the error, a paused member just sleeps). So this file
 * takes the time when a Fetch request is passed to its socket, on our monotonic clock. It counts once the answer came: the REQUEST event with the
 * same correlation id. A broker's next fetch starts only after all batches of its last one were handled. So a batch in hand belongs to the last
 * answered fetch of SOME broker, and the oldest of these is the safe answer.
 *
 * A broker that died, or leads none of this member's partitions any more, gives no further answer. Its last one would grow old for ever, and no lease
 * would hold again. So a broker is forgotten when nothing is in hand and its last answer came `forgottenAfterMs` ago. Its batches are long handled
 * then: kafkajs hands a batch on in the turn in which the answer comes. If it answers again, it counts again before its batches come.
 */
import { apiKeys } from './event-log.kafka.client.ts';
import type { SentRequest } from './event-log.kafka.client.ts';

/** The number of unanswered requests that are remembered. A connection has one fetch in flight. */
const pendingFetchesMax = 64;
/** Ten idle fetches: a broker in use answers each within 500 ms. */
const forgottenAfterMs = 5_000;

export class Freshness {
  readonly #monotonicMs: () => number;
  readonly #pending = new Map<string, number>();
  /** The last answered fetch, by broker. */
  readonly #answered = new Map<string, { readonly startedMs: number; readonly answeredMs: number }>();
  readonly #nothingInHand: () => boolean;
  #heardMs: number | undefined;

  /** @param nothingInHand whether no batch is being handled */
  constructor(monotonicMs: () => number, nothingInHand: () => boolean) {
    this.#monotonicMs = monotonicMs;
    this.#nothingInHand = nothingInHand;
  }

  /** Start of the newest fetch that any broker answered. */
  get heardMs(): number | undefined {
    return this.#heardMs;
  }

  /** No later than the start of the fetch that brought a batch now in hand. 0, the earliest time, where nothing is known. */
  get batchFetchedMs(): number {
    return this.#answered.size === 0 ? 0 : Math.min(...[...this.#answered.values()].map(({ startedMs }) => startedMs));
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
    const answeredMs = this.#monotonicMs();
    this.#answered.set(broker, { startedMs, answeredMs });
    if (this.#nothingInHand()) this.#forget(answeredMs - forgottenAfterMs);
    this.#heardMs = Math.max(this.#heardMs ?? startedMs, startedMs);
  }

  #forget(beforeMs: number): void {
    for (const [broker, { answeredMs }] of this.#answered) if (answeredMs < beforeMs) this.#answered.delete(broker);
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
