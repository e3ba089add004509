import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openCrowds, watchCrowd } from './crowd.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function crowdsOf(runnable: () => number) {
  return openCrowds({ coreCount: 2, runnableCount: runnable });
}

it('a quiet machine gets no more room than the test asked for', () => {
  const crowd = crowdsOf(() => 1)();
  vi.advanceTimersByTime(1_000);
  expect(crowd.roomMs(400)).toBe(400);
});

it('room grows with the average number of threads for each core since the watch began', () => {
  let runnable = 40;
  const watch = crowdsOf(() => runnable);
  watch();
  vi.advanceTimersByTime(10_000);
  runnable = 6;
  const crowd = watch();
  vi.advanceTimersByTime(1_000);
  expect(crowd.roomMs(400)).toBe(1_200);
});

it('room has an upper limit, so that a hanging shop is found on any machine', () => {
  expect(crowdsOf(() => 1_000)().roomMs(100)).toBe(1_500);
});

it('room never exceeds the limit that the test names', () => {
  expect(crowdsOf(() => 1_000)().roomMs(100, 1_000)).toBe(1_000);
});

it('the watch can read this machine', () => {
  expect(watchCrowd().roomMs(100)).toBeGreaterThanOrEqual(100);
});
