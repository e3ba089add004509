import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inRounds, roundDelayMs, roundDelayMsMax } from './rounds.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('goes on after a round that fails, and tells of it', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  let rounds = 0;
  const end = inRounds(() => (++rounds === 1 ? Promise.reject(new Error('a surprise')) : Promise.resolve()));
  await vi.advanceTimersByTimeAsync(3 * roundDelayMs);
  expect(rounds).toBe(2);
  expect(told).toHaveBeenCalledOnce();
  end();
});

it('asks less and less often, within a bound, until it is ended', async () => {
  let rounds = 0;
  const end = inRounds(() => Promise.resolve(void rounds++));
  await vi.advanceTimersByTimeAsync(10 * roundDelayMsMax);
  const before = rounds;
  expect(before).toBeLessThan(16);
  await vi.advanceTimersByTimeAsync(roundDelayMsMax);
  expect(rounds).toBe(before + 1);
  end();
  await vi.advanceTimersByTimeAsync(10 * roundDelayMsMax);
  expect(rounds).toBe(before + 1);
});
