import { expect, it } from 'vitest';
import { boundedLook, readinessAnswer } from './readiness.ts';

it('a part that is stuck is told in words and leaves the process ready, a part that another replica could do better does not', () => {
  const stuck = readinessAnswer({ log: { ok: true, degraded: 'stands still' }, store: { ok: true } });
  expect([stuck.status, stuck.body.ready, stuck.body.degraded]).toEqual([200, true, ['log: stands still']]);
  expect(readinessAnswer({ store: { ok: false } })).toMatchObject({ status: 503, body: { ready: false, degraded: [] } });
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
