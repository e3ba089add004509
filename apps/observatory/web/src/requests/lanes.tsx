/* oxlint-disable jsx-a11y/prefer-tag-over-role -- SVG has no tag for a group with a name, nor for a button */
/** One request as swim lanes: places from top to bottom, time from left to right, and the path that the answer waited for in bold. */
import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { RequestView } from '../../../src/api.ts';
import { hopName } from '../words/names.ts';
import { ms, percent } from '../words/numbers.ts';
import { BudgetLine, budgetHeight } from './budget-line.tsx';
import { barHeight, layOut, strokeHeight, wideMinPx, type Bar, type Drawing, type LaneBox } from './lay-out.ts';
import { nextHop } from './next-hop.ts';

interface LanesProps {
  readonly view: RequestView;
  readonly selected: string | undefined;
  readonly onSelect: (spanId: string) => void;
}

export function Lanes({ view, selected, onSelect }: LanesProps) {
  const [place, width] = useWidth();
  const drawing = width === undefined ? undefined : layOut(view, width);
  return (
    <figure className="lanes">
      <div ref={place} className="lanes-place">
        {drawing && <Picture view={view} drawing={drawing} selected={selected} onSelect={onSelect} />}
      </div>
      <figcaption className="quiet">
        <span className="legend bold-line">what you waited for</span>
        <span className="legend aside-work">work beside it</span>
        {drawing?.scale.hasAfter && <span className="legend later">after the answer, on a scale of its own</span>}
        <span>Choose a hop, or walk with the arrow keys. The same as a table is below.</span>
      </figcaption>
    </figure>
  );
}

