/** What every request is given as soon as its headers are read, before anything can fail: a trace, a place for timings, a signal. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { continueTrace, type TraceContext } from '@cloakroom/platform';
import { Timings } from './timings.ts';

export interface Begun {
  readonly trace: TraceContext;
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

export function begin(request: FastifyRequest, reply: FastifyReply, randomBytes: (length: number) => Uint8Array, nowMs: number): Begun {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new DOMException('the browser has gone', 'AbortError'));
  });
  const traceparent = request.headers['traceparent'];
  const trace = continueTrace(typeof traceparent === 'string' ? traceparent : undefined, randomBytes);
  return { trace, timings: new Timings(), startedMs: nowMs, signal: gone.signal };
}
