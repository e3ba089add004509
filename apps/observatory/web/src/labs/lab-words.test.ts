import { expect, it } from 'vitest';
import type { LabResultView, LabRunView } from '../../../src/api.ts';
import { viewOf } from '../frame/focus.ts';
import { machineWords, maySee, numberIn, runWords } from './lab-words.ts';

const prediction = { asks: '', choices: undefined, unit: '', given: undefined };
const run: LabRunView = {
  lab: 'sticky',
  quick: true,
  isExercise: false,
  state: 'running',
  startedAtMs: 0,
  endedAtMs: undefined,
  part: 0.5,
  says: [],
  why: undefined,
  exercise: undefined,
};

it('shows no result before a prediction, unless the person wants that, and hides it while one predicts again', () => {
  expect(maySee({ prediction }, 'usual')).toBe(false);
  expect(maySee({ prediction }, 'skip')).toBe(true);
  expect(maySee({ prediction: { ...prediction, given: 'b' } }, 'usual')).toBe(true);
  expect(maySee({ prediction: { ...prediction, given: 'b' } }, 'again')).toBe(false);
});

it('says the last that a run said, and how it ended', () => {
  expect(runWords(run)).toBe('It starts.');
  expect(runWords({ ...run, says: ['round 1', 'round 2'] })).toBe('round 2');
  expect(runWords({ ...run, state: 'stopped', says: ['round 2'] })).toBe('The run was stopped. Nothing of it is kept.');
  expect(runWords({ ...run, state: 'failed', isExercise: true })).toBe('The exercise did not come to its end.');
});

it('says with each result how many rounds it had and on which machine', () => {
  const machine = { processor: 'Xeon', cores: 2, node: 'v24.21.0', load: '10.9' };
  const result = { rounds: 5, seconds: 61.5, quick: false, machine } as LabResultView;
  expect(machineWords(result)).toBe('5 rounds in 61.5 s · 2 cores of Xeon · Node 24.21.0');
  expect(machineWords({ ...result, rounds: 1, quick: true })).toContain('1 round in 61.5 s, a quick run');
});

it('takes a number as people write it, and nothing else', () => {
  expect([' 20 ', '1,5', '-3', '', 'ten', '1.2.3'].map(numberIn)).toEqual([20, 1.5, -3, undefined, undefined, undefined]);
});

it('moves the focus to a lab as to a view of its own', () => {
  expect(['/labs', '/labs/sticky', '/requests/7', '/'].map(viewOf)).toEqual(['labs', '/labs/sticky', 'requests', '']);
});
