/**
 * The summaries of the kept requests. A trace is summarised again once spans have come, and then after a pause, since spans come in bursts. While nobody
 * watches, a summary is made only when the list is asked for.
 */
import type { RequestSummary } from '../api.ts';
import type { StoredSpan } from '../span.ts';
import { summarise } from '../request/request-view.ts';
import type { SpanStore } from './span-store.ts';

/** Spans of one request come from several processes. So long after the first, most of one burst have come. */
const settleMs = 150;
/** The most requests in one answer. */
const listCountMax = 200;
/** Changed traces that are noted beyond those that the store keeps. */
const goneCountMax = 1_000;

export interface RequestFilter {
  /** The experiment id of the trainee whose requests are asked for; everybody's without it. */
  readonly mine?: string | undefined;
}

export class RecentRequests {
  readonly #store: SpanStore;
  readonly #summaries = new Map<string, RequestSummary>();
  readonly #changed = new Set<string>();
  readonly #listeners = new Set<(summary: RequestSummary) => void>();
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: SpanStore) {
    this.#store = store;
    this.#forget = store.onSpans((spans) => this.#note(spans));
  }

  /** The newest first. */
  list({ mine }: RequestFilter): readonly RequestSummary[] {
    this.#refresh();
    const wanted = [...this.#summaries.values()].filter(({ experiment }) => mine === undefined || experiment === mine);
    return wanted.toSorted((a, b) => b.startedAtMs - a.startedAtMs).slice(0, listCountMax);
  }

  onRequest(listener: (summary: RequestSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  #note(spans: readonly StoredSpan[]): void {
    for (const { traceId } of spans) this.#changed.add(traceId);
    if (this.#listeners.size === 0) return this.#dropGone();
    this.#timer ??= setTimeout(() => this.#refresh(), settleMs);
  }

  #dropGone(): void {
    if (this.#changed.size <= this.#store.kept.traces + goneCountMax) return;
    for (const traceId of this.#changed) if (!this.#store.has(traceId)) this.#changed.delete(traceId);
  }

  #refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const traceId of this.#summaries.keys()) if (!this.#store.has(traceId)) this.#summaries.delete(traceId);
    for (const traceId of this.#changed) {
      const summary = this.#store.has(traceId) ? summarise(this.#store.spansOf(traceId)) : undefined;
      if (summary === undefined) continue;
      this.#summaries.set(traceId, summary);
      for (const listener of this.#listeners) listener(summary);
    }
    this.#changed.clear();
  }
}
