import type { RequestView, SpanView } from '../../../src/api.ts';

/** What the answer waited for in one hop, in all: a hop that calls others appears on the path several times. */
export interface Wait {
  readonly spanId: string | undefined;
  readonly place: string;
  readonly name: string;
  readonly startMs: number;
  readonly waitMs: number;
  readonly share: number;
  /** False for a call whose other side told nothing. */
  readonly explained: boolean;
  /** The time of the whole request, had this taken no time at all. Work beside the path may then have become the path, so it is a best case. */
  readonly atBestMs: number;
  readonly span: SpanView | undefined;
}

/** In the order in which the answer first waited for them. */
export function waitsOf(view: RequestView): readonly Wait[] {
  // A way to a service and back belongs to the call's hop, and has a name of its own.
  const byHop = Map.groupBy(view.path, (step) => `${step.spanId ?? 'unexplained'} ${step.name}`);
  return [...byHop.values()].flatMap((steps) => {
    const [first] = steps;
    if (!first) return [];
    const waitMs = steps.reduce((sum, step) => sum + step.durationMs, 0);
    return [
      {
        spanId: first.spanId,
        place: first.spanId === undefined ? '–' : (view.lanes.find(({ id }) => id === first.lane)?.title ?? first.lane),
        name: first.name,
        startMs: first.startMs,
        waitMs,
        share: steps.reduce((sum, step) => sum + step.share, 0),
        explained: first.kind !== 'untold',
        atBestMs: Math.max(0, view.durationMs - waitMs),
        span: view.spans.find(({ spanId }) => spanId === first.spanId),
      },
    ];
  });
}
