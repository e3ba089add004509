/** The tables, goals and chart of `npm run bench -- revocation`. */
import { type Column, rangeBars, table } from '../measuring/figures.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Mode } from '../measuring/people.ts';
import type { Report, Verdict } from '../measuring/report.ts';
import type { RevocationMeasured } from './revocation.ts';
import { quantile } from '../measuring/statistics.ts';

const feedP99GoalMs = 50;
/** docs/sessions.md: the lease of 2 s, and half a second to notice. */
const cutBoundMs = 2_500;
/**
 * The promise of a mode while all parts are there. A service does not ask auth: it accepts a
 * passport of any mode until it hears of the end.
 */
const boundMs = ({ mode, where }: Row): number =>
  mode === 'jwt' ? 5 * 60_000 : mode === 'reference' && where.startsWith('gateway') ? 0 : cutBoundMs;
const trialCountGoal = 10_000;

const ms = (value: number): string => (value >= 1_000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`);

interface Row {
  readonly where: string;
  readonly mode: Mode;
  readonly lags: readonly number[];
}

export function revocationReport(measured: RevocationMeasured, machine: Machine, command: string): Report {
  const rows: Row[] = measured.trials.flatMap(({ mode, lags }) =>
    Object.entries(lags).map(([where, values]) => ({ where, mode, lags: values })),
  );
  return {
    name: 'revocation',
    title: 'How fast a logout takes effect',
    machine: { ...machine, pinned: false },
    command,
    method: [
      'A trial: a session that all four know (two gateways by its cookie; cart and profile asked straight over gRPC with its last passport or access token) is logged out at gateway-1. From the 204 on each is asked every 2 ms until it has refused 5 times in a row. The lag is the time from the 204 to the arrival of the last answer that was an acceptance, 0 where there was none.',
      `Meanwhile ${Math.round(measured.loadPerSecond)} requests a second of other people come in at gateway-2. Percentiles are of all trials, by rank. The halves are every other trial: what their p99 differ by is noise.`,
      'Cut: gateway-2 is cut from Kafka by a proxy, or the broker is paused (SIGSTOP); all sessions of a cut are logged out at gateway-1 at once and asked for at gateway-2 about every 100 ms.',
    ],
    tables: [
      table('All parts there', rows, [['mode', ({ mode }) => mode], ['at', ({ where }) => where], ...lagColumns]),
      table('Feed cut, mode hybrid, at the gateway that cannot hear', measured.cuts, [
        ['how', ({ how }) => how],
        ['cuts', ({ cuts }) => String(cuts)],
        ...lagColumns,
      ]),
    ],
    verdicts: verdictsOf(measured, rows),
    charts: [
      rangeBars(
        'From the acknowledged logout to the last acceptance: p99 (line: p50 to max)',
        'milliseconds',
        rows.map(({ mode, where, lags }) => ({
          name: `${mode} at ${where}`,
          spread: { median: quantile(lags, 0.99), low: quantile(lags, 0.5), high: Math.max(...lags) },
        })),
      ),
    ],
    data: { loadPerSecond: measured.loadPerSecond, trials: rows.map(summary), cuts: measured.cuts.map(summary) },
  };
}

const lagColumns: readonly Column<{ readonly lags: readonly number[] }>[] = [
  ['trials', ({ lags }) => String(lags.length)],
  ['p50', ({ lags }) => ms(quantile(lags, 0.5))],
  ['p99', ({ lags }) => ms(quantile(lags, 0.99))],
  ['max', ({ lags }) => ms(Math.max(...lags))],
  ['p99 of each half (A/A)', ({ lags }) => [0, 1].map((half) => ms(quantile(everyOther(lags, half), 0.99))).join(', ')],
];

const everyOther = (lags: readonly number[], half: number): number[] => lags.filter((_, index) => index % 2 === half);

/** The file would be too long to read with every lag of ten thousand trials. */
function summary<Kind extends { readonly lags: readonly number[] }>({ lags, ...rest }: Kind) {
  const at = (part: number): number => Math.round(quantile(lags, part) * 10) / 10;
  return { ...rest, trials: lags.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function verdictsOf({ cuts }: RevocationMeasured, rows: readonly Row[]): Verdict[] {
  const beyond = rows.flatMap((row) => row.lags.filter((lag) => lag > boundMs(row))).length;
  const cutLags = cuts.flatMap(({ lags }) => lags);
  const late = cutLags.filter((lag) => lag > cutBoundMs).length;
  const count = rows.reduce((sum, { lags }) => sum + lags.length, 0) + cutLags.length;
  return [
    ...rows
      .filter(({ mode }) => mode === 'hybrid' || mode === 'jwt-denylist')
      .map(({ mode, where, lags }) => {
        const p99 = quantile(lags, 0.99);
        return { goal: `${mode} at ${where}: p99 at most ${feedP99GoalMs} ms`, measured: ms(p99), met: p99 <= feedP99GoalMs };
      }),
    ...cuts.map(({ how, lags }) => ({
      goal: `feed cut (${how}): at most ${ms(cutBoundMs)}`,
      measured: `${ms(Math.max(...lags))} at most`,
      met: Math.max(...lags) <= cutBoundMs,
    })),
    {
      goal: `no acceptance beyond a mode's bound in ${trialCountGoal} trials or more`,
      measured: `${beyond + late} in ${count}`,
      met: beyond + late === 0 && count >= trialCountGoal,
    },
  ];
}
