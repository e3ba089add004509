/** An Observatory that watches this process: every span, with the attributes that only it gets. */
import { installTracer, loadOtlp } from '@cloakroom/platform';

/** By OpenTelemetry's numbers. */
const kinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const;

export interface SeenSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface SpanWatch {
  readonly spans: readonly SeenSpan[];
  named(name: string): SeenSpan | undefined;
  stop(): void;
}

export async function watchSpans(service = 'test'): Promise<SpanWatch> {
  const spans: SeenSpan[] = [];
  const { openTracer } = await loadOtlp();
  const done = (): Promise<void> => Promise.resolve();
  const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6;
  installTracer(
    openTracer({
      service,
      ratio: 1,
      observed: true,
      processors: [
        {
          onStart: () => undefined,
          onEnd: (span) =>
            void spans.push({
              name: span.name,
              kind: kinds[span.kind] ?? 'internal',
              traceId: span.spanContext().traceId,
              spanId: span.spanContext().spanId,
              parentId: span.parentSpanContext?.spanId,
              startedAtMs: ms(span.startTime),
              durationMs: ms(span.duration),
              attributes: { ...span.attributes },
            }),
          forceFlush: done,
          shutdown: done,
        },
      ],
    }),
  );
  return { spans, named: (name) => spans.findLast((span) => span.name === name), stop: () => installTracer(undefined) };
}
