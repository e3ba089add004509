import { expect, it } from 'vitest';
import { checkMetricTable } from './metric-table.ts';
import { readSources } from './sources.ts';
import { plantedTree } from './tree.ts';

const table = `| metric | type | labels | tells |
| --- | --- | --- | --- |
| \`process_*\` | various | | prom-client |
| \`cart_reads_total\` | counter | \`reason\` | reads |
`;

function messagesFor(code: string): string[] {
  const tree = plantedTree({
    'apps/cart/package.json': '{}',
    'apps/cart/src/metrics.ts': code,
    'apps/cart/src/metrics.test.ts': `new Counter({ name: 'only_in_a_test' });`,
    'docs/telemetry.md': table,
  });
  return checkMetricTable(readSources(tree), tree).map(({ message }) => message);
}

it('passes a table that is the code', () => {
  expect(messagesFor(`export const reads = new Counter({\n  name: 'cart_reads_total',\n  help: '' });`)).toEqual([]);
});

it('names a metric without a row, a row without a metric, and a row of another type', () => {
  expect(messagesFor(`new Gauge({ name: 'cart_depth' });`)).toEqual([
    'has no row | `cart_depth` | gauge |',
    '`cart_reads_total` is a metric that the code does not have',
  ]);
  expect(messagesFor(`new Gauge<'reason'>({ name: 'cart_reads_total' });`)).toEqual(['has no row | `cart_reads_total` | gauge |']);
});
