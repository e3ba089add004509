/** What every request is given as soon as its headers are read, before anything can fail: a trace, a place for timings, a signal. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { continueTrace, enterTrace, type RandomBytes, type Span, type TraceContext, tracing } from '@cloakroom/platform';
import { Timings } from './timings.ts';

export interface Begun {
  readonly trace: TraceContext;
  /** Ended with the answer; of a live stream, when it begins. */
  readonly span: Span | undefined;
  readonly timings: Timings;
  readonly startedMs: number;
  /** Aborts when the browser has gone before it was answered. */
  readonly signal: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    begun: Begun | undefined;
  }
}

export function begin(request: FastifyRequest, reply: FastifyReply, randomBytes: RandomBytes, nowMs: number): Begun {
  const gone = new AbortController();
  const traceparent = request.headers['traceparent'];
  const { trace, span } = traceOf(request, typeof traceparent === 'string' ? traceparent : undefined, randomBytes);
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new DOMException('the browser has gone', 'AbortError'));
    endSpan(span, reply);
  });
  return { trace, span, timings: new Timings(), startedMs: nowMs, signal: gone.signal };
}

function traceOf(request: FastifyRequest, traceparent: string | undefined, randomBytes: RandomBytes): Pick<Begun, 'trace' | 'span'> {
  // What a span is called is worth working out only where there is one.
  if (!tracing() || probes.has(request.routeOptions.url ?? '')) return { trace: continueTrace(traceparent, randomBytes), span: undefined };
  return enterTrace(spanOf(request), traceparent, randomBytes);
}

/** Asked every few seconds by machines: their spans would bury those of people. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** An answer of 500 and above is the only one that failed: what a browser did wrong is its own failure (OpenTelemetry's rule for servers). */
export function endSpan(span: Span | undefined, reply: FastifyReply): void {
  span?.set({ 'http.response.status_code': reply.statusCode });
  span?.end(reply.statusCode >= 500 ? String(reply.statusCode) : undefined);
}

/** By the route's pattern, never by the address, which may hold ids and searches. */
function spanOf({ method: sent, routeOptions }: FastifyRequest) {
  const method = methods.has(sent) ? sent : '_OTHER';
  const route = routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}');
  return {
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    attributes: { 'http.request.method': method, ...(route !== undefined && { 'http.route': route }) },
  } as const;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
