/** Tables of `npm run bench -- observatory`. */
import { cpu, lowToHigh, middle, range, rangeBars, rate as perSecond, table, two, us } from '../measuring/figures.ts';
import { floorBlockOf, type Block } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report, Table } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { ratios, spread, standardError } from '../measuring/statistics.ts';
import { type ObservatoryMeasured, onTheWay, type Row, rowNames, servicesCpuUs } from './observatory.ts';

/** The most that the Observatory may cost a request (issue 13), and the most that points of faults may. */
const timesMax = 1.3;
const pointsUsMax = 2;
/** As for the cart's floor: it waits for a part on the generator's core, here the view. */
const busyMin = 0.8;
/** A larger error could not tell the goal from nothing. */
const pointsErrorUsMax = 1;

export function observatoryReport(measured: ObservatoryMeasured, machine: Machine, command: string): Report {
  const { saturated, sameRate, rate, bursts } = measured;
  const pairs = saturated.alone.length;
  const points = pointsOf(bursts);
  const kinds = [
    ['saturated', saturated],
    [`${rate}/s`, sameRate],
  ] as const;
  return {
    name: 'observatory',
    title: 'What the Observatory costs a request',
    machine,
    command,
    method: [
      'A person in mode `hybrid` reads a cart with three lines: gateway, cart, its view in Redis, and at times auth and catalog. The services and the Observatory share one core; the generator has the other, with Kafka and the view.',
      'The same processes are measured in each state: between blocks they switch by the functions that a start calls. So two processes of the same code, which differ by tens of microseconds, are never compared.',
      `${pairs} interleaved pairs in a rotating order; a ratio is taken within a pair. "${rowNames.again}" is what is measured without the Observatory once more: what its ratio differs from 1 is noise. Saturated: 32 connections in a closed loop; ${rate}/s: open loop.`,
      'No page of the Observatory is open.',
      `Fault points: ${bursts.length} pairs of short saturated bursts, with the provider loaded, asking the Observatory and no switch on, against none loaded, and no spans in either. The mean of the paired differences and its standard error.`,
    ],
    verdicts: [
      ...kinds.map(([name, blocks]) => {
        const { median, ...ends } = spread(ratios(all(blocks.observed, servicesCpuUs), all(blocks.alone, servicesCpuUs)));
        return {
          goal: `a hybrid request with the Observatory, ${name}: at most ${timesMax} x the CPU of its services`,
          measured: `${two(median)} (${lowToHigh({ median, ...ends })})`,
          met: median <= timesMax,
        };
      }),
      {
        goal: `fault points in and off: at most ${pointsUsMax} us a request, standard error at most ${pointsErrorUsMax}`,
        measured: `${points.moreUs.toFixed(1)} us (standard error ${points.errorUs.toFixed(1)})`,
        met: points.moreUs <= pointsUsMax && points.errorUs <= pointsErrorUsMax,
      },
    ],
    tables: [...kinds.map(([name, blocks]) => costTable(name, blocks)), pointsTable(bursts, points)],
    starved: starvation(rowNames.alone, saturated.alone.map(floorBlockOf), { busy: busyMin }),
    charts: [
      rangeBars(
        'CPU of a hybrid request, times that without the Observatory (median and range of pairs)',
        'times',
        kinds.flatMap(([name, blocks]) =>
          (['again', 'observed'] as const).map((row) => ({
            name: `${rowNames[row]}, ${name}`,
            spread: spread(ratios(all(blocks[row], servicesCpuUs), all(blocks.alone, servicesCpuUs))),
          })),
        ),
        timesMax,
      ),
    ],
    data: measured,
  };
}

const all = (blocks: readonly Block[], of: (block: Block) => number): number[] => blocks.map(of);
const withObservatory = (block: Block): number => servicesCpuUs(block) + block.cpuUs['observatory']!;

function costTable(name: string, blocks: Readonly<Record<Row, readonly Block[]>>): Table {
  const blocksOf = (row: Row): readonly Block[] => blocks[row];
  const times = (row: Row, of: (block: Block) => number): string =>
    row === 'alone' ? '1' : range(spread(ratios(all(blocks[row], of), all(blocks.alone, servicesCpuUs))));
  return table(`CPU a request, ${name}`, Object.keys(rowNames) as Row[], [
    ['', (row) => rowNames[row]],
    ['requests', (row) => perSecond(middle(blocks[row], (block) => block.perSecond))],
    ...onTheWay.map((process) => cpu(process, blocksOf)),
    ['sum', (row) => us(middle(blocks[row], servicesCpuUs))],
    ['times', (row) => times(row, servicesCpuUs)],
    ['the Observatory', (row) => (row === 'observed' ? us(middle(blocks[row], (block) => block.cpuUs['observatory'])) : '')],
    ['times, with it', (row) => (row === 'observed' ? times(row, withObservatory) : '')],
  ]);
}

interface Points {
  readonly moreUs: number;
  readonly errorUs: number;
}

function pointsOf(bursts: ObservatoryMeasured['bursts']): Points {
  const more = bursts.map(({ out, points }) => points - out);
  return { moreUs: mean(more), errorUs: standardError(more) };
}

/** A/A: the bursts without, each against that of the pair before. */
function pointsTable(bursts: ObservatoryMeasured['bursts'], points: Points): Table {
  const apart = bursts.flatMap(({ out }, pair) => (pair % 2 === 1 ? [out - bursts[pair - 1]!.out] : []));
  const row = (name: string, { moreUs, errorUs }: Points, count: number): string[] => [
    name,
    `${moreUs.toFixed(1)} us`,
    `${errorUs.toFixed(1)} us`,
    String(count),
  ];
  return {
    title: 'Fault points, none on',
    head: ['', 'more CPU a request', 'standard error', 'pairs'],
    rows: [
      ['not loaded', us(mean(bursts.map(({ out }) => out))), '', ''],
      row('not loaded, again (A/A)', { moreUs: mean(apart), errorUs: standardError(apart) }, apart.length),
      row('loaded and off', points, bursts.length),
    ],
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
