import { expect, it } from 'vitest';
import { openLoadShedder, type SheddingClass } from './load-shedding.ts';

const order: readonly SheddingClass[] = ['public', 'personal', 'cart', 'login', 'sensitive'];
const bounds = { inFlightMax: 100, loopLagMaxMs: 200 };

it('refuses what matters least first as requests pile up, and in the end all', () => {
  const shedder = openLoadShedder(bounds, () => 0);
  const firstRefusedAt = new Map<string, number>();
  while (typeof shedder.enter('sensitive') === 'function') {
    for (const each of order)
      if (!firstRefusedAt.has(each) && shedder.refuses(each) === 'in_flight') firstRefusedAt.set(each, shedder.inFlight);
  }
  expect([...firstRefusedAt]).toEqual([
    ['public', 50],
    ['personal', 65],
    ['cart', 80],
    ['login', 90],
    ['sensitive', 100],
  ]);
  expect(shedder.inFlight).toBe(100);
});

it('lets in again what has become possible', () => {
  const shedder = openLoadShedder({ ...bounds, inFlightMax: 2 }, () => 0);
  const leave = shedder.enter('public');
  expect(shedder.enter('public')).toBe('in_flight');
  (leave as () => void)();
  expect(typeof shedder.enter('public')).toBe('function');
});

it('refuses in the same order when the loop is late', () => {
  let lagMs = 0;
  const shedder = openLoadShedder(bounds, () => lagMs);
  const refusedAt = (ms: number): string[] => {
    lagMs = ms;
    return order.filter((each) => shedder.refuses(each) === 'loop');
  };
  expect([99, 100, 130, 160, 180, 200].map((ms) => refusedAt(ms).length)).toEqual([0, 1, 2, 3, 4, 5]);
});
