/** Results from the blocks of `npm run bench -- edge`: ratios to the floor pair by pair, goals, processor time by process. */
import { cpu, lowToHigh, middle, msOfUs, percentiles, range, rangeBars, rate, table, two, us } from '../measuring/figures.ts';
import { type Bounds, graded } from '../measuring/goals.ts';
import { floorBlockOf, systemCpuUs, type Block } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { ratios, spread, type Spread } from '../measuring/statistics.ts';

type Blocks = Record<string, Block[]>;

export interface Measured {
  readonly points: readonly { readonly name: string; readonly floor: string | undefined; readonly storeRttMs: number }[];
  /** Blocks by point, one block for each pair. */
  readonly saturated: Blocks;
  readonly halfLoad: Blocks;
  readonly sameRate: Blocks;
  readonly commonRate: number;
}

/** Throughput as a part of the floor's throughput. */
const goals: Readonly<Record<string, Bounds>> = {
  'hybrid warm': { goal: 0.85, least: 0.78 },
  reference: { goal: 0.37, least: 0.3 },
  'hybrid cold': { goal: 0.35, least: 0.3 },
};
/** Processor time a request of hybrid above the floor's, in microseconds. */
const ownCostGoal: Bounds = { goal: 27, least: 40 };
/** p99 as a multiple of the floor's. */
const tailGoal: Bounds = { goal: 1.5, least: 2 };

export function edgeReport(measured: Measured, machine: Machine, command: string): Report {
  const compared = measured.points.flatMap((point) => {
    if (point.floor === undefined) return [];
    const through = spread(perPair(measured.saturated, point.name, point.floor, ({ perSecond }) => perSecond));
    const tail = spread(perPair(measured.halfLoad, point.name, point.floor, ({ latency }) => latency.p99));
    const byCpu = spread(perPair(measured.saturated, point.floor, point.name, systemCpuUs));
    const [cpuUs, floorCpuUs] = [measured.saturated[point.name]!, measured.saturated[point.floor]!].map((blocks) =>
      blocks.map(systemCpuUs),
    );
    const ownUs = spread(cpuUs!.map((value, pair) => value - floorCpuUs![pair]!));
    return [{ ...point, floor: point.floor, through, tail, byCpu, ownUs }];
  });
  return {
    name: 'edge',
    title: 'What the gateway costs over the least that a front can do',
    machine,
    command,
    method: method(measured),
    tables: [saturatedTable(measured, compared), latencyTable(measured), cpuTable(measured)],
    verdicts: verdictsOf(compared),
    starved: starvedIn(measured),
    charts: [
      rangeBars(
        "Throughput as part of the floor's (median and range of pairs)",
        "of the floor's",
        compared.map(({ name, through }) => ({ name, spread: through })),
        1,
      ),
    ],
    data: measured,
  };
}

export const starvedIn = ({ points, saturated }: Measured): string[] =>
  points.filter(({ floor }) => floor === undefined).flatMap(({ name }) => starvation(name, saturated[name]!.map(floorBlockOf)));

function perPair(blocks: Blocks, name: string, floor: string, field: (block: Block) => number): number[] {
  return ratios(blocks[name]!.map(field), blocks[floor]!.map(field));
}

function method({ saturated, commonRate }: Measured): string[] {
  const pairs = Object.values(saturated)[0]?.length ?? 0;
  return [
    'The backend verifies each new passport as the real cart does. The floor names nobody, so for it there is none to verify.',
    'Rows with "again (A/A)" are the same thing measured once more in each pair: what their ratio differs from 1 is noise.',
    'The floor is bare node:http and grpc-js to the same backend over the same mutual TLS, with the same bytes in its answer and nothing else: no session, no deadline, no trace, no limits.',
    `${pairs} interleaved pairs in a rotating order, each block warmed up first; a ratio is taken within a pair, the table shows the median of the pairs and their range.`,
    'Saturated: 32 connections in a closed loop. Fixed rates: open loop, latency counts from when a request was due (no coordinated omission); percentiles are those of an HDR histogram of 3 digits, the median of the pairs.',
    `Half load is half of what the point itself reached when saturated; the same rate for all is ${commonRate}/s.`,
    '"By CPU" is the same ratio by processor time a request of all that shares the core: what others take from the machine is not in it.',
    'The front, the backend, auth and Redis share one core, the generator has the other, with Kafka (which is not on the way) and the proxy that delays answers of the store.',
    '"warm": 20 people whose sessions the gateway knows; "cold": guests whom it has not met in the last minute; `reference` asks auth at each request by its nature.',
  ];
}

