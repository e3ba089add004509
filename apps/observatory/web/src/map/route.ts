/** The line of an edge: from the side of a card that faces the other one, and never over a card between them. Pure. */
import type { Box, Boxes } from './boxes.ts';

export interface Route {
  /** A path of SVG. */
  readonly path: string;
  /** The place for its words. */
  readonly x: number;
  readonly y: number;
}

/** How far a line bends that joins two cards of one column. */
const bendPx = 46;
/** How far above the first card of a column, or below its last one, a line passes. */
const marginPx = 10;
/** Room that a line needs between two cards. */
const roomMinPx = 4;
/** How far above a line its words stand. */
const wordsPx = 5;

export function routeOf(from: Box, to: Box, boxes: Boxes): Route {
  const [fromY, toY] = [middleOf(from), middleOf(to)];
  if (to.left < from.right && from.left < to.right) return aroundTheRight(from, to);
  const isRightwards = to.left >= from.right;
  const [x1, x2] = isRightwards ? [from.right, to.left] : [from.left, to.right];
  const [low, high] = [Math.min(x1, x2), Math.max(x1, x2)];
  const between = [...boxes.values()].filter(({ left, right }) => left > low && right < high);
  const room = between.length === 0 ? undefined : nearestRoom(between, fromY, toY);
  if (room === undefined) {
    const half = (x2 - x1) / 2;
    return { path: `M${x1} ${fromY}${turn(x1, fromY, x2, toY)}`, x: x1 + half, y: (fromY + toY) / 2 - wordsPx };
  }
  const [left, right] = [Math.min(...between.map((box) => box.left)), Math.max(...between.map((box) => box.right))];
  const [near, far] = isRightwards ? [left, right] : [right, left];
  const path = `M${x1} ${fromY}${turn(x1, fromY, near, room)}H${far}${turn(far, room, x2, toY)}`;
  return { path, x: (near + far) / 2, y: room - wordsPx };
}

/** A curve that leaves and arrives level. */
function turn(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (x1 + x2) / 2;
  return `C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function aroundTheRight(from: Box, to: Box): Route {
  const [fromY, toY] = [middleOf(from), middleOf(to)];
  const side = Math.max(from.right, to.right);
  const bend = side + bendPx;
  const out = from.right < side ? `H${side}` : '';
  const back = to.right < side ? `H${to.right}` : '';
  const path = `M${from.right} ${fromY}${out}C${bend} ${fromY} ${bend} ${toY} ${side} ${toY}${back}`;
  return { path, x: bend, y: (fromY + toY) / 2 - wordsPx };
}

const middleOf = ({ top, bottom }: Box): number => (top + bottom) / 2;

/** The height between two cards, above the first or below the last, that makes the shortest way. */
function nearestRoom(boxes: readonly Box[], fromY: number, toY: number): number {
  const sorted = boxes.toSorted((a, b) => a.top - b.top);
  const lowest = Math.max(...sorted.map(({ bottom }) => bottom));
  const rooms = [sorted[0]!.top - marginPx, lowest + marginPx];
  let bottom = sorted[0]!.bottom;
  for (const box of sorted.slice(1)) {
    if (box.top - bottom >= roomMinPx) rooms.push((bottom + box.top) / 2);
    bottom = Math.max(bottom, box.bottom);
  }
  const way = (y: number): number => Math.abs(y - fromY) + Math.abs(y - toY);
  return rooms.reduce((best, y) => (way(y) < way(best) ? y : best));
}
