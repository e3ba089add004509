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
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './log.ts';
import { exportFailures } from './telemetry.metrics.ts';
import { isSampled, parseTraceparent, type Span, type SpanOptions, traceContext, type Tracer } from './trace.ts';

/** Spans leave within a second, because a person who looks for a trace has just seen its request. */
const exportIntervalMs = 1_000;
/** The bound of one export. A collector that hangs must not hold up the stop of the process by more. */
const exportTimeoutMs = 2_000;
/** Spans that wait while the collector is away, about 1 kB each. Beyond this, new ones are dropped. */
const waitingCountMax = 4_096;
const batchCountMax = 512;
/** A batch links at most this many of its producers; the span says how many records there were. */
const linkCountMax = 64;

export interface OtlpOptions {
  readonly service: string;
  /** The collector's URL. `/v1/traces` is added, as the specification has it. */
  readonly endpoint: string;
  /** The sampled part of the traces that begin here. Incoming traces say themselves whether they are sampled. */
  readonly ratio: number;
  readonly log: Logger;
}

export function openOtlpTracer({ endpoint, log, ...options }: OtlpOptions): Tracer {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const exporter = reporting(new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }), log);
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: exportIntervalMs,
    exportTimeoutMillis: exportTimeoutMs,
    maxQueueSize: waitingCountMax,
    maxExportBatchSize: batchCountMax,
  });
  return openTracer({ ...options, processor });
}

export function openTracer(options: { readonly service: string; readonly ratio: number; readonly processor: SpanProcessor }): Tracer {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.namespace': 'cloakroom' }),
    sampler: new ParentBasedSampler({ root: rootSampler(options.ratio) }),
    spanLimits: { linkCountLimit: linkCountMax },
    spanProcessors: [options.processor],
  });
  const tracer = provider.getTracer('cloakroom');
  return {
    start: ({ name, kind, parent, links = [], attributes = {}, startedAtMs }) => {
      const from = contextOf(parent, kind === 'server' || kind === 'consumer');
      const context = from === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, from);
      const linked = links.flatMap((link) => contextOf(link, true) ?? []).map((context) => ({ context }));
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], links: linked, attributes, ...(startedAtMs !== undefined && { startTime: startedAtMs }) },
        context,
      );
      return wrapped(span);
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
    set: (attributes) => void span.setAttributes(attributes),
    end(failure) {
      if (!open) return;
      open = false;
      if (failure !== undefined) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
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

/** Reports once an outage that spans do not arrive, and counts the exports that failed. */
function reporting(exporter: SpanExporter, log: Logger): SpanExporter {
  let down = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        if (failed) exportFailures.inc();
        if (failed && !down) log.warn({ reason: result.error?.name }, 'traces cannot be exported');
        else if (!failed && down) log.info('traces are exported again');
        down = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush !== undefined && { forceFlush: () => exporter.forceFlush!() }),
  };
}