interface Compared {
  readonly name: string;
  readonly floor: string;
  readonly through: Spread;
  /** The same ratio from processor time: the throughput if each had the core to itself. */
  readonly byCpu: Spread;
  readonly tail: Spread;
  /** Microseconds a request above the floor's. */
  readonly ownUs: Spread;
}

type Point = Measured['points'][number];

function saturatedTable({ points, saturated }: Measured, compared: readonly Compared[]): Table {
  const blocksOf = ({ name }: Point): Block[] => saturated[name]!;
  /** A floor is not compared with anything. */
  const against = (say: (one: Compared) => string, otherwise: string) => (point: Point) => {
    const found = compared.find(({ name }) => name === point.name);
    return found === undefined ? otherwise : say(found);
  };
  return table('Saturated', points, [
    ['', ({ name }) => name],
    ['throughput', (point) => rate(middle(blocksOf(point), ({ perSecond }) => perSecond))],
    ["of the floor's", against(({ through }) => two(through.median), '1')],
    ['range of pairs', against(({ through }) => lowToHigh(through), '')],
    ...percentiles('', ['p50', 'p99'], blocksOf, ({ latency }) => latency),
    ['CPU a request', (point) => us(middle(blocksOf(point), systemCpuUs))],
    ['by CPU', against(({ byCpu }) => two(byCpu.median), '1')],
    ['CPU above the floor', against(({ ownUs }) => us(ownUs.median), '')],
  ]);
}

function latencyTable({ points, halfLoad, sameRate, commonRate }: Measured): Table {
  const shown = ['p50', 'p99', 'p999'] as const;
  return table<Point>('Latency at fixed rates', points, [
    ['', ({ name }) => name],
    ...percentiles(
      'half load',
      shown,
      ({ name }: Point) => halfLoad[name]!,
      ({ latency }) => latency,
    ),
    ...percentiles(
      `${commonRate}/s`,
      shown,
      ({ name }: Point) => sameRate[name]!,
      ({ latency }) => latency,
    ),
    ['sent late p99', ({ name }) => msOfUs(middle(halfLoad[name]!, ({ lateP99 }) => lateP99))],
  ]);
}

/** Measured at a fixed rate. At saturation the idle turns of a process would be divided by different numbers of requests. */
function cpuTable({ points, sameRate, commonRate }: Measured): Table {
  const blocksOf = ({ name }: Point): Block[] => sameRate[name]!;
  return table(`Processor time a request at ${commonRate}/s, by process`, points, [
    ['', ({ name }) => name],
    cpu('front', blocksOf, ['gateway-1', 'floor']),
    ...['backend', 'auth', 'redis-sessions', 'generator'].map((name) => cpu(name, blocksOf)),
  ]);
}

function verdictsOf(compared: readonly Compared[]): Verdict[] {
  const byName = new Map(compared.map((one) => [one.name, one]));
  return Object.entries(goals).flatMap(([point, goal]) => {
    const found = byName.get(point);
    if (found === undefined) return [];
    const { through, tail, ownUs } = found;
    const cost = `${us(ownUs.median)} (${us(ownUs.low)} to ${us(ownUs.high)})`;
    return [
      ...graded((bound) => `${point}: ${bound} of the floor's throughput`, goal, through.median, range(through)),
      ...(point === 'hybrid warm'
        ? graded((bound) => `${point}: at most ${bound} us of CPU a request above the floor's`, ownCostGoal, ownUs.median, cost)
        : []),
      ...graded((bound) => `${point}: p99 at half load at most ${bound} x the floor's`, tailGoal, tail.median, range(tail)),
    ];
  });
}
