/** Tables of `npm run bench -- edge-distance`: which requests wait when the store is further away. */
import { starvedIn, type Measured } from './edge.report.ts';
import { middle, msOfUs } from '../measuring/figures.ts';
import { againMark } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report } from '../measuring/report.ts';

const distance = /, store \+(\d+) ms$/;

export function distanceReport(measured: Measured, machine: Machine, command: string): Report {
  const rtts = [...new Set(measured.points.map(({ storeRttMs }) => storeRttMs))].toSorted((a, b) => a - b);
  const asked = measured.points.filter(({ name }) => !distance.test(name) && name !== 'anonymous' && name !== 'floor: product');
  const cell = (name: string, rtt: number): string => {
    const blocks = measured.sameRate[rtt === 0 ? name : `${name}, store +${rtt} ms`];
    return blocks === undefined ? '' : msOfUs(middle(blocks, ({ latency }) => latency.p50));
  };
  const pairs = Object.values(measured.sameRate)[0]?.length ?? 0;
  return {
    name: 'edge-distance',
    title: 'Who waits for a store that is further away',
    machine,
    command,
    method: [
      `A proxy between auth and its Redis delays answers. Median latency in an open loop of ${measured.commonRate}/s for all, ${pairs} interleaved blocks each, the median of the blocks.`,
      'The floor asks no store.',
      ...(asked.some(({ name }) => name.endsWith(againMark)) ? ['Its row "again (A/A)" shows the noise.'] : []),
    ],
    tables: [
      {
        head: [`median at ${measured.commonRate}/s`, ...rtts.map((rtt) => (rtt === 0 ? 'store beside' : `+${rtt} ms`))],
        rows: asked.map(({ name }) => [name, ...rtts.map((rtt) => cell(name, rtt))]),
      },
    ],
    verdicts: [],
    starved: starvedIn(measured),
    charts: [],
    data: measured,
  };
}
