import type { RequestView, SpanView } from '../../../src/api.ts';

/** Left and right walk through time; up and down go to the nearest hop of the next lane that has one. */
export function nextHop(view: RequestView, from: string, key: string): string | undefined {
  const byTime = view.spans.toSorted((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs);
  const index = byTime.findIndex((span) => span.spanId === from);
  const here = byTime[index];
  if (!here) return byTime[0]?.spanId;
  switch (key) {
    case 'ArrowRight':
      return byTime[index + 1]?.spanId;
    case 'ArrowLeft':
      return byTime[index - 1]?.spanId;
    case 'ArrowDown':
      return nearestInLanes(view, here, 1);
    case 'ArrowUp':
      return nearestInLanes(view, here, -1);
    case 'Home':
      return byTime[0]?.spanId;
    case 'End':
      return byTime.at(-1)?.spanId;
    default:
      return undefined;
  }
}

function nearestInLanes(view: RequestView, here: SpanView, step: 1 | -1): string | undefined {
  let at = view.lanes.findIndex(({ id }) => id === here.lane) + step;
  for (; at >= 0 && at < view.lanes.length; at += step) {
    const lane = view.lanes[at]?.id;
    const distance = (span: SpanView): number => Math.abs(span.startMs - here.startMs);
    const nearest = view.spans.filter((span) => span.lane === lane).toSorted((a, b) => distance(a) - distance(b))[0];
    if (nearest) return nearest.spanId;
  }
  return undefined;
}

/** The hop that a reader sees first: where a passport was checked, else where any identity was decided, else the longest wait. */
export function firstHop(view: RequestView): string | undefined {
  const deciding = view.spans.filter((span) => span.identity !== undefined && !span.afterAnswer);
  const decided =
    deciding.find(({ identity }) => identity?.claims !== undefined) ?? deciding.find(({ identity }) => identity?.policy !== undefined);
  return (decided ?? deciding[0] ?? view.spans.toSorted((a, b) => b.pathMs - a.pathMs)[0])?.spanId;
}
