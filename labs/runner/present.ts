/** A result as text: the table, what was predicted beside what was measured, and the verdicts. */
import { align } from '../../infra/cli/status.ts';
import { median } from '../bench/measuring/statistics.ts';
import { short } from './judge.ts';
import type { Interval, Lab, Prediction, Result } from './lab.ts';

const armNames = (result: Result): string[] => [...new Set(result.samples.map(({ arm }) => arm))];

/** The median over the rounds; NaN where the arm has none. */
export const middleOf = (result: Result, arm: string, quantity: string): number =>
  median(result.samples.filter((one) => one.arm === arm).map(({ measured }) => measured[quantity] ?? Number.NaN));

export function describeResult(lab: Lab, result: Result, predicted: string | undefined): string[] {
  const [first] = result.judged;
  const { head, rows } = tableOf(lab, result);
  return [
    '',
    ...align([head, ...rows]),
    ...Object.entries(result.stories).flatMap(([arm, story]) => ['', `What happened in ${arm}:`, story]),
    '',
    ...(predicted === undefined ? [] : predictedLines(lab.prediction, predicted)),
    ...result.judged.flatMap(({ says, verdict, interval, control, why }) => [
      `${verdict.toUpperCase().padEnd(14)} ${says}`,
      `${''.padEnd(14)} ${spell(interval)}; the same arm twice: ${spell(control)}${why === undefined ? '' : `. Why: ${why}`}`,
    ]),
    '',
    `The claim "${lab.claim}": ${first?.verdict ?? 'not resolved'}${result.quick ? ', by a quick run' : ''}.`,
  ];
}

/** Medians over the rounds, a row for each arm. */
export function tableOf(lab: Lab, result: Result): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const quantities = Object.entries(lab.quantities);
  const head = ['', ...quantities.map(([name, { unit }]) => (unit === '' ? name : `${name} (${unit})`))];
  return { head, rows: armNames(result).map((arm) => [arm, ...quantities.map(([name]) => shown(middleOf(result, arm, name)))]) };
}

/** A quick run leaves out what none of its statements is about. */
const shown = (value: number): string => (Number.isNaN(value) ? '' : short(value));

export const spell = ({ middle, low, high }: Interval): string => `${short(middle)} (${short(low)} to ${short(high)})`;

function predictedLines(prediction: Prediction, answer: string): string[] {
  const said = `You predicted: ${spellPrediction(prediction, answer)}`;
  if (prediction.kind === 'number') return [said];
  return answer === prediction.right ? [`${said}. So it is.`] : [said, `It is:         ${spellPrediction(prediction, prediction.right)}`];
}

export function spellPrediction(prediction: Prediction, answer: string): string {
  return prediction.kind === 'choice' ? `${answer}) ${prediction.choices[answer] ?? '?'}` : `${answer} ${prediction.unit}`.trim();
}
