import { afterEach, expect, it, vi } from 'vitest';
import { boundedLook, lookAtLog, openFeedStatus, readinessAnswer } from './readiness.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('a part that is stuck is told in words and leaves the process ready, a part that another replica could do better does not', () => {
  const stuck = readinessAnswer({ log: { ok: true, degraded: 'stands still' }, store: { ok: true } });
  expect([stuck.status, stuck.body.ready, stuck.body.degraded]).toEqual([200, true, ['log: stands still']]);
  expect(readinessAnswer({ store: { ok: false } })).toMatchObject({ status: 503, body: { ready: false, degraded: [] } });
});

it('a feed without a lease is told within ten seconds, also when it never had one, and not before it can have one', () => {
  let nowMs = 1_000;
  let leaseAgeMs = Number.POSITIVE_INFINITY;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const status = openFeedStatus({ leaseAgeMs: () => leaseAgeMs, leaseValid: () => leaseAgeMs < 2_000 }, clock);
  expect(status()).toMatchObject({ ok: true, leased: false });
  expect(status().degraded).toBeUndefined();
  nowMs += 8_000;
  expect(status()).toMatchObject({ ok: true, degraded: expect.stringContaining('no lease for 8 s') });
  leaseAgeMs = 300;
  expect(status()).toMatchObject({ leased: true, leaseAgeMs: 300 });
  expect(status().degraded).toBeUndefined();
  leaseAgeMs = 6_000;
  expect(status().degraded).toContain('no lease for 6 s');
});

it('a flood of questions costs at most ten looks a second, one at a time, and gets an answer of that second', async () => {
  let nowMs = 0;
  let looks = 0;
  let underWay = 0;
  let underWayMax = 0;
  const look = boundedLook(
    async () => {
      underWayMax = Math.max(underWayMax, ++underWay);
      await Promise.resolve();
      underWay--;
      return ++looks;
    },
    () => nowMs,
  );
  await Promise.all(Array.from({ length: 500 }, look));
  for (let asked = 0; asked < 500; asked++) await look();
  expect([looks, underWayMax]).toEqual([10, 1]);
  nowMs += 1_000;
  expect(await look()).toBe(11);
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

it('a look that failed is not the answer for ever', async () => {
  let fails = true;
  const look = boundedLook(
    () => (fails ? Promise.reject(new Error('away')) : Promise.resolve('well')),
    () => 0,
  );
  await expect(look()).rejects.toThrow('away');
  fails = false;
  expect(await look()).toBe('well');
});
