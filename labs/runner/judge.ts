/** Turns samples into verdicts: an interval by bootstrap over the rounds decides, and only where the control found no difference. */
import { randomOf } from '../chaos/random.ts';
import { median } from '../bench/measuring/statistics.ts';
import { again, type Interval, type Judged, type Lab, type Result, type Sample, type Statement } from './lab.ts';

/** Each interval is that of this share of resampled runs: at most one in a thousand is beyond either end. */
const coverage = 0.998;
const resampleCount = 4_000;

export function judge(lab: Pick<Lab, 'statements' | 'control'>, samples: readonly Sample[]): Judged[] {
  return lab.statements.map((statement) => judgeOne(statement, lab.control, samples));
}

function judgeOne(statement: Statement, controlArm: string, samples: readonly Sample[]): Judged {
  const { says, above, margin, of, against, as } = statement;
  const interval = intervalOf(effects(statement, of, against, samples));
  const control = intervalOf(effects(statement, `${controlArm}${again}`, controlArm, samples));
  const neutral = as === 'ratio' ? 1 : 0;
  const apart = Math.max(control.high - neutral, neutral - control.low);
  const judged = { says, interval, control };
  if (!Number.isFinite(interval.middle) || !Number.isFinite(apart))
    return { ...judged, verdict: 'not resolved', why: 'an arm measured nothing' };
  if (apart > margin)
    return {
      ...judged,
      verdict: 'not resolved',
      why: `the same arm, measured twice, differs by up to ${short(apart)}; ${short(margin)} is allowed`,
    };
  if (interval.low > above) return { ...judged, verdict: 'holds' };
  if (interval.high <= above) return { ...judged, verdict: 'does not hold' };
  return { ...judged, verdict: 'not resolved', why: `the interval contains ${short(above)}; more rounds would make it narrower` };
}

/** The effect in each round: both arms of a round were measured within seconds of each other. */
function effects({ quantity, as }: Statement, of: string, against: string, samples: readonly Sample[]): number[] {
  const valueOf = (arm: string, round: number) => samples.find((one) => one.arm === arm && one.round === round)?.measured[quantity];
  const rounds = [...new Set(samples.map(({ round }) => round))];
  return rounds.map((round) => {
    const [one, other] = [valueOf(of, round) ?? Number.NaN, valueOf(against, round) ?? Number.NaN];
    return as === 'ratio' ? one / other : one - other;
  });
}

/** A percentile bootstrap of the median. The seed is fixed, so the same samples give the same verdict. */
export function intervalOf(values: readonly number[]): Interval {
  const random = randomOf(1);
  const medians = Array.from({ length: resampleCount }, () =>
    median(values.map(() => values[Math.floor(random.next() * values.length)] ?? Number.NaN)),
  ).toSorted((a, b) => a - b);
  const cut = Math.floor((resampleCount * (1 - coverage)) / 2);
  return { middle: median(values), low: medians[cut] ?? Number.NaN, high: medians[resampleCount - 1 - cut] ?? Number.NaN };
}

export const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Compares a run with what full runs have found. @returns a sentence for each difference */
export function againstFound(lab: Pick<Lab, 'statements'>, { quick, judged }: Pick<Result, 'quick' | 'judged'>): string[] {
  return lab.statements.flatMap(({ says, found, inQuick }, index) => {
    const { verdict, why } = judged[index]!;
    if (verdict === found || (quick && inQuick === 'shown')) return [];
    return [`"${says}" ${verdict}${why === undefined ? '' : ` (${why})`}, and full runs say: ${found}`];
  });
}
