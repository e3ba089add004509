/** The goals of the report, by made-up figures. regions.regions.e2e.ts measures real ones. */
import { expect, it } from 'vitest';
import { describeMachine } from '../measuring/machine.ts';
import type { Met } from './regions.cut.ts';
import { regionsReport, trialCountGoal } from './regions.report.ts';
import { type RegionsMeasured, rttsMs } from './regions.ts';
import { places } from './regions.world.ts';

const machine = describeMachine(new Date());
const met = (operation: string, answer: string): Met => ({ operation, place: 'abroad', ms: [3, 4], answers: [[answer, 2]] });
const unreachable = '503 home_region_unreachable';

function measured(changes: Partial<RegionsMeasured> = {}): RegionsMeasured {
  const timed = rttsMs.flatMap((rttMs) => places.map((place) => ({ operation: 'read the cart', place, rttMs, ms: [5, 6, 7] })));
  const lags = Array.from({ length: trialCountGoal }, (_, index) => 90 + (index % 100));
  const cuts = [{ name: 'cut both ways', met: [met('read the cart, known there', '200'), met('list the devices', unreachable)] }];
  return { timed, lags, trialRttMs: 80, cuts, ...changes };
}
const goals = (changes?: Partial<RegionsMeasured>) => regionsReport(measured(changes), machine, 'x').verdicts.map((verdict) => verdict.met);

it('meets its goals with answers that are on time and refusals that are due', () => {
  expect(goals()).toEqual([true, true, true, true, true]);
});

it('misses one for each thing that may not be', () => {
  expect(goals({ lags: Array.from({ length: trialCountGoal }, () => 500) })).toEqual([false, true, true, true, true]);
  expect(goals({ lags: [...measured().lags, 2_001] })[1]).toBe(false);
  expect(goals({ lags: [100] })[1]).toBe(false);
  const slow = measured().timed.map((row) => (row.place === 'abroad' && row.rttMs === 200 ? { ...row, ms: [205] } : row));
  expect(goals({ timed: slow })).toEqual([true, true, false, true, true]);
  expect(goals({ cuts: [{ name: 'cut', met: [met('list the devices', '200')] }] })[4]).toBe(false);
  expect(goals({ cuts: [{ name: 'cut', met: [met('sign in, account of home', '401 invalid_credentials')] }] })[4]).toBe(false);
  expect(goals({ cuts: [{ name: 'cut', met: [met('read the cart, known there', '401 session_ended')] }] })[3]).toBe(false);
});

it('counts a refusal in other words, and shows each answer with its count', () => {
  const report = regionsReport(
    measured({ cuts: [{ name: 'cut', met: [met('list the devices', '504 deadline_exceeded')] }] }),
    machine,
    'x',
  );
  expect(report.verdicts[4]!.measured).toBe('0 of 2; 2 refused in other words than 503 home_region_unreachable');
  expect(report.tables.at(-1)!.rows[0]).toEqual(['list the devices', 'abroad', '2', '504 deadline_exceeded (2)', '4.00 ms', '4.00 ms']);
});
