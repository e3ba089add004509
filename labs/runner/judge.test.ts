import { expect, it } from 'vitest';
import { againstFound, intervalOf, judge } from './judge.ts';
import { again, type Sample, type Statement } from './lab.ts';

const statement: Statement = {
  says: 'a is slower than b',
  quantity: 'ms',
  of: 'a',
  against: 'b',
  as: 'ratio',
  above: 1.2,
  margin: 0.1,
  found: 'holds',
  inQuick: 'held',
};
/** One sample of each arm in each round. The noise is the same each time, and different in each round. */
const samplesOf = (means: Readonly<Record<string, number>>, rounds = 10): Sample[] =>
  Array.from({ length: rounds }, (_, round) =>
    Object.entries(means).map(([arm, mean], index) => ({
      arm,
      round,
      measured: { ms: mean * (1 + 0.01 * Math.sin(7 * round + 3 * index)) },
    })),
  ).flat();
const verdictOf = (means: Readonly<Record<string, number>>, as: Partial<Statement> = {}) =>
  judge({ statements: [{ ...statement, ...as }], control: 'b' }, samplesOf(means))[0]!;

it('a statement holds where the whole interval is above its bound', () => {
  expect(verdictOf({ a: 2, b: 1, [`b${again}`]: 1 })).toMatchObject({ verdict: 'holds' });
});

it('a statement does not hold where the whole interval is below its bound', () => {
  expect(verdictOf({ a: 1, b: 1, [`b${again}`]: 1 })).toMatchObject({ verdict: 'does not hold' });
  expect(verdictOf({ a: 1, b: 1, [`b${again}`]: 1 }, { as: 'difference', above: 0.5 })).toMatchObject({ verdict: 'does not hold' });
});

it('an interval around the bound resolves nothing', () => {
  expect(verdictOf({ a: 1.2, b: 1, [`b${again}`]: 1 })).toMatchObject({
    verdict: 'not resolved',
    why: expect.stringContaining('contains 1.2'),
  });
});

it('a control that differs from itself resolves nothing, however large the effect', () => {
  expect(verdictOf({ a: 9, b: 1, [`b${again}`]: 1.3 })).toMatchObject({
    verdict: 'not resolved',
    why: expect.stringContaining('measured twice'),
  });
});

it('an arm that measured nothing resolves nothing', () => {
  expect(verdictOf({ a: Number.NaN, b: 1, [`b${again}`]: 1 }).verdict).toBe('not resolved');
  expect(verdictOf({ a: 2, b: 1 }).verdict).toBe('not resolved');
});

it('the interval contains the true median in nearly all of 60 runs of ten rounds', () => {
  let seed = 1;
  const noise = () => ((seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5) * 2;
  const missed = Array.from({ length: 60 }, () => intervalOf(Array.from({ length: 10 }, () => 5 + noise()))).filter(
    ({ low, high }) => low > 5 || high < 5,
  );
  expect(missed.length).toBeLessThanOrEqual(2);
});

it('a quick run is held to what it can decide, and a full run to everything', () => {
  const found = (quick: boolean, inQuick: Statement['inQuick']) =>
    againstFound({ statements: [{ ...statement, inQuick }] }, { quick, judged: [verdictOf({ a: 1, b: 1, [`b${again}`]: 1 })] });
  expect(found(true, 'shown')).toEqual([]);
  expect(found(true, 'held')).toEqual(['"a is slower than b" does not hold, and full runs say: holds']);
  expect(found(false, 'shown')).toHaveLength(1);
});
