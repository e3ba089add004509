/** Where each lane, bar, label and arrow of a request stands, in pixels. Pure: the component only draws it. */
import type { LaneView, PathStep, RequestView, SpanView } from '../../../src/api.ts';
import { hopName } from '../words/names.ts';
import { ms, percent } from '../words/numbers.ts';
import { twoScales, type Scale } from './scale.ts';

export interface Bar {
  readonly span: SpanView;
  readonly x: number;
  readonly width: number;
  readonly y: number;
  readonly onPath: boolean;
  readonly label: { readonly text: string; readonly x: number; readonly inside: boolean } | undefined;
}

export interface LaneBox {
  readonly lane: LaneView;
  readonly y: number;
  readonly height: number;
  readonly titleY: number;
  /** Of the time until the answer, 0 to 1. */
  readonly share: number;
}

/** A piece of the bold line: along a bar, and then up or down to the next one. */
export interface Stroke {
  readonly x: number;
  readonly toX: number;
  readonly y: number;
  /** undefined at the end of the path. */
  readonly nextY: number | undefined;
  readonly explained: boolean;
}

/** From what caused a piece of work to the work, where the answer did not wait for it. */
export interface Arrow {
  readonly x: number;
  readonly fromY: number;
  readonly toY: number;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly scale: Scale;
  readonly lanes: readonly LaneBox[];
  readonly bars: readonly Bar[];
  readonly strokes: readonly Stroke[];
  readonly arrows: readonly Arrow[];
}

export const barHeight = 20;
export const strokeHeight = 5;
const rowHeight = 25;
const lanePadding = 9;
const titleHeight = 20;
const captionHeight = 26;
const axisHeight = 24;
const barWidthMin = 4;
/** Below this, titles of lanes stand above their bars instead of beside them. */
export const wideMinPx = 560;
const gutterPx = 160;
const edgePx = 10;
/** Of 11.5 px text in the system's fonts, rounded up. */
const letterPx = 6.6;
/** A lane with more at the same time lets bars overlap in its last row. */
const rowCountMax = 8;

export function layOut(view: RequestView, width: number): Drawing {
  const wide = width >= wideMinPx;
  const startMs = Math.min(0, ...view.spans.map((span) => span.startMs));
  const scale = twoScales({ startMs, durationMs: view.durationMs, settledMs: view.settledMs }, wide ? gutterPx : edgePx, width - edgePx);
  const lanes: LaneBox[] = [];
  const bars: Bar[] = [];
  let y = captionHeight;
  for (const lane of inOrder(view)) {
    const rows = placeInRows(
      view.spans.filter((span) => span.lane === lane.id),
      scale,
    );
    const top = y + lanePadding + (wide ? 0 : titleHeight);
    const height = lanePadding * 2 + (wide ? 0 : titleHeight) + Math.max(1, rows.length) * rowHeight - (rowHeight - barHeight);
    lanes.push({ lane, y, height, titleY: wide ? y + lanePadding + barHeight / 2 : y + lanePadding + 5, share: shareOf(view.path, lane) });
    rows.forEach((row, index) => bars.push(...barsOf(row, top + index * rowHeight, scale, view.durationMs)));
    y += height;
  }
  return {
    width,
    height: y + axisHeight,
    top: captionHeight,
    scale,
    lanes,
    bars,
    strokes: strokesOf(view.path, bars, lanes, scale),
    arrows: arrowsOf(bars, scale),
  };
}

/** The page that saw the outcome stands last: the request ends there, and nothing points upwards past all other lanes. */
function inOrder({ lanes, spans }: RequestView): readonly LaneView[] {
  const isLast = (lane: LaneView): boolean => lane.kind === 'browser' && spans.every((span) => span.lane !== lane.id || span.afterAnswer);
  return [...lanes.filter((lane) => !isLast(lane)), ...lanes.filter(isLast)];
}

const shareOf = (path: readonly PathStep[], lane: LaneView): number =>
  path.filter((step) => step.lane === lane.id).reduce((sum, step) => sum + step.share, 0);

