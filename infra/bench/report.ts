/**
 * What a benchmark leaves: JSON for machines, Markdown and SVG for people, in .cloakroom/bench/<name>/. Only with --publish do they go into
 * docs/bench/, and docs/performance.md takes the new Markdown up between its markers: so no figure there was ever typed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { dataRoot, repository } from '../folders.ts';
import { align, megabytes } from '../status.ts';
import { drawSvg, type Chart } from './chart.ts';
import type { Machine } from './machine.ts';

export interface Table {
  readonly title?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly machine: Machine;
  /** As typed, with all options: whoever wants the same figures types it again. */
  readonly command: string;
  /** How it was measured, in sentences. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  /** Goals, each met or missed. */
  readonly verdicts: readonly Verdict[];
  readonly charts: readonly Chart[];
  readonly data: unknown;
}

export interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

export const publishedDir = join(repository, 'docs', 'bench');
export const performanceDoc = join(repository, 'docs', 'performance.md');

export async function writeReport(report: Report, options: { readonly publish: boolean; readonly dir?: string }): Promise<string> {
  const dir = options.dir ?? join(dataRoot, 'bench', report.name);
  await writeTo(dir, report, 'report');
  if (options.publish) {
    await writeTo(publishedDir, report, report.name);
    await assemble();
  }
  return dir;
}

async function writeTo(dir: string, report: Report, base: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const { charts, ...rest } = report;
  const svgs = charts.map((chart, index) => [index === 0 ? `${base}.svg` : `${base}-${index + 1}.svg`, chart] as const);
  for (const [file, chart] of svgs) writeFileSync(join(dir, file), await drawSvg(chart));
  const pictures = svgs.map(([file, chart]) => `![${chart.title}](${file})`);
  await writeFormatted(join(dir, `${base}.md`), markdown(report, pictures));
  await writeFormatted(join(dir, `${base}.json`), JSON.stringify({ ...rest, charts: charts.map(({ title }) => title) }));
}

export function markdown(report: Report, pictures: readonly string[]): string {
  const { machine } = report;
  const place = [
    `${machine.processor}, ${machine.cores} cores`,
    `${megabytes(machine.memoryBytes)} of memory`,
    machine.platform,
    `Node ${machine.node}`,
    `Redis ${machine.redis}`,
    machine.pinned ? 'generator and system under test on a core each' : 'not pinned to cores',
    `load average ${machine.loadBefore} before the run`,
  ];
  return [
    `Measured ${machine.at.slice(0, 10)} at commit ${machine.commit} by \`${report.command}\` on ${place.join(', ')}.`,
    report.method.join(' '),
    ...(report.verdicts.length > 0 ? [verdictTable(report.verdicts)] : []),
    ...report.tables.map((table) => [...(table.title === undefined ? [] : [`**${table.title}**`, '']), ...tableLines(table)].join('\n')),
    ...pictures,
    '',
  ].join('\n\n');
}

const verdictTable = (verdicts: readonly Verdict[]): string =>
  tableLines({
    head: ['goal', 'measured', ''],
    rows: verdicts.map(({ goal, measured, met }) => [goal, measured, met ? 'met' : '**missed**']),
  }).join('\n');

const tableLines = ({ head, rows }: Table): string[] => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

export function print(report: Report, dir: string): void {
  for (const { title, head, rows } of report.tables) {
    console.log(title === undefined ? '' : `\n${title}`);
    for (const line of align([[...head], ...rows.map((row) => [...row])])) console.log(line);
  }
  console.log('');
  for (const { goal, measured, met } of report.verdicts) console.log(`${met ? 'met   ' : 'MISSED'} ${goal}: ${measured}`);
  console.log(`\nwritten to ${dir}`);
}

async function writeFormatted(file: string, text: string): Promise<void> {
  writeFileSync(file, await format(text, { ...(await resolveConfig(performanceDoc)), filepath: file }));
}

const marked = (name: string): RegExp => new RegExp(`(<!-- bench:${name} -->\\n)[\\s\\S]*?(\\n<!-- /bench:${name} -->)`);

/** @returns docs/performance.md with what lies in docs/bench/ between its markers */
export function assembled(text: string, read: (name: string) => string | undefined): string {
  let result = text;
  for (const [, name] of text.matchAll(/<!-- bench:([\w-]+) -->/g)) {
    const part = read(name!);
    if (part === undefined) continue;
    // Pictures are named as seen from docs/bench/.
    const seenFromAbove = part.trim().replaceAll(/\]\(([\w-]+\.svg)\)/g, '](bench/$1)');
    result = result.replace(marked(name!), (_all, open: string, close: string) => `${open}\n${seenFromAbove}\n${close}`);
  }
  return result;
}

export const readPublished = (name: string): string | undefined => {
  const file = join(publishedDir, `${name}.md`);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
};

async function assemble(): Promise<void> {
  if (existsSync(performanceDoc)) await writeFormatted(performanceDoc, assembled(readFileSync(performanceDoc, 'utf8'), readPublished));
}
