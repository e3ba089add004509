/** Gives every request a trace, a place for timings and a signal, as soon as its headers are read and before anything can fail. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { continueTrace, enterTrace, type RandomBytes, type Span, type TraceContext, tracing } from '@cloakroom/platform';
import { Timings } from './timings.ts';

export interface Begun {
  readonly trace: TraceContext;
  /** Ends with the answer. The span of a live stream ends when the stream begins. */
  readonly span: Span | undefined;
  readonly timings: Timings;
  readonly startedMs: number;
  /** Aborts when the browser has gone before its request was answered. */
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
  // Where there is no span, its name need not be worked out.
  if (!tracing() || probes.has(request.routeOptions.url ?? '')) return { trace: continueTrace(traceparent, randomBytes), span: undefined };
  return enterTrace(spanOf(request), traceparent, randomBytes);
}

/** Machines ask these every few seconds: their spans would bury those of people. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Only an answer of 500 and above has failed. A browser's mistake is its own failure (OpenTelemetry's rule for servers). */
export function endSpan(span: Span | undefined, reply: FastifyReply): void {
  span?.set({ 'http.response.status_code': reply.statusCode });
  span?.end(reply.statusCode >= 500 ? String(reply.statusCode) : undefined);
}

/** Names the span by the route's pattern, never by the address, which may hold ids and searches. */
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
