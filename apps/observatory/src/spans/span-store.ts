/**
 * The spans of the last while, in memory and nowhere else. When a bound is reached, the trace that came first goes first, whole: half a request
 * would tell a wrong story. Spans of one trace come from several processes, each a second late at most, and in any order.
 */
import type { KeptView } from '../api.ts';
import type { SpanContext, StoredSpan } from '../span.ts';

/** About 10 MB of spans, as `bytesOf` estimates them. The process must stay below 130 MB in all (decision 0031). */
const keptBytesMax = 10 * 1024 * 1024;
/** A trace beyond this is a flood or a loop. A sign-in with two logs and a page has about 80. */
const traceSpanCountMax = 1_000;
/** A trace of large spans must not push out all others. The last one is never forgotten, so it needs a bound of its own. */
const traceBytesMax = keptBytesMax / 4;
/** Memory of a span's object beside its texts. */
const spanBytes = 600;
const attributeBytes = 48;
/** A character takes two bytes in a text that is not all Latin-1. */
const characterBytes = 2;

interface Trace {
  readonly spans: Map<string, StoredSpan>;
  bytes: number;
  lastSpanAtMs: number;
}

export interface StoreBounds {
  readonly bytes: number;
  readonly bytesOfTrace: number;
  readonly spansOfTrace: number;
}

const usualBounds: StoreBounds = { bytes: keptBytesMax, bytesOfTrace: traceBytesMax, spansOfTrace: traceSpanCountMax };

export class SpanStore implements SpanContext {
  /** By trace id, the first to come first. */
  readonly #traces = new Map<string, Trace>();
  /** Trace id -> traces with a span that links to it. */
  readonly #linkedBy = new Map<string, Set<string>>();
  readonly #bounds: StoreBounds;
  readonly #nowMs: () => number;
  readonly #listeners = new Set<(spans: readonly StoredSpan[]) => void>();
  #bytes = 0;
  #spanCount = 0;
  #forgottenTraces = 0;
  #leftOutSpans = 0;

  constructor(nowMs: () => number, bounds = usualBounds) {
    this.#nowMs = nowMs;
    this.#bounds = bounds;
  }

  get kept(): Omit<KeptView, 'refusedExports'> {
    return {
      traces: this.#traces.size,
      spans: this.#spanCount,
      bytes: this.#bytes,
      bytesMax: this.#bounds.bytes,
      forgottenTraces: this.#forgottenTraces,
      leftOutSpans: this.#leftOutSpans,
    };
  }

  add(spans: readonly StoredSpan[]): void {
    const nowMs = this.#nowMs();
    for (const span of spans) this.#addOne(span, nowMs);
    while (this.#bytes > this.#bounds.bytes && this.#traces.size > 1) this.#forgetOldest();
    for (const listener of this.#listeners) listener(spans);
  }

  /** @param listener hears the spans of each export after they are kept. @returns ends it */
  onSpans(listener: (spans: readonly StoredSpan[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  has(traceId: string): boolean {
    return this.#traces.has(traceId);
  }

  spansOf(traceId: string): readonly StoredSpan[] {
    return [...(this.#traces.get(traceId)?.spans.values() ?? [])];
  }

  tracesThatLinkTo(traceId: string): readonly string[] {
    return [...(this.#linkedBy.get(traceId) ?? [])].filter((id) => this.#traces.has(id));
  }

  /** The newest first. */
  traceIds(): readonly string[] {
    return [...this.#traces.keys()].toReversed();
  }

  /** Spans of the traces that got one since `sinceMs` on this process' clock. */
  recent(sinceMs: number): readonly StoredSpan[] {
    return [...this.#traces.values()].flatMap((trace) => (trace.lastSpanAtMs >= sinceMs ? [...trace.spans.values()] : []));
  }

  #addOne(span: StoredSpan, nowMs: number): void {
    let trace = this.#traces.get(span.traceId);
    if (trace === undefined) {
      trace = { spans: new Map(), bytes: 0, lastSpanAtMs: nowMs };
      this.#traces.set(span.traceId, trace);
    }
    trace.lastSpanAtMs = nowMs;
    // An export that is repeated brings the same span again.
    if (trace.spans.has(span.spanId)) return;
    const bytes = bytesOf(span);
    if (trace.spans.size >= this.#bounds.spansOfTrace || trace.bytes + bytes > this.#bounds.bytesOfTrace) {
      this.#leftOutSpans++;
      return;
    }
    trace.spans.set(span.spanId, span);
    trace.bytes += bytes;
    this.#bytes += bytes;
    this.#spanCount++;
    for (const link of span.links) this.#link(link.traceId, span.traceId);
  }

  #link(to: string, from: string): void {
    if (to === from) return;
    const linked = this.#linkedBy.get(to) ?? new Set();
    this.#linkedBy.set(to, linked.add(from));
  }

  #forgetOldest(): void {
    const [oldest] = this.#traces;
    if (oldest === undefined) return;
    const [traceId, trace] = oldest;
    this.#traces.delete(traceId);
    this.#forgottenTraces++;
    this.#bytes -= trace.bytes;
    this.#spanCount -= trace.spans.size;
    for (const { links } of trace.spans.values()) {
      for (const link of links) {
        const linked = this.#linkedBy.get(link.traceId);
        if (linked?.delete(traceId) === true && linked.size === 0) this.#linkedBy.delete(link.traceId);
      }
    }
  }
}

/** Estimates the memory of a span, rather too high. */
function bytesOf({ name, service, attributes, links }: StoredSpan): number {
  let bytes = spanBytes + links.length * 150;
  let characters = name.length + service.length;
  for (const key in attributes) {
    const value = attributes[key];
    bytes += attributeBytes;
    characters += key.length + (typeof value === 'string' ? value.length : 0);
  }
  return bytes + characters * characterBytes;
}
