/** A span as the Observatory keeps it: what the receiver reads out of OTLP, and what `request/` turns into requests. */

export interface StoredSpan {
  /** 32 and 16 hexadecimal digits, lower case. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** The code or the name of the failure; undefined where the span ended well. */
  readonly failure: string | undefined;
  /** `service.name`: auth, cart, gateway ... and cloakroom for all of them in embedded, where `observatory.app` tells them apart. */
  readonly service: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Further causes: a batch links to the publishes that made its records. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** Finds the spans of other traces that a request's view needs: batches that served it, and requests of pages that saw its outcome. */
export interface SpanContext {
  spansOf(traceId: string): readonly StoredSpan[];
  /** Traces with a span that links to this one. */
  tracesThatLinkTo(traceId: string): readonly string[];
}
