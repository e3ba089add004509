/** Spans and the tracer that makes them: the seam between telemetry.ts and OpenTelemetry (telemetry.otlp.ts). */
import type { TraceContext } from './trace.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** Low cardinality: "POST /api/cart/lines", "publish cart.events". */
  readonly name: string;
  readonly kind: SpanKind;
  /** A traceparent. Undefined begins a trace. */
  readonly parent: string | undefined;
  /** Traceparents of further causes. With no parent, the trace is sampled where one of them is. */
  readonly links?: readonly string[];
  readonly attributes?: Attributes;
  /** Milliseconds since 1970; now by default. */
  readonly startedAtMs?: number;
}

export interface Span {
  /** The context to send on. */
  readonly trace: TraceContext;
  set(attributes: Attributes): void;
  /** Only the first call counts. @param failure a code of ours, or the name of an error; never a message, which may quote its input */
  end(failure?: string): void;
}

export interface Tracer {
  start(options: SpanOptions): Span;
  /** Sends the remaining spans, within a bound. */
  stop(): Promise<void>;
}