interface Placed {
  readonly span: SpanView;
  readonly x: number;
  readonly width: number;
}

/** A bar goes into the first row that is free where it begins; so work within other work stands below it. */
function placeInRows(spans: readonly SpanView[], scale: Scale): Placed[][] {
  const rows: Placed[][] = [];
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs)) {
    const at = scale.x(span.startMs);
    const placed = { span, x: at, width: Math.max(barWidthMin, scale.x(span.startMs + span.durationMs) - at) };
    const free = rows.find((row) => {
      const last = row.at(-1);
      return last === undefined || last.x + last.width + 1 <= placed.x;
    });
    if (free) free.push(placed);
    else if (rows.length < rowCountMax) rows.push([placed]);
    else rows.at(-1)?.push(placed);
  }
  return rows;
}

function barsOf(row: readonly Placed[], y: number, scale: Scale, durationMs: number): Bar[] {
  return row.map(({ span, x, width }, index) => {
    const onPath = span.pathMs > 0;
    const roomRight = (row[index + 1]?.x ?? scale.endX) - (x + width) - 8;
    const text = labelThatFits(labelsOf(span, durationMs), width - 10, roomRight);
    return { span, x, width, y, onPath, label: text && { text: text.text, inside: text.inside, x: text.inside ? x + 6 : x + width + 5 } };
  });
}

/** The fullest wording first. */
function labelsOf(span: SpanView, durationMs: number): string[] {
  const share = durationMs > 0 ? span.pathMs / durationMs : 0;
  const took = ms(span.durationMs);
  const waited = share >= 0.05 ? ` · ${percent(share)} of the wait` : '';
  const name = hopName(span.name);
  return [`${name} ${took}${waited}`, ...(waited === '' ? [] : [`${name} · ${percent(share)}`]), name];
}

function labelThatFits(texts: readonly string[], inside: number, right: number): { text: string; inside: boolean } | undefined {
  for (const text of texts) {
    const needed = text.length * letterPx;
    if (needed <= inside) return { text, inside: true };
    if (needed <= right) return { text, inside: false };
  }
  const name = texts.at(-1) ?? '';
  const letters = Math.floor(Math.max(inside, right) / letterPx) - 1;
  return letters < 6 ? undefined : { text: `${name.slice(0, letters)}…`, inside: inside >= right };
}

function strokesOf(path: readonly PathStep[], bars: readonly Bar[], lanes: readonly LaneBox[], scale: Scale): Stroke[] {
  const bySpan = new Map(bars.map((bar) => [bar.span.spanId, bar]));
  const heightOf = (step: PathStep): number | undefined => {
    const bar = step.spanId === undefined ? undefined : bySpan.get(step.spanId);
    if (bar) return bar.y + barHeight - strokeHeight / 2;
    const lane = lanes.find(({ lane: { id } }) => id === step.lane);
    return lane && lane.y + lanePadding + barHeight - strokeHeight / 2;
  };
  const placed = path.flatMap((step) => {
    const y = heightOf(step);
    return y === undefined ? [] : [{ step, y }];
  });
  return placed.map(({ step, y }, index) => ({
    x: scale.x(step.startMs),
    toX: scale.x(step.startMs + step.durationMs),
    y,
    nextY: placed[index + 1]?.y,
    explained: step.kind !== 'untold',
  }));
}

function arrowsOf(bars: readonly Bar[], scale: Scale): Arrow[] {
  const bySpan = new Map(bars.map((bar) => [bar.span.spanId, bar]));
  return bars.flatMap(({ span, x, y }) => {
    const parent = span.parentId === undefined ? undefined : bySpan.get(span.parentId);
    if ((span.waited && !span.afterAnswer) || !parent || parent.span.lane === span.lane) return [];
    const down = parent.y < y;
    return [{ x: Math.min(x + 1.5, scale.endX), fromY: parent.y + (down ? barHeight : 0), toY: down ? y : y + barHeight }];
  });
}
