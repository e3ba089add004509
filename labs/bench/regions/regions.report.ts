/** The tables, the goals and the picture of `npm run bench -- regions`. */
import { ms, table, type Column } from '../measuring/figures.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Verdict } from '../measuring/report.ts';
import { quantile } from '../measuring/statistics.ts';
import type { CutMeasured, Met } from './regions.cut.ts';
import { type RegionsMeasured, rttsMs, type Timed } from './regions.ts';
import { places } from './regions.world.ts';

/** A lease: abroad has heard of the end, or asks home. */
const leaseMs = 2_000;
/** One and a half round trips and 250 ms: half a trip to abroad, half a trip each way for MirrorMaker's question, and its own time. */
const p99GoalMs = (rttMs: number): number => 1.5 * rttMs + 250;
export const trialCountGoal = 1_000;

/** These must not be served while home is away, since nobody else knows the truth about them. */
const refused: ReadonlySet<string> = new Set([
  'list the devices',
  'change the profile',
  'read the cart, the first time there',
  'sign in, account of home',
]);
const unreachable = '503 home_region_unreachable';

export function regionsReport(measured: RegionsMeasured, machine: Machine, command: string): Report {
  const { timed, lags, trialRttMs, cuts } = measured;
  return {
    name: 'regions',
    title: 'What an ocean costs',
    machine,
    command,
    method: [
      'Two regions of `npm start -- --profile regions` on one machine, 20 processes; people live in eu (home) and are also asked for in us (abroad). One request is under way at a time.',
      `Everything is measured at each length of the ocean in turn, in rounds whose order rotates; n is the number of requests over all rounds.`,
      `Revocation at a round trip of ${trialRttMs} ms: a guest signs out at home while abroad, where the guest is known, is asked without a pause; the time counts from the acknowledgement to the arrival of the last acceptance, and four trials are under way at a time.`,
      'While cut: after the lease has ended, so a person who is known abroad is served by the passport. An answer counts whatever it is.',
    ],
    tables: [
      table('Round trip and place', timed, timedColumns),
      table('From a sign-out at home to the last acceptance abroad', [{ lags }], lagColumns),
      ...cuts.map(({ name, met }) => table(`The ocean is ${name}`, met, metColumns)),
    ],
    verdicts: verdictsOf(measured),
    charts: [
      {
        title: 'Median of each operation, by round trip',
        mark: 'bar',
        values: timed
          .filter(({ operation }) => !operation.endsWith('again'))
          .map(({ operation, place, rttMs, ms: took }) => ({
            name: `${operation}, ${place}`,
            value: quantile(took, 0.5),
            rtt: `${rttMs} ms`,
          })),
        x: { field: 'value', title: 'ms', type: 'quantitative' },
        y: { field: 'name', title: '', type: 'nominal' },
        colour: 'rtt',
      },
    ],
    data: {
      timed: timed.map(({ ms: took, ...rest }) => ({ ...rest, ...summary(took) })),
      revocation: { rttMs: trialRttMs, ...summary(lags) },
      cuts: cuts.map(({ name, met }) => ({ name, met: met.map(({ ms: took, ...rest }) => ({ ...rest, ...summary(took) })) })),
    },
  };
}

const timedColumns: readonly Column<Timed>[] = [
  ['operation', ({ operation }) => operation.replace(' again', ' again (A/A)')],
  ['at', ({ place }) => place],
  ['round trip', ({ rttMs }) => `${rttMs} ms`],
  ['n', ({ ms: took }) => String(took.length)],
  ['p50', ({ ms: took }) => ms(quantile(took, 0.5))],
  ['p99', ({ ms: took }) => ms(quantile(took, 0.99))],
];

const lagColumns: readonly Column<{ readonly lags: readonly number[] }>[] = [
  ['trials', ({ lags }) => String(lags.length)],
  ['p50', ({ lags }) => ms(quantile(lags, 0.5))],
  ['p99', ({ lags }) => ms(quantile(lags, 0.99))],
  ['max', ({ lags }) => ms(Math.max(...lags))],
  ['p99 of each half (A/A)', ({ lags }) => [0, 1].map((half) => ms(quantile(everyOther(lags, half), 0.99))).join(', ')],
];

const everyOther = (values: readonly number[], half: number): number[] => values.filter((_, index) => index % 2 === half);

const metColumns: readonly Column<Met>[] = [
  ['operation', ({ operation }) => operation],
  ['at', ({ place }) => place],
  ['n', ({ ms: took }) => String(took.length)],
  ['answers', ({ answers }) => answers.map(([answer, count]) => `${answer} (${count})`).join(', ')],
  ['p50', ({ ms: took }) => ms(quantile(took, 0.5))],
  ['p99', ({ ms: took }) => ms(quantile(took, 0.99))],
];

function summary(values: readonly number[]) {
  const at = (part: number): number => Math.round(quantile(values, part) * 10) / 10;
  return { n: values.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** @returns the answers to what must be refused in a cut, that were no refusal */
const wronglyServed = ({ met }: CutMeasured): number =>
  met
    .filter(({ operation }) => refused.has(operation))
    .flatMap(({ answers }) => answers)
    .filter(([answer]) => !answer.startsWith('5'))
    .reduce((sum, [, count]) => sum + count, 0);

const countOf = (met: readonly Met[]): number => met.reduce((sum, { ms: took }) => sum + took.length, 0);

function verdictsOf({ lags, trialRttMs, cuts, timed }: RegionsMeasured): Verdict[] {
  const p99 = quantile(lags, 0.99);
  const late = lags.filter((lag) => lag > leaseMs).length;
  const served = cuts.reduce((sum, cut) => sum + wronglyServed(cut), 0);
  const asked = cuts.flatMap(({ met }) => met).filter(({ operation }) => refused.has(operation));
  const told = asked.flatMap(({ answers }) => answers).filter(([answer]) => answer !== unreachable);
  const needless = cuts.flatMap(({ met }) => met).filter(({ operation }) => !refused.has(operation));
  const lost = needless.flatMap(({ answers }) => answers).filter(([answer]) => !answer.startsWith('2'));
  const p50 = (place: (typeof places)[number], rttMs: number) =>
    quantile(timed.find((row) => row.operation === 'read the cart' && row.place === place && row.rttMs === rttMs)?.ms ?? [], 0.5);
  const longest = rttsMs.at(-1)!;
  return [
    {
      goal: `what home ended is refused abroad: p99 at most ${p99GoalMs(trialRttMs)} ms (one and a half round trips and 250 ms)`,
      measured: ms(p99),
      met: p99 <= p99GoalMs(trialRttMs),
    },
    {
      goal: `no acceptance beyond the lease (${leaseMs} ms) in ${trialCountGoal} trials or more`,
      measured: `${late} in ${lags.length}`,
      met: late === 0 && lags.length >= trialCountGoal,
    },
    {
      goal: 'a known person reads abroad without the ocean: at 200 ms within a quarter of a round trip of home',
      measured: `${ms(p50('abroad', longest))} against ${ms(p50('home', longest))}`,
      met: p50('abroad', longest) - p50('home', longest) < longest / 4,
    },
    {
      goal: 'while cut, whatever does not need the other side is served',
      measured: `${lost.reduce((sum, [, count]) => sum + count, 0)} refused of ${countOf(needless)}`,
      met: lost.length === 0,
    },
    {
      goal: 'while cut, nothing that needs home is served abroad',
      measured: `${served} of ${countOf(asked)}; ${told.reduce((sum, [, count]) => sum + count, 0)} refused in other words than ${unreachable}`,
      met: served === 0,
    },
  ];
}
