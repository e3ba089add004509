import { expect, it } from 'vitest';
import type { Box } from './boxes.ts';
import { routeOf } from './route.ts';

const box = (left: number, top: number): Box => ({ left, right: left + 100, top, bottom: top + 50 });
const gateway = box(0, 0);
const services = [box(200, 0), box(200, 60), box(200, 120)] as const;
const store = box(400, 120);
const boxes = new Map([gateway, ...services, store].map((one, index) => [String(index), one]));

/** Points of the path, each curve by a hundred of them. */
function pointsOf(path: string): { readonly x: number; readonly y: number }[] {
  let at = { x: 0, y: 0 };
  return [...path.matchAll(/([MCH])([^MCH]+)/g)].flatMap(([, kind, text]) => {
    const numbers = text!.trim().split(' ').map(Number);
    const from = at;
    at = kind === 'H' ? { x: numbers[0]!, y: from.y } : { x: numbers.at(-2)!, y: numbers.at(-1)! };
    if (kind !== 'C') return [at];
    const [x1, y1, x2, y2] = numbers as [number, number, number, number];
    return Array.from({ length: 101 }, (_, step) => {
      const t = step / 100;
      const mix = (a: number, b: number, c: number, d: number): number =>
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
      return { x: mix(from.x, x1, x2, at.x), y: mix(from.y, y1, y2, at.y) };
    });
  });
}

const isOver = ({ left, right, top, bottom }: Box, path: string): boolean =>
  pointsOf(path).some(({ x, y }) => x > left && x < right && y > top && y < bottom);

it.each([
  ['from the first column to the third', gateway, store],
  ['from the third column to the first', store, gateway],
])('a line %s passes between the cards of the second', (_, from, to) => {
  const { path, y } = routeOf(from, to, boxes);
  for (const service of services) expect(isOver(service, path)).toBe(false);
  // Its words stand 5 px above it, and it is level at 55 or at 115: in the middle between two cards.
  expect([50, 110]).toContain(y);
  expect(pointsOf(path).at(-1)).toEqual({ x: to === store ? store.left : gateway.right, y: to === store ? 145 : 25 });
});

it('a line over a column without room passes above its first card or below its last', () => {
  const wall = { left: 200, right: 300, top: 0, bottom: 170 };
  const { path } = routeOf(gateway, store, new Map([['wall', wall]]));
  expect(isOver(wall, path)).toBe(false);
});

it('cards of neighbouring columns are joined straight, and those of one column around its right side', () => {
  expect(routeOf(gateway, services[0], boxes).path).toBe('M100 25C150 25 150 25 200 25');
  expect(routeOf(services[0], services[2], boxes).path).toBe('M300 25C346 25 346 145 300 145');
  const narrow = { left: 0, right: 40, top: -40, bottom: -20 };
  expect(isOver(gateway, routeOf(narrow, gateway, boxes).path)).toBe(false);
});
