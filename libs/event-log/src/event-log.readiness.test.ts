import { afterEach, expect, it, vi } from 'vitest';
import { lookAtLog } from './event-log.readiness.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('a log that hangs is told in words before a gateway that asks gives up, and one that answers by itself', async () => {
  vi.useFakeTimers();
  const hangs = lookAtLog({ describe: () => new Promise(() => undefined) }, 'kafka');
  await vi.advanceTimersByTimeAsync(400);
  const told = { kind: 'kafka', reachable: false, degraded: 'the event log does not answer' };
  expect(await Promise.race([hangs, Promise.resolve('no answer')])).toEqual(told);
  expect(await lookAtLog({ describe: () => Promise.reject(new Error('away')) }, 'kafka')).toEqual(told);
  const description = { kind: 'kafka', clusterId: 'c' } as const;
  expect(await lookAtLog({ describe: () => Promise.resolve(description) }, 'kafka')).toEqual({ ...description, reachable: true });
});
