/**
 * Traces, as the rest of the platform sees them. Code begins a span by hand at a seam of ours, and the next hop receives its context. Without a span
 * the next hop receives a W3C context all the same. `enterTrace` is the one place that decides between the two.
 *
 * Off (the default) nothing of OpenTelemetry is loaded, and every function here is one comparison. On, telemetry.otlp.ts is imported. A span may hold
 * names from the contract, routes, topics, codes and counts. It never holds an address with ids, a key of a record or a query.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Logger } from './log.ts';
import { isLocalProvider, onlyRegion } from './provider.ts';
import { observatoryBearer } from './observatory-keys.ts';

/** W3C Trace Context of this hop, level 1: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** `00-<traceId>-<spanId>-<flags>`, sent to the next hop. */
  readonly traceparent: string;
}

/** @returns `length` random bytes; node:crypto's randomBytes outside tests */
export type RandomBytes = (length: number) => Uint8Array;

/** Enough for 170 traces: a call into the generator costs as much for 8 bytes as for these. */
const poolBytes = 4_096;

/**
 * Random bytes for ids of traces, taken from the generator by the thousand. Each byte is given out once, and a used-up pool is left to its holders.
 * Not for secrets: bytes in the pool can be seen in the memory of the process before they are used.
 */
export function pooledRandomBytes(random: RandomBytes = randomBytes): RandomBytes {
  let pool = new Uint8Array(0);
  let at = 0;
  return (length) => {
    if (length > poolBytes) return random(length);
    if (at + length > pool.length) [pool, at] = [Uint8Array.from(random(poolBytes)), 0];
    return pool.subarray(at, (at += length));
  };
}

/** A trace that begins here. It is sampled, since the platform exists to be watched. */
export function startTrace(random: RandomBytes): TraceContext {
  return traceContext(randomId(16, random), randomId(8, random), true);
}

/** This hop of the caller's trace. A missing or invalid header begins a new one (section 3.2.2.5: it must not be passed on). */
export function continueTrace(traceparent: string | undefined, random: RandomBytes): TraceContext {
  const caller = parseTraceparent(traceparent);
  // Version 00 knows only the flag "sampled".
  return caller === undefined ? startTrace(random) : traceContext(caller.traceId, randomId(8, random), isSampled(caller.flags));
}

export function parseTraceparent(
  traceparent: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: string } | undefined {
  if (traceparent === undefined) return undefined;
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent);
  if (match === null || match[0].length > lengthMax) return undefined;
  const [, version, traceId, spanId, flags, future] = match;
  // Version ff is forbidden; only a later version may carry more fields; ids of zeros mean "none".
  if (version === 'ff' || (version === '00' && future !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, flags: flags! };
}

/** Version 00 has 55 characters. A later one may be longer, but this bounds the length that a caller can make us carry. */
const lengthMax = 128;

/** Two hexadecimal digits. */
export function isSampled(flags: string): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1;
}

export function traceContext(traceId: string, spanId: string, sampled: boolean): TraceContext {
  return Object.freeze({ traceId, spanId, traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` });
}

function randomId(length: number, random: RandomBytes): string {
  const id = hexOf(random(length));
  if (id.length !== length * 2) throw new RangeError(`an id needs ${length} random bytes`);
  return id.startsWith('0') && /^0+$/.test(id) ? `${id.slice(0, -1)}1` : id;
}

const hexOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string => Buffer.from(buffer, byteOffset, byteLength).toString('hex');

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Readonly<Record<string, string | number | boolean>>;
/** An attribute that is undefined is left out. */
export type Settable = Readonly<Record<string, string | number | boolean | undefined>>;

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
  set(attributes: Settable): void;
  /**
   * Only the first call counts.
   * @param failure a code of ours, or the name of an error; never a message, which may quote its input
   * @param atMs milliseconds since 1970; now by default
   */
  end(failure?: string, atMs?: number): void;
}

/** Made by telemetry.otlp.ts. */
export interface Tracer {
  /** Whether an Observatory gets the spans too (observe.ts). */
  readonly observed: boolean;
  start(options: SpanOptions): Span;
  /** Sends the remaining spans, within a bound. */
  stop(): Promise<void>;
}

/** The standard variables of OpenTelemetry and those of the Observatory, as config.ts reads them. */
export interface TelemetryConfig {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_TRACES_SAMPLER_ARG?: number | undefined;
  readonly OBSERVATORY_URL?: string | undefined;
  readonly OBSERVATORY_SPAN_KEY?: string | undefined;
  /** Only a shop on one's own machine tells an Observatory who acted, whatever else is configured. */
  readonly PROVIDER?: string | undefined;
  /** Absent where the process holds several apps. */
  readonly REPLICA?: string | undefined;
  readonly REGION?: string | undefined;
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
 * Switches traces on where a collector or an Observatory is configured. Call it before anything else of the process starts.
 * @param service `service.name`
 * @returns stops it; call it after all parts that make spans have stopped
 */
export async function startTelemetry(service: string, config: TelemetryConfig, log: Logger): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio = 1, REPLICA: replica = '1' } = config;
  const { OBSERVATORY_URL: url, OBSERVATORY_SPAN_KEY: key, PROVIDER: provider = '' } = config;
  const region = config.REGION === onlyRegion ? undefined : config.REGION;
  const observatory =
    url === undefined || key === undefined || !isLocalProvider(provider) ? undefined : { url, key: observatoryBearer(key) };
  if (endpoint === undefined && observatory === undefined) return () => Promise.resolve();
  const { openOtlpTracer } = await loadOtlp();
  const opened = openOtlpTracer({ service, replica, region, endpoint, observatory, ratio, log });
  installTracer(opened);
  const originOf = (address: string | undefined): string | undefined => address && new URL(address).origin;
  log.info({ endpoint: originOf(endpoint), observatory: originOf(observatory?.url), ratio }, 'traces are exported');
  return async () => {
    installTracer(undefined);
    await opened.stop();
  };
}

/** For work that would cost something even without a span. */
export function tracing(): boolean {
  return tracer !== undefined;
}

/** Whether an Observatory gets the spans. Without one, code makes no attribute that says who a person is (observe.ts). */
export function observing(): boolean {
  return tracer?.observed === true;
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
 * caller. So the span of the running call is kept here, while telemetry is on, and for spans alone. No decision may read it.
 */
const running = new AsyncLocalStorage<Span>();

/** @param span of the call; undefined while telemetry is off, and then nothing is kept */
export function runWithin<Result>(span: Span | undefined, work: () => Result): Result {
  return span === undefined ? work() : running.run(span, work);
}

/** Undefined while telemetry is off, and outside of a call. */
export function runningSpan(): Span | undefined {
  return tracer === undefined ? undefined : running.getStore();
}

/** Work below a port, as a span of the call that it runs for. Without such a call it makes no span. */
export function inCallSpan<Result>(name: string, attributes: Attributes, work: () => Promise<Result>): Promise<Result> {
  if (tracer === undefined) return work();
  const kind = attributes['db.system.name'] === undefined ? 'internal' : 'client';
  return inSpan({ name, kind, attributes }, running.getStore()?.trace, () => work());
}

export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : 'error';
}
