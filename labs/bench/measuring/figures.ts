/** Figures, tables and charts that reports share. Processor time and latency are measured in microseconds. */
import type { Chart } from './chart.ts';
import type { Table } from './report.ts';
import { median, type Spread } from './statistics.ts';

export const two = (value: number): string => value.toFixed(2);
export const rate = (perSecond: number): string => `${Math.round(perSecond)}/s`;
export const us = (value: number): string => `${Math.round(value)} us`;
export const ms = (value: number): string => `${two(value)} ms`;
export const msOfUs = (value: number): string => ms(value / 1000);
export const lowToHigh = ({ low, high }: Spread): string => `${two(low)} to ${two(high)}`;
export const range = (spread: Spread): string => `${two(spread.median)} (${lowToHigh(spread)})`;

/** The median of a field over blocks; NaN where a block has none. */
export const middle = <Block>(blocks: readonly Block[], field: (block: Block) => number | undefined): number =>
  median(blocks.map((block) => field(block) ?? Number.NaN));

/** A heading, and the cell below it in each row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string];

export const table = <Row>(title: string | undefined, rows: readonly Row[], columns: readonly Column<Row>[]): Table => ({
  ...(title !== undefined && { title }),
  head: columns.map(([heading]) => heading),
  rows: rows.map((row) => columns.map(([, cell]) => cell(row))),
});

/** One column for each percentile: the median block of a row, in milliseconds. */
export const percentiles = <Row, Block, Part extends string>(
  heading: string,
  parts: readonly Part[],
  blocksOf: (row: Row) => readonly Block[],
  latencyOf: (block: Block) => Readonly<Record<Part, number>> | undefined,
): Column<Row>[] =>
  parts.map((part, index) => [
    `${index === 0 ? heading : ''} ${part.replace('p999', 'p99.9')}`.trim(),
    (row) => msOfUs(middle(blocksOf(row), (block) => latencyOf(block)?.[part])),
  ]);

interface Spent {
  readonly cpuUs: Readonly<Record<string, number>>;
}

/** Processor time. @param names the names that blocks use for the process */
export const cpu = <Row>(heading: string, blocksOf: (row: Row) => readonly Spent[], names: readonly string[] = [heading]): Column<Row> => [
  heading,
  (row) => {
    const spent = blocksOf(row).map(({ cpuUs }) => names.map((name) => cpuUs[name]).find((value) => value !== undefined));
    return spent.includes(undefined) ? '' : us(median(spent as number[]));
  },
];

/** A bar for each name, and a line for the range of its pairs. */
export function rangeBars(
  title: string,
  unit: string,
  bars: readonly { readonly name: string; readonly spread: Spread }[],
  goal?: number,
): Chart {
  return {
    title,
    mark: 'bar',
    values: bars.map(({ name, spread: { median: value, low, high } }) => ({ name, value, low, high })),
    x: { field: 'value', title: unit, type: 'quantitative' },
    y: { field: 'name', title: '', type: 'nominal' },
    range: ['low', 'high'],
    ...(goal !== undefined && { goal }),
  };
}
