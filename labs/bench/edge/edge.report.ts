/** What the blocks of `npm run bench -- edge` say: ratios to the floor pair by pair, goals, processor time by process. */
import { floorBlockOf, systemCpuUs, type Block } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { median, ratios, spread, type Spread } from '../measuring/statistics.ts';

type Blocks = Record<string, Block[]>;

export interface Measured {
  readonly points: readonly { readonly name: string; readonly floor: string | undefined; readonly storeRttMs: number }[];
  /** By point, a block a pair. */
  readonly saturated: Blocks;
  readonly halfLoad: Blocks;
  readonly sameRate: Blocks;
  readonly commonRate: number;
}

interface Goal {
  readonly point: string;
  readonly goal: number;
  readonly least?: number;
}

/** Throughput as part of the floor's. */
const goals: readonly Goal[] = [
  { point: 'hybrid warm', goal: 0.8, least: 0.65 },
  { point: 'jwt warm', goal: 0.75 },
  { point: 'reference', goal: 0.4, least: 0.3 },
];
const tailGoal = 1.5;

const of = (blocks: readonly Block[], field: (block: Block) => number): number => median(blocks.map(field));
const rate = (perSecond: number): string => `${Math.round(perSecond)}/s`;
const ms = (us: number): string => `${(us / 1000).toFixed(2)} ms`;
const two = (value: number): string => value.toFixed(2);

export function edgeReport(measured: Measured, machine: Machine, command: string): Report {
  const compared = measured.points.flatMap((point) => {
    if (point.floor === undefined) return [];
    const through = spread(perPair(measured.saturated, point.name, point.floor, ({ perSecond }) => perSecond));
    const tail = spread(perPair(measured.halfLoad, point.name, point.floor, ({ latency }) => latency.p99));
    const byCpu = spread(perPair(measured.saturated, point.floor, point.name, systemCpuUs));
    return [{ ...point, floor: point.floor, through, tail, byCpu }];
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
      {
        title: "Throughput as part of the floor's (median and range of pairs)",
        mark: 'bar',
        values: compared.map(({ name, through }) => ({ name, ratio: through.median, low: through.low, high: through.high })),
        x: { field: 'ratio', title: "of the floor's", type: 'quantitative' },
        y: { field: 'name', title: '', type: 'nominal' },
        range: ['low', 'high'],
        goal: 1,
      },
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
  /** The same by processor time: what the throughput would be with the core to itself. */
  readonly byCpu: Spread;
  readonly tail: Spread;
}

function saturatedTable({ points, saturated }: Measured, compared: readonly Compared[]): Table {
  return {
    title: 'Saturated',
    head: ['', 'throughput', "of the floor's", 'range of pairs', 'p50', 'p99', 'CPU a request', 'by CPU'],
    rows: points.map(({ name }) => {
      const blocks = saturated[name]!;
      const { through, byCpu } = compared.find((one) => one.name === name) ?? {};
      return [
        name,
        rate(of(blocks, ({ perSecond }) => perSecond)),
        through === undefined ? '1' : two(through.median),
        through === undefined ? '' : `${two(through.low)} to ${two(through.high)}`,
        ms(of(blocks, ({ latency }) => latency.p50)),
        ms(of(blocks, ({ latency }) => latency.p99)),
        `${Math.round(of(blocks, systemCpuUs))} us`,
        byCpu === undefined ? '1' : two(byCpu.median),
      ];
    }),
  };
}

function latencyTable({ points, halfLoad, sameRate, commonRate }: Measured): Table {
  const cells = (blocks: readonly Block[]): string[] => [
    ms(of(blocks, ({ latency }) => latency.p50)),
    ms(of(blocks, ({ latency }) => latency.p99)),
    ms(of(blocks, ({ latency }) => latency.p999)),
  ];
  return {
    title: 'Latency at fixed rates',
    head: ['', 'half load p50', 'p99', 'p99.9', `${commonRate}/s p50`, 'p99', 'p99.9', 'sent late p99'],
    rows: points.map(({ name }) => [
      name,
      ...cells(halfLoad[name]!),
      ...cells(sameRate[name]!),
      ms(of(halfLoad[name]!, ({ lateP99 }) => lateP99)),
    ]),
  };
}

/** At a fixed rate: saturated, a process' idle turns would be divided by another number of requests. */
function cpuTable({ points, sameRate, commonRate }: Measured): Table {
  const names = ['front', 'backend', 'auth', 'redis-sessions', 'generator'];
  const spent = (block: Block, name: string): number | undefined =>
    name === 'front' ? (block.cpuUs['gateway-1'] ?? block.cpuUs['floor']) : block.cpuUs[name];
  return {
    title: `Processor time a request at ${commonRate}/s, by process`,
    head: ['', ...names],
    rows: points.map(({ name }) => [
      name,
      ...names.map((process) => {
        const blocks = sameRate[name]!.map((block) => spent(block, process));
        return blocks.some((value) => value === undefined) ? '' : `${Math.round(median(blocks as number[]))} us`;
      }),
    ]),
  };
}

function verdictsOf(compared: readonly Compared[]): Verdict[] {
  const byName = new Map(compared.map((one) => [one.name, one]));
  return goals.flatMap(({ point, goal, least }) => {
    const found = byName.get(point);
    if (found === undefined) return [];
    const { through, tail } = found;
    const range = `${two(through.median)} (${two(through.low)} to ${two(through.high)})`;
    return [
      { goal: `${point}: ${goal} of the floor's throughput`, measured: range, met: through.median >= goal },
      ...(least === undefined ? [] : [{ goal: `${point}: ${least} at least`, measured: range, met: through.median >= least }]),
      {
        goal: `${point}: p99 at half load at most ${tailGoal} x the floor's`,
        measured: `${two(tail.median)} x`,
        met: tail.median <= tailGoal,
      },
    ];
  });
}
