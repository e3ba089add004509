/**
 * The tracer on OpenTelemetry's SDK. Only this file knows the SDK, and it is imported only when telemetry is on. Parents are given, never ambient: no
 * context manager is installed, nothing global is registered. tracestate is neither read nor sent.
 */
import { ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './log.ts';
import { type ActingApp, actingApp, privatePrefix } from './observe.ts';
import { exportFailures } from './telemetry.metrics.ts';
import { isSampled, parseTraceparent, type Span, type SpanOptions, traceContext, type Tracer } from './trace.ts';

/** Spans for a collector leave within a second, because a person who looks for a trace has just seen its request. */
const exportIntervalMs = 1_000;
/** Spans for the Observatory leave sooner: people watch them live. A batch still holds most of one request. */
const observedIntervalMs = 200;
/** The bound of one export. A collector that hangs must not hold up the stop of the process by more. */
const exportTimeoutMs = 2_000;
/** Spans that wait while the collector is away, about 1 kB each. Beyond this, new ones are dropped. */
const waitingCountMax = 4_096;
const batchCountMax = 512;
/** A batch links at most this many of its producers; the span says how many records there were. */
const linkCountMax = 64;
/** Characters of one attribute. The longest that we make are the claims of a token, below 2,000. */
const valueLengthMax = 4_096;

export interface OtlpOptions {
  readonly service: string;
  readonly replica: string;
  /** Undefined where there is one region. */
  readonly region: string | undefined;
  /** The collector's URL. `/v1/traces` is added, as the specification has it. */
  readonly endpoint: string | undefined;
  /** It gets every attribute, those with the private prefix too. */
  readonly observatory: { readonly url: string; readonly key: string } | undefined;
  /** The sampled part of the traces that begin here. Incoming traces say themselves whether they are sampled. */
  readonly ratio: number;
  readonly log: Logger;
}

/** The two receivers share nothing but the spans: each has a queue of its own, so one that hangs holds up nothing of the other. */
export function openOtlpTracer({ endpoint, observatory, log, ...options }: OtlpOptions): Tracer {
  const processors: SpanProcessor[] = [];
  if (endpoint !== undefined) {
    const exporter = reporting(exporterTo(endpoint), log, collectorWords);
    processors.push(batching(withoutPrivate(exporter), exportIntervalMs));
  }
  if (observatory !== undefined) {
    const exporter = exporterTo(observatory.url, { authorization: `Bearer ${observatory.key}` });
    processors.push(batching(reporting(exporter, log, observatoryWords), observedIntervalMs));
  }
  return openTracer({ ...options, processors, observed: observatory !== undefined });
}

const exporterTo = (endpoint: string, headers: Record<string, string> = {}): SpanExporter =>
  new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, headers, timeoutMillis: exportTimeoutMs });

const batching = (exporter: SpanExporter, scheduledDelayMillis: number): SpanProcessor =>
  new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis,
    exportTimeoutMillis: exportTimeoutMs,
    maxQueueSize: waitingCountMax,
    maxExportBatchSize: batchCountMax,
  });

export interface TracerOptions {
  readonly service: string;
  /** Which replica of the service this process is; '1' by default. */
  readonly replica?: string;
  /** Where there are two. */
  readonly region?: string | undefined;
  readonly ratio: number;
  readonly processors: readonly SpanProcessor[];
  /** Whether one of them is an Observatory's. */
  readonly observed?: boolean;
}

export function openTracer({ service, replica = '1', region, ratio, processors, observed = false }: TracerOptions): Tracer {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'cloakroom' }),
    sampler: new ParentBasedSampler({ root: rootSampler(ratio) }),
    spanLimits: { linkCountLimit: linkCountMax, attributeValueLengthLimit: valueLengthMax },
    spanProcessors: [...processors],
  });
  const tracer = provider.getTracer('cloakroom');
  const self = { app: service, replica };
  const madeIn = region === undefined ? {} : { [regionName]: region };
  return {
    observed,
    start: ({ name, kind, parent, links = [], attributes = {}, startedAtMs = preciseNowMs() }) => {
      const from = contextOf(parent, kind === 'server' || kind === 'consumer');
      const context = from === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, from);
      const linked = links.flatMap((link) => contextOf(link, true) ?? []).map((context) => ({ context }));
      // The caller's word counts: a page's span is made by the gateway, and is the browser's.
      const made = observed ? { ...madeBy(actingApp() ?? self), ...madeIn, ...attributes } : attributes;
      return wrapped(
        tracer.startSpan(name, { kind: kinds[kind], links: linked, attributes: made, startTime: hrTimeOf(startedAtMs) }, context),
      );
    },
    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, exportTimeoutMs)));
      // The absence of the collector has been logged already.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

