/** The tables and goals of `npm run bench -- store`. */
import { middle, range, rate, table, two } from '../measuring/figures.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { spread, type Spread } from '../measuring/statistics.ts';
import type { StoreMeasured } from './store.ts';

const recordBytesGoal = 400;
const allBytesGoal = 800;
/** Parts of the rate of a plain GET, by requests in flight. */
const readGoals: Readonly<Record<number, number>> = { 1: 0.7, 64: 0.55 };
/** "Flat": the ratio at the largest number of sessions is at least this part of the ratio at the smallest. */
const flatGoal = 0.9;

export function storeReport(measured: StoreMeasured, machine: Machine, command: string): Report {
  const rows = measured.reads.map(({ sessionCount, concurrency, pairs }) => ({
    sessionCount,
    concurrency,
    ratio: spread(pairs.map(({ resolvePerSecond, getPerSecond }) => resolvePerSecond / getPerSecond)),
    noise: spread(pairs.map(({ getPerSecond, getAgainPerSecond }) => getPerSecond / getAgainPerSecond)),
    resolve: middle(pairs, ({ resolvePerSecond }) => resolvePerSecond),
    get: middle(pairs, ({ getPerSecond }) => getPerSecond),
  }));
  const pairCount = measured.reads[0]?.pairs.length ?? 0;
  return {
    name: 'store',
    title: 'What a session costs the store',
    machine,
    command,
    method: [
      'Round trips are commands as MONITOR shows them, those that a script calls inside the server left out.',
      "Bytes are MEMORY USAGE of every key of a user's one session after one rotation: a record with every field filled, the index with the epoch, and one tombstone.",
      `Reading: \`resolve\` of a random session against GET of a value as long, through the same client (ioredis) and connection, ${pairCount} interleaved pairs each; the ratio is taken within a pair. The last column is GET against GET in the same pairs: what differs from 1 there is noise. Round trips and bytes are counted, and have none.`,
    ],
    tables: tablesOf(measured, rows),
    verdicts: verdictsOf(measured, rows),
    charts: [
      {
        title: "Reading a session, as part of a plain GET's rate",
        mark: 'line',
        values: rows.map(({ sessionCount, concurrency, ratio }) => ({
          sessions: sessionCount,
          ratio: ratio.median,
          low: ratio.low,
          high: ratio.high,
          flight: `${concurrency} in flight`,
        })),
        x: { field: 'sessions', title: 'sessions in the store', type: 'quantitative', scale: 'log' },
        y: { field: 'ratio', title: 'resolve / GET', type: 'quantitative' },
        colour: 'flight',
      },
    ],
    data: measured,
  };
}

type Row = {
  readonly sessionCount: number;
  readonly concurrency: number;
  readonly ratio: Spread;
  readonly noise: Spread;
  readonly resolve: number;
  readonly get: number;
};

type Counted = readonly [name: string, count: number];
const counted = (title: string, of: string, what: string, rows: readonly Counted[]): Table =>
  table(title, rows, [
    [of, ([name]) => name],
    [what, ([, count]) => String(count)],
  ]);

const tablesOf = ({ roundTrips, bytes, bytesOfAll }: StoreMeasured, rows: readonly Row[]): Table[] => [
  counted('Round trips', 'operation', 'commands sent', Object.entries(roundTrips)),
  counted('Bytes', 'of', 'bytes', [...Object.entries(bytes.parts), ['all', bytes.all]]),
  table('Reading', rows, [
    ['sessions', ({ sessionCount }) => String(sessionCount)],
    ['in flight', ({ concurrency }) => String(concurrency)],
    ['resolve', ({ resolve }) => rate(resolve)],
    ['GET', ({ get }) => rate(get)],
    ['resolve / GET (range of pairs)', ({ ratio }) => range(ratio)],
    ['GET / GET again (A/A)', ({ noise }) => range(noise)],
  ]),
  counted(
    "Memory of guests' sessions, the server's own overhead included",
    'sessions',
    'bytes each',
    bytesOfAll.map(({ sessionCount, bytesEach }) => [String(sessionCount), bytesEach]),
  ),
];

function verdictsOf({ roundTrips, bytes }: StoreMeasured, rows: readonly Row[]): Verdict[] {
  const mostTrips = Math.max(...Object.values(roundTrips));
  return [
    { goal: 'every operation is one round trip', measured: `${mostTrips} at most`, met: mostTrips === 1 },
    { goal: `a record has ${recordBytesGoal} bytes at most`, measured: String(bytes.record), met: bytes.record <= recordBytesGoal },
    { goal: `with index, epoch and a tombstone ${allBytesGoal} at most`, measured: String(bytes.all), met: bytes.all <= allBytesGoal },
    ...Object.entries(readGoals).map(([concurrency, goal]) => {
      const worst = Math.min(...rows.filter((row) => row.concurrency === Number(concurrency)).map(({ ratio }) => ratio.median));
      return { goal: `resolve is ${goal} of GET with ${concurrency} in flight`, measured: `${two(worst)} at worst`, met: worst >= goal };
    }),
    ...Object.keys(readGoals).map((concurrency) => {
      const ofThese = rows.filter((row) => row.concurrency === Number(concurrency));
      const flat = ofThese.at(-1)!.ratio.median / ofThese[0]!.ratio.median;
      const [few, many] = [ofThese[0]!.sessionCount, ofThese.at(-1)!.sessionCount];
      return {
        goal: `flat from ${few} to ${many} sessions, ${concurrency} in flight`,
        measured: `${two(flat)} of the ratio`,
        met: flat >= flatGoal,
      };
    }),
  ];
}