/** The drawing is made for the pixels that there are: text keeps its size on a phone. */
function useWidth() {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<number>();
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const measure = (): void => setWidth(Math.max(280, Math.floor(element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, width] as const;
}

function Picture({ view, drawing, selected, onSelect }: LanesProps & { readonly drawing: Drawing }) {
  const id = useId();
  const { width, height, scale, top } = drawing;
  const floor = height - 24;
  const hasBudget = view.spans.some((span) => span.budget !== undefined && !span.afterAnswer);
  const whole = height + (hasBudget ? budgetHeight : 0);
  return (
    <svg
      width={width}
      height={whole}
      viewBox={`0 0 ${width} ${whole}`}
      role="group"
      aria-label={`Lanes of ${view.name}`}
      aria-describedby={`${id}d`}
    >
      <desc id={`${id}d`}>{describe(view)}</desc>
      {scale.hasAfter && (
        <rect className="after-ground" x={scale.answerX} y={top} width={scale.endX - scale.answerX} height={floor - top} />
      )}
      <Captions view={view} drawing={drawing} />
      <Axis drawing={drawing} />
      {drawing.lanes.map((box) => (
        <LaneTitle key={box.lane.id} box={box} width={width} />
      ))}
      <line className="answer-line" x1={scale.answerX} x2={scale.answerX} y1={top} y2={floor} />
      <Arrows drawing={drawing} />
      <g>
        {drawing.bars.map((bar) => (
          <Hop key={bar.span.spanId} bar={bar} view={view} selected={selected} onSelect={onSelect} />
        ))}
      </g>
      <BoldPath drawing={drawing} />
      <Labels drawing={drawing} />
      {hasBudget && <BudgetLine view={view} scale={scale} y={height} width={width} selected={selected} />}
    </svg>
  );
}

function describe(view: RequestView): string {
  const steps = view.path.filter((step) => step.share >= 0.05).map((step) => `${hopName(step.name)}, ${percent(step.share)}`);
  const later = view.settledMs > view.durationMs ? ` The last thing that it caused ended after ${ms(view.settledMs)}.` : '';
  return `The answer came after ${ms(view.durationMs)}. It waited for: ${steps.join('; ')}.${later} The table below the drawing says the same.`;
}

function Captions({ view, drawing: { scale } }: { readonly view: RequestView; readonly drawing: Drawing }) {
  return (
    <g className="caption">
      <text x={scale.startX} y={14}>
        until the answer: {ms(view.durationMs)}
      </text>
      {scale.hasAfter && (
        <text x={scale.endX} y={14} textAnchor="end">
          after it, to {ms(view.settledMs)}
        </text>
      )}
    </g>
  );
}

function Axis({ drawing: { scale, height, top } }: { readonly drawing: Drawing }) {
  const floor = height - 24;
  return (
    <g className="axis">
      {scale.ticks.map(({ ms: at, x }) => (
        <g key={x}>
          <line x1={x} x2={x} y1={top} y2={floor} />
          <text x={x} y={floor + 16} textAnchor={x > scale.endX - 20 ? 'end' : x < scale.startX + 14 ? 'start' : 'middle'}>
            {ms(at)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** As many letters as stand beside the drawing. */
const titleLengthMax = 21;

/** On a wide drawing the lane's share of the wait stands below its name, on a narrow one at the end of the same line. */
function LaneTitle({ box: { lane, y, height, titleY, share }, width }: { readonly box: LaneBox; readonly width: number }) {
  const wide = width >= wideMinPx;
  const title = lane.title.length > titleLengthMax && wide ? `${lane.title.slice(0, titleLengthMax - 1)}…` : lane.title;
  const hasShare = share >= 0.01;
  return (
    <g className={`lane ${lane.kind}`}>
      <line x1={0} x2={width} y1={y + height} y2={y + height} />
      <text className="lane-title" x={4} y={titleY - (hasShare && wide ? 7 : 0)} dominantBaseline="middle">
        {title}
        {title !== lane.title && <title>{lane.title}</title>}
      </text>
      {hasShare && (
        <text
          className="lane-share"
          x={wide ? 4 : width - 10}
          y={titleY + (wide ? 9 : 0)}
          dominantBaseline="middle"
          textAnchor={wide ? 'start' : 'end'}
        >
          {percent(share)} {wide && 'of the wait'}
        </text>
      )}
    </g>
  );
}

function Arrows({ drawing: { arrows } }: { readonly drawing: Drawing }) {
  return (
    <g className="arrows">
      {arrows.map(({ x, fromY, toY }, index) => {
        const head = toY > fromY ? -5 : 5;
        return <path key={index} d={`M${x} ${fromY}V${toY}M${x - 3} ${toY + head}L${x} ${toY}L${x + 3} ${toY + head}`} />;
      })}
    </g>
  );
}

function BoldPath({ drawing: { strokes, scale } }: { readonly drawing: Drawing }) {
  return (
    <g className="bold-path" aria-hidden="true">
      {strokes.map(({ x, toX, y, nextY, explained }, index) => (
        <g key={index}>
          <line
            className={explained ? 'explained' : 'unexplained'}
            x1={Math.min(x, scale.answerX - 1)}
            x2={Math.max(toX, x + 1)}
            y1={y}
            y2={y}
            strokeWidth={strokeHeight}
          />
          {nextY !== undefined && nextY !== y && <line className="turn" x1={toX} x2={toX} y1={y} y2={nextY} />}
        </g>
      ))}
    </g>
  );
}

interface HopProps {
  readonly bar: Bar;
  readonly view: RequestView;
  readonly selected: string | undefined;
  readonly onSelect: (spanId: string) => void;
}

/** A bar works as a button. One of them is a stop for Tab, and the arrows lead to the others. */
function Hop({ bar: { span, x, y, width, onPath }, view, selected, onSelect }: HopProps) {
  const isSelected = span.spanId === selected;
  const lane = view.lanes.find(({ id }) => id === span.lane)?.title ?? span.lane;
  const choose = (event: KeyboardEvent<SVGGElement>): void => {
    if (event.key === 'Enter' || event.key === ' ') onSelect(span.spanId);
    else {
      const next = nextHop(view, span.spanId, event.key);
      if (next === undefined) return;
      onSelect(next);
      // The other bar is there already; only its state changes.
      event.currentTarget.parentElement?.querySelector<SVGGElement>(`[data-hop="${next}"]`)?.focus();
    }
    event.preventDefault();
  };
  const state = [
    onPath ? 'on-path' : 'beside',
    span.afterAnswer && 'after',
    span.failure !== undefined && 'failed',
    isSelected && 'selected',
  ];
  return (
    <g
      className={`hop ${state.filter(Boolean).join(' ')}`}
      role="button"
      tabIndex={isSelected ? 0 : -1}
      aria-pressed={isSelected}
      aria-label={sayHop(span, lane, view.durationMs)}
      data-hop={span.spanId}
      onClick={() => onSelect(span.spanId)}
      onKeyDown={choose}
    >
      <rect className="touch" x={x - 3} y={y - 2} width={Math.max(width + 6, 12)} height={barHeight + 4} />
      <rect className="bar" x={x} y={y} width={width} height={barHeight} rx={3} />
    </g>
  );
}

/** Beside the bars instead of in them: a label may be cut to fit, but the name of a bar is whole. */
function Labels({ drawing: { bars } }: { readonly drawing: Drawing }) {
  return (
    <g className="labels" aria-hidden="true">
      {bars.map(({ span, y, onPath, label }) => {
        if (!label) return null;
        const state = [label.inside ? 'inside' : 'outside', onPath ? 'on-path' : 'beside', span.afterAnswer && 'after'];
        return (
          <text
            key={span.spanId}
            className={state.filter(Boolean).join(' ')}
            x={label.x}
            y={y + barHeight / 2 - (onPath && label.inside ? 1.5 : 0)}
            dominantBaseline="central"
          >
            {label.text}
          </text>
        );
      })}
    </g>
  );
}

function sayHop(span: RequestView['spans'][number], lane: string, durationMs: number): string {
  const when = span.afterAnswer
    ? 'after the answer'
    : span.pathMs > 0
      ? `${percent(span.pathMs / durationMs)} of the wait`
      : 'beside the path';
  return `${lane}: ${hopName(span.name)}, ${ms(span.durationMs)}, ${when}${span.failure === undefined ? '' : `, failed: ${span.failure}`}`;
}
