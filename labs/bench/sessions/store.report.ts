/** The tables and goals of `npm run bench -- store`. */
import { middle, range, rate, table, two } from '../measuring/figures.ts';
import { type Bounds, graded } from '../measuring/goals.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { spread, type Spread } from '../measuring/statistics.ts';
import type { StoreMeasured } from './store.ts';

const recordBytesGoal: Bounds = { goal: 320, least: 400 };
const allBytesGoal: Bounds = { goal: 600, least: 700 };
/** Parts of the rate of a plain GET, by requests in flight. */
const readGoals: Readonly<Record<number, Bounds>> = { 1: { goal: 0.9, least: 0.75 }, 64: { goal: 0.7, least: 0.5 } };
/** "Flat": the ratio at the largest number of sessions is at least this part of the ratio at the smallest. */
const flatGoal = 0.9;

export function storeReport(measured: StoreMeasured, machine: Machine, command: string): Report {
  const rows = measured.reads.map(({ sessionCount, concurrency, pairs }) => ({
    sessionCount,
    concurrency,
    ratio: spread(pairs.map(({ resolve, get }) => resolve.perSecond / get.perSecond)),
    noise: spread(pairs.map(({ get, getAgain }) => get.perSecond / getAgain.perSecond)),
    byCpu: spread(pairs.map(({ resolve, get }) => get.cpuUs / resolve.cpuUs)),
    first: spread(pairs.map(({ first, getAgain }) => first.perSecond / getAgain.perSecond)),
    resolve: middle(pairs, ({ resolve }) => resolve.perSecond),
    get: middle(pairs, ({ get }) => get.perSecond),
  }));
  const pairCount = measured.reads[0]?.pairs.length ?? 0;
  return {
    name: 'store',
    title: 'What a session costs the store',
    machine,
    command,
    method: [
      'Commands are those that MONITOR shows, without those that a script calls inside the server. `resolve` sends its two in one packet and waits once; reads of one turn of the event loop share the packet and its INFO.',
      "Bytes are MEMORY USAGE of every key of a user's one session after one rotation: a record with every field filled, the index with the epoch, and one tombstone.",
      `Reading: \`resolve\` of a random session against GET of a value as long, through the same client (ioredis) and connection, ${pairCount} interleaved pairs each; the ratio is taken within a pair. "By CPU" is the same ratio by processor time of client and Redis together. "First" is a process that meets each session for the first time, against GET. The last column is GET against GET in the same pairs: what differs from 1 there is noise. Commands and bytes are counted, and have none.`,
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
  readonly byCpu: Spread;
  readonly first: Spread;
  readonly resolve: number;
  readonly get: number;
};

type Counted = readonly [name: string, counted: number | string];
const counted = (title: string, of: string, what: string, rows: readonly Counted[]): Table =>
  table(title, rows, [
    [of, ([name]) => name],
    [what, ([, value]) => String(value)],
  ]);

const tablesOf = ({ commands, bytes, bytesOfAll }: StoreMeasured, rows: readonly Row[]): Table[] => [
  counted('Commands', 'operation', 'commands sent', Object.entries(commands)),
  counted('Bytes', 'of', 'bytes', [...Object.entries(bytes.parts), ['all', bytes.all]]),
  table('Reading', rows, [
    ['sessions', ({ sessionCount }) => String(sessionCount)],
    ['in flight', ({ concurrency }) => String(concurrency)],
    ['resolve', ({ resolve }) => rate(resolve)],
    ['GET', ({ get }) => rate(get)],
    ['resolve / GET (range of pairs)', ({ ratio }) => range(ratio)],
    ['by CPU', ({ byCpu }) => range(byCpu)],
    ['first / GET', ({ first }) => range(first)],
    ['GET / GET again (A/A)', ({ noise }) => range(noise)],
  ]),
  counted(
    "Memory of guests' sessions, the server's own overhead included",
    'sessions',
    'bytes each',
    bytesOfAll.map(({ sessionCount, bytesEach }) => [String(sessionCount), bytesEach]),
  ),
];

function verdictsOf({ commands, bytes }: StoreMeasured, rows: readonly Row[]): Verdict[] {
  const read = commands['resolve'] ?? '';
  const scripts = Object.entries(commands).filter(([name, sent]) => (name.startsWith('resolve') ? false : sent !== 'EVALSHA'));
  return [
    { goal: 'a read asks no script', measured: read, met: read === 'MGET, INFO' },
    { goal: 'any other operation is one script', measured: `${scripts.length} are not`, met: scripts.length === 0 },
    ...graded((bound) => `a record has ${bound} bytes at most`, recordBytesGoal, bytes.record, String(bytes.record)),
    ...graded((bound) => `with index, epoch and a tombstone ${bound} at most`, allBytesGoal, bytes.all, String(bytes.all)),
    ...Object.entries(readGoals).flatMap(([concurrency, goal]) => {
      const worst = Math.min(...rows.filter((row) => row.concurrency === Number(concurrency)).map(({ ratio }) => ratio.median));
      return graded((bound) => `resolve is ${bound} of GET with ${concurrency} in flight`, goal, worst, `${two(worst)} at worst`);
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