const appName = `${privatePrefix}app`;
const replicaName = `${privatePrefix}replica`;
const regionName = `${privatePrefix}region`;
const madeBy = ({ app, replica }: ActingApp) => ({ [appName]: app, [replicaName]: replica });

const kinds: Readonly<Record<SpanOptions['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

function wrapped(span: ReturnType<ReturnType<TracerProvider['getTracer']>['startSpan']>): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  let open = true;
  return {
    trace: traceContext(traceId, spanId, (traceFlags & TraceFlags.SAMPLED) !== 0),
    set: (attributes) => void (open && span.setAttributes(attributes)),
    end(failure, atMs = preciseNowMs()) {
      if (!open) return;
      open = false;
      if (failure !== undefined) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
      span.end(hrTimeOf(atMs));
    },
  };
}

/**
 * The wall clock in fractions of a millisecond. Many spans are shorter than one, and several processes must agree. So this follows `Date.now()`, which
 * all of them share, and takes only the fraction from the monotonic clock.
 */
function preciseNowMs(): number {
  const wallMs = Date.now();
  const preciseMs = performance.now() + offsetMs;
  // `Date.now()` cuts off the fraction: the true time lies within the next millisecond.
  const trueMs = Math.min(Math.max(preciseMs, wallMs), wallMs + 0.999);
  offsetMs += trueMs - preciseMs;
  return trueMs;
}
let offsetMs = performance.timeOrigin;

/** Seconds and nanoseconds. The SDK takes a small number for a time since the start of the process, so it is never given one. */
function hrTimeOf(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}

function contextOf(traceparent: string | undefined, isRemote: boolean): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, flags } = parsed;
  return { traceId, spanId, traceFlags: isSampled(flags) ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote };
}

/** A trace that begins with links (a batch of several traces) is sampled when one of them is. */
function rootSampler(ratio: number): Sampler {
  const byRatio = new TraceIdRatioBasedSampler(ratio);
  return {
    shouldSample(context, traceId, _name, _kind, _attributes, links) {
      if (links.length === 0) return byRatio.shouldSample(context, traceId);
      const sampled = links.some((link) => (link.context.traceFlags & TraceFlags.SAMPLED) !== 0);
      return { decision: sampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => `OfLinksElse{${byRatio.toString()}}`,
  };
}

interface Words {
  readonly failed: string;
  readonly again: string;
}
const collectorWords: Words = { failed: 'traces cannot be exported', again: 'traces are exported again' };
const observatoryWords: Words = { failed: 'the Observatory takes no spans', again: 'the Observatory takes spans again' };

/** Reports once an outage that spans do not arrive, and counts the exports that failed. */
function reporting(exporter: SpanExporter, log: Logger, words: Words): SpanExporter {
  let down = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        if (failed) exportFailures.inc();
        if (failed && !down) log.warn({ reason: result.error?.name }, words.failed);
        else if (!failed && down) log.info(words.again);
        down = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush !== undefined && { forceFlush: () => exporter.forceFlush!() }),
  };
}

/** Gives the exporter copies of the spans, without what only the Observatory may know. */
function withoutPrivate(exporter: SpanExporter): SpanExporter {
  return {
    ...exporter,
    export: (spans, done) => exporter.export(spans.map(publicCopy), done),
  };
}

function publicCopy(span: ReadableSpan): ReadableSpan {
  const attributes = Object.entries(span.attributes).filter(([name]) => !name.startsWith(privatePrefix));
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext !== undefined && { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    status: span.status,
    attributes: Object.fromEntries(attributes),
    // Links and events have no attributes here: `Tracer` has no place for them.
    links: span.links,
    events: span.events,
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
