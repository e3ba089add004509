import type { RequestView } from '../../../src/api.ts';
import { wholeMs } from '../words/numbers.ts';
import { wideMinPx } from './lay-out.ts';
import type { Scale } from './scale.ts';

export const budgetHeight = 74;
const lineTop = 22;
const lineHeight = 34;

interface BudgetLineProps {
  readonly view: RequestView;
  readonly scale: Scale;
  readonly y: number;
  readonly width: number;
  readonly selected: string | undefined;
}

/** The request's budget as it burns down, on the same time as the lanes. A dot is what a call below got: its own limit may be lower. */
export function BudgetLine({ view, scale, y, width, selected }: BudgetLineProps) {
  const hops = view.spans.filter((span) => span.budget !== undefined && !span.afterAnswer).toSorted((a, b) => a.startMs - b.startMs);
  const whole = Math.max(...hops.map((span) => span.budget?.ofMs ?? 0), 1);
  const heightOf = (leftMs: number): number => y + lineTop + (1 - Math.max(0, leftMs) / whole) * lineHeight;
  const points = hops.map((span) => ({ span, x: scale.x(span.startMs), y: heightOf(span.budget?.leftMs ?? 0) }));
  const wide = width >= wideMinPx;
  const first = points[0];
  if (!first) return null;
  // The budget is the gateway's: it burns from there until its answer, and not on the way to the browser.
  const leftAtAnswer = (first.span.budget?.leftMs ?? 0) - first.span.durationMs;
  const end = { x: scale.x(first.span.startMs + first.span.durationMs), y: heightOf(leftAtAnswer) };
  const path = [first, end].map((point, index) => `${index === 0 ? 'M' : 'L'}${point.x} ${point.y}`).join('');
  const room = scale.endX - scale.answerX > 150;
  return (
    <g className="budget-line" aria-hidden="true">
      <text className="lane-title" x={4} y={wide ? y + lineTop + lineHeight / 2 : y + 9} dominantBaseline="middle">
        budget
      </text>
      <line className="rim" x1={scale.startX} x2={scale.answerX} y1={y + lineTop + lineHeight} y2={y + lineTop + lineHeight} />
      <path className="area" d={`${path}L${end.x} ${y + lineTop + lineHeight}L${first.x} ${y + lineTop + lineHeight}Z`} />
      <path className="burn" d={path} />
      {points.map((point) => (
        <circle
          key={point.span.spanId}
          className={point.span.spanId === selected ? 'selected' : ''}
          cx={point.x}
          cy={point.y}
          r={point.span.spanId === selected ? 5 : 3}
        />
      ))}
      <text
        className="left"
        x={room ? end.x + 8 : end.x}
        y={room ? end.y : y + 12}
        textAnchor={room ? 'start' : 'end'}
        dominantBaseline="middle"
      >
        {wholeMs(Math.max(0, leftAtAnswer))} of {wholeMs(whole)} left
      </text>
    </g>
  );
}
