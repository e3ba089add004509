import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openCrowds, watchCrowd } from './crowd.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function crowdsOf(runnable: () => number) {
  return openCrowds({ coreCount: 2, runnableCount: runnable });
}

it('gives a quiet machine no more room than was asked for', () => {
  const crowd = crowdsOf(() => 1)();
  vi.advanceTimersByTime(1_000);
  expect(crowd.roomMs(400)).toBe(400);
});

it('gives as much more as there were threads for a core, on average since it began to watch', () => {
  let runnable = 40;
  const watch = crowdsOf(() => runnable);
  watch();
  vi.advanceTimersByTime(10_000);
  runnable = 6;
  const crowd = watch();
  vi.advanceTimersByTime(1_000);
  expect(crowd.roomMs(400)).toBe(1_200);
});

it('has an end, so that a hanging shop is found on any machine', () => {
  expect(crowdsOf(() => 1_000)().roomMs(100)).toBe(1_500);
});

it('never gives as much as the missing defence would take', () => {
  expect(crowdsOf(() => 1_000)().roomMs(100, 1_000)).toBe(1_000);
});

it('reads this machine', () => {
  expect(watchCrowd().roomMs(100)).toBeGreaterThanOrEqual(100);
});
