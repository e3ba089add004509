import { expect, it } from 'vitest';
import { checkExercise, describeOutcome } from './exercise.ts';
import { captionOf, drawFigure } from './figure.ts';
import type { Lab, Result } from './lab.ts';
import { runLab } from './measure.ts';
import { notANumber } from './keep.ts';
import { askPrediction, readAnswer } from './predict.ts';
import { describeResult, middleOf } from './present.ts';

const quiet = { quick: false, base: 0, dials: {}, say: () => undefined };

/** A lab of two coins: no process, no time. */
function coins(measured: string[], closed: string[] = []): Lab {
  return {
    name: 'coins',
    claim: 'a coin is fair',
    question: 'Which coin?',
    needs: 'node',
    rounds: { quick: 1, full: 3 },
    prediction: { kind: 'choice', asks: 'Which?', choices: { a: 'the first', b: 'the second' }, right: 'b' },
    dials: { worth: { value: 2, min: 1, max: 9, unit: 'cents', says: 'worth of the second' } },
    arms: [
      { name: 'first', says: 'one' },
      { name: 'second', says: 'the other' },
    ],
    control: 'first',
    quantities: { heads: { unit: '%', says: 'heads' } },
    statements: [
      {
        says: 'the second',
        quantity: 'heads',
        of: 'second',
        against: 'first',
        as: 'difference',
        above: 0,
        margin: 0,
        found: 'holds',
        inQuick: 'held',
      },
    ],
    figure: (result) => ({
      title: 'Heads of two coins, thrown by the same hand on the same table on the same day',
      mark: 'bar',
      x: { field: 'heads', title: 'heads (%)', type: 'quantitative' },
      y: { field: 'coin', title: '', type: 'nominal' },
      points: ['first', 'second'].map((coin) => ({ coin, heads: middleOf(result, coin, 'heads') })),
    }),
    exercise: {
      task: 'Double it.',
      set: { worth: 4 },
      asks: 'How much?',
      unit: '%',
      answer: (result) => middleOf(result, 'second', 'heads'),
      withinPart: 0.25,
      withinAtLeast: 0.5,
      why: 'So.',
    },
    async open({ dials }) {
      return {
        async measure(arm) {
          measured.push(arm);
          if (arm === 'broken') throw new Error('no coin');
          return { heads: arm === 'first' ? 1 : dials['worth']! };
        },
        close: async () => void closed.push('closed'),
      };
    },
  };
}

it('each round measures each arm once and the control twice, in an order that rotates', async () => {
  const measured: string[] = [];
  const result = await runLab(coins(measured), quiet);
  expect(result.samples.map(({ arm }) => arm)).toEqual([
    'first',
    'second',
    'first (again)',
    'second',
    'first (again)',
    'first',
    'first (again)',
    'first',
    'second',
  ]);
  expect(measured).toHaveLength(9);
  expect(result.judged[0]).toMatchObject({ verdict: 'holds', interval: { middle: 1, low: 1, high: 1 } });
});

it('a lab is closed where an arm cannot be measured, and where it is interrupted', async () => {
  const closed: string[] = [];
  const lab = coins([], closed);
  await expect(runLab({ ...lab, arms: [{ name: 'broken', says: '' }] }, quiet)).rejects.toThrow('no coin');
  await expect(runLab(lab, { ...quiet, interrupted: () => true })).rejects.toThrow('interrupted');
  expect(closed).toEqual(['closed', 'closed']);
});

it('the result says what was predicted, and the figure has its units, rounds and date in both shades', async () => {
  const lab = coins([]);
  const result: Result = { ...(await runLab(lab, quiet)), at: '2026-03-04T05:06:07Z' };
  const text = describeResult(lab, result, 'a').join('\n');
  expect(text).toContain('You predicted: a) the first');
  expect(text).toContain('b) the second');
  expect(text).toContain('The claim "a coin is fair": holds.');
  expect(captionOf(lab, result)).toMatch(/^3 rounds · 2026-03-04 · \d+ cores, Node \d/);
  for (const shade of ['light', 'dark'] as const) {
    const svg = await drawFigure(lab, result, shade);
    expect(svg).toContain('heads (%)');
    expect(svg).toContain('2026-03-04');
    expect(Number(/<svg[^>]* width="(\d+)/.exec(svg)![1])).toBeLessThanOrEqual(420);
  }
});

it('a prediction is asked for until it can be read, and Enter gives none', async () => {
  const { prediction } = coins([]);
  const answers = ['z', 'B '];
  expect(
    await askPrediction(
      prediction,
      async () => answers.shift()!,
      () => undefined,
    ),
  ).toBe('b');
  expect(
    await askPrediction(
      prediction,
      async () => '',
      () => undefined,
    ),
  ).toBeUndefined();
  const told: string[] = [];
  expect(await askPrediction(prediction, undefined, (line) => void told.push(line))).toBeUndefined();
  expect(told.slice(0, 3), 'what it would ask').toEqual([
    prediction.asks,
    expect.stringMatching(/^ {2}a\) /),
    expect.stringMatching(/^ {2}b\) /),
  ]);
  expect(told.at(-1)).toContain('--predict');
  expect(() => readAnswer(prediction, 'zzz'), 'a wrong letter is told what the letters mean').toThrow(/not zzz:\n.*\n {2}a\) /);
  expect(() => readAnswer({ kind: 'number', asks: '', unit: 'ms' }, 'ten')).toThrow('a number is asked for (ms), not ten');
});

it('an exercise says right within its bounds, and else what was measured', async () => {
  const lab = coins([]);
  const result = await runLab(lab, { ...quiet, dials: lab.exercise.set });
  expect(checkExercise(lab.exercise, 5, result)).toMatchObject({ right: true });
  expect(describeOutcome(checkExercise(lab.exercise, 2, result)).join('\n')).toContain('NOT YET  You said 2, the run measured 4 %');
});

it('a result that was JSON on its way says of what was left out that it is no number', () => {
  const interval = { middle: Number.NaN, low: 1, high: Number.NaN };
  const read = JSON.parse(JSON.stringify({ judged: [{ interval }] }), notANumber) as { judged: [{ interval: typeof interval }] };
  expect(read.judged[0].interval).toEqual(interval);
});
