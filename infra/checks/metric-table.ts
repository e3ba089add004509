/** docs/telemetry.md has one row a metric: | `name` | type | labels | ... ; a row ending in `*` stands for those of prom-client. */
import type { SourceFile } from './sources.ts';
import type { Tree, Violation } from './tree.ts';

const path = 'docs/telemetry.md';

export interface MetricRow {
  readonly type: string;
  readonly labels: readonly string[];
}

export function readMetricTable(text: string): Map<string, MetricRow> {
  const rows = text
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, name, type]) => /^[a-z][a-z0-9_]+\*?$/.test(name ?? '') && /^(counter|gauge|histogram|various)$/.test(type ?? ''));
  return new Map(rows.map(([, name, type, labels]) => [name!, { type: type!, labels: (labels ?? '').split(/,\s*/).filter(Boolean) }]));
}

const declared = /new (Counter|Gauge|Histogram|Summary)(?:<[^>]*>)?\(\{\s*name: '([^']+)'/g;

export function checkMetricTable(sources: readonly SourceFile[], tree: Tree): Violation[] {
  if (!tree.files.includes(path)) return [{ path, message: 'is missing' }];
  const rows = readMetricTable(tree.read(path));
  const metrics = sources
    .filter((source) => !source.isTest && /^(apps|libs)\//.test(source.path))
    .flatMap((source) => [...source.text.matchAll(declared)].map((match) => ({ type: match[1]!.toLowerCase(), name: match[2]! })));
  const names = new Set(metrics.map(({ name }) => name));
  return [
    ...metrics
      .filter(({ name, type }) => rows.get(name)?.type !== type)
      .map(({ name, type }) => ({ path, message: `has no row | \`${name}\` | ${type} |` })),
    ...[...rows.keys()]
      .filter((name) => !name.endsWith('*') && !names.has(name))
      .map((name) => ({ path, message: `\`${name}\` is a metric that the code does not have` })),
  ];
}
