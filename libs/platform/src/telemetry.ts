/**
 * Traces, as the rest of the platform sees them. Code begins a span by hand at a seam of ours, and the next hop receives its context. Without a span
 * the next hop receives the W3C context of trace.ts. `enterTrace` is the one place that decides between the two.
 *
 * Off (the default) nothing of OpenTelemetry is loaded, and every function here is one comparison. On, telemetry.otlp.ts is imported. A span may hold
 * names from the contract, routes, topics, codes and counts. It never holds an address with ids, a key of a record or a query.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from './log.ts';
import { continueTrace, type RandomBytes, type TraceContext } from './trace.ts';
import type { Attributes, Span, SpanOptions, Tracer } from './tracer.ts';

/** The standard variables of OpenTelemetry, as config.ts reads them. */
export interface TelemetryConfig {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_TRACES_SAMPLER_ARG?: number | undefined;
}

/** One tracer a process, since the process has one way out. In embedded mode all services share it. */
let tracer: Tracer | undefined;

/** Gives the process its tracer, or takes it away. For `startTelemetry`, tests and the benchmark. */
export function installTracer(given: Tracer | undefined): void {
  tracer = given;
}

/** Loads OpenTelemetry: only where telemetry is on, and in tests. */
export const loadOtlp = () => import('./telemetry.otlp.ts');

/**
 * Switches traces on where an endpoint is configured. Call it before anything else of the process starts.
 * @param service `service.name`
 * @returns stops it; call it after all parts that make spans have stopped
 */
export async function startTelemetry(service: string, config: TelemetryConfig, log: Logger): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio = 1 } = config;
  if (endpoint === undefined) return () => Promise.resolve();
  const { openOtlpTracer } = await loadOtlp();
  const opened = openOtlpTracer({ service, endpoint, ratio, log });
  installTracer(opened);
  log.info({ endpoint: new URL(endpoint).origin, ratio }, 'traces are exported');
  return async () => {
    installTracer(undefined);
    await opened.stop();
  };
}

/** For work that would cost something even without a span. */
export function tracing(): boolean {
  return tracer !== undefined;
}

/** Undefined while telemetry is off. The code that begins a span must end it, on every way out. */
export function startSpan(options: SpanOptions): Span | undefined {
  return tracer?.start(options);
}

/** The context of a call from another process: this hop's trace and, while telemetry is on, its span. */
export function enterTrace(
  options: Omit<SpanOptions, 'parent'>,
  traceparent: string | undefined,
  random: RandomBytes,
): { readonly trace: TraceContext; readonly span: Span | undefined } {
  const span = tracer?.start({ ...options, parent: traceparent });
  return { trace: span?.trace ?? continueTrace(traceparent, random), span };
}

/**
 * Runs work as one span, with its own trace to hand on.
 * @param parent undefined where no request caused the work: then there is no span either
 */
export async function inSpan<Result>(
  options: Omit<SpanOptions, 'parent'>,
  parent: TraceContext | undefined,
  work: (trace: TraceContext | undefined, span: Span | undefined) => Promise<Result>,
): Promise<Result> {
  if (tracer === undefined || parent === undefined) return work(parent, undefined);
  const span = tracer.start({ ...options, parent: parent.traceparent });
  try {
    const result = await work(span.trace, span);
    span.end();
    return result;
  } catch (error) {
    span.end(nameOfError(error));
    throw error;
  }
}

/**
 * The one exception to "nothing about a request is ambient". Code below the ports (a script in Redis, a hash, a transaction) does not know the
 * caller. So the trace of the running call is kept here, while telemetry is on, and for spans alone. No decision may read it.
 */
const running = new AsyncLocalStorage<TraceContext>();

/** @param span of the call; undefined while telemetry is off, and then nothing is kept */
export function runWithin<Result>(span: Span | undefined, work: () => Result): Result {
  return span === undefined ? work() : running.run(span.trace, work);
}

/** Work below a port, as a span of the call that it runs for. Without such a call it makes no span. */
export function inCallSpan<Result>(name: string, attributes: Attributes, work: () => Promise<Result>): Promise<Result> {
  if (tracer === undefined) return work();
  return inSpan({ name, kind: attributes['db.system.name'] === undefined ? 'internal' : 'client', attributes }, running.getStore(), () =>
    work(),
  );
}

export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : 'error';
}
