/**
 * A benchmark leaves JSON for machines, and Markdown and SVG for people, in .cloakroom/bench/<name>/. With --publish its JSON and pictures
 * go to docs/bench/. docs/performance.md takes the tables of that JSON between its markers, so no figure there was ever typed by hand.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { dataRoot, repository } from '../../../infra/stack/folders.ts';
import { align, megabytes } from '../../../infra/cli/status.ts';
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
  /** As typed, with all options, so that a reader can type it again for the same figures. */
  readonly command: string;
  /** Sentences that say how it was measured. */
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  /** Goals, each met or missed. */
  readonly verdicts: readonly Verdict[];
  readonly charts: readonly Chart[];
  /** Reasons why a floor is no fair comparison (starved.ts). One reason is enough, and nothing is published. */
  readonly starved?: readonly string[];
  readonly data: unknown;
}

export interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

export const publishedDir = join(repository, 'docs', 'bench');
export const performanceDoc = join(repository, 'docs', 'performance.md');

export interface WriteOptions {
  readonly publish: boolean;
  readonly dir?: string;
  /** For a rehearsal: the folder with a copy of `docs/performance.md` and `docs/bench/`. */
  readonly docs?: string;
}

/** @returns the folder of the report. A run with a starved floor is written there but not published, except for a rehearsal. */
export async function writeReport(report: Report, options: WriteOptions): Promise<string> {
  const dir = options.dir ?? join(dataRoot, 'bench', report.name);
  const written = await writeTo(dir, report, 'report');
  await writeFormatted(join(dir, 'report.md'), markdown(written, 'report'));
  if (options.publish) await publishTo(options.docs ?? dirname(performanceDoc), report, options.docs !== undefined);
  if (options.publish && options.docs === undefined) rewriteInterview();
  return dir;
}

/** The numbers of that text come from published benchmarks. It is started as a process, because the simulator reads what stands here. */
function rewriteInterview(): void {
  execFileSync(process.execPath, [join(repository, 'labs/a-billion/interview.ts')], { stdio: 'inherit' });
}

/** @param docs the folder of performance.md */
export async function publishTo(docs: string, report: Report, rehearsal: boolean): Promise<void> {
  if (!rehearsal && !isSound(report)) return;
  await writeTo(join(docs, 'bench'), report, report.name);
  await assemble(docs);
}

export const isSound = ({ starved = [] }: Report): boolean => starved.length === 0;

/** A report as its JSON holds it. Charts are reduced to their titles. */
export type Written = Omit<Report, 'charts'> & { readonly charts: readonly string[] };

const pictureOf = (base: string, index: number): string => (index === 0 ? `${base}.svg` : `${base}-${index + 1}.svg`);

async function writeTo(dir: string, report: Report, base: string): Promise<Written> {
  mkdirSync(dir, { recursive: true });
  const written: Written = { ...report, charts: report.charts.map(({ title }) => title) };
  for (const [index, chart] of report.charts.entries()) writeFileSync(join(dir, pictureOf(base, index)), await drawSvg(chart));
  await writeFormatted(join(dir, `${base}.json`), JSON.stringify(written));
  return written;
}

/** @param pictures the place of the pictures, relative to the text, and the beginning of their names */
export function markdown(report: Written, pictures: string): string {
  const { machine } = report;
  const place = [
    `${machine.processor}, ${machine.cores} cores`,
    `${megabytes(machine.memoryBytes)} of memory`,
    machine.platform,
    `Node ${machine.node}`,
    `Redis ${machine.redis}`,
    machine.pinned ? 'generator and system under test on a core each' : 'not pinned to cores',
    loadOf(machine),
  ];
  return [
    `Measured ${machine.at.slice(0, 10)} at commit ${machine.commit} by \`${report.command}\` on ${place.join(', ')}.`,
    report.method.join(' '),
    ...(report.verdicts.length > 0 ? [verdictTable(report.verdicts)] : []),
    ...report.tables.flatMap((table) => [
      ...(table.title === undefined ? [] : [`**${table.title}**`]),
      tableLines(table).join('\n'),
      caption(machine),
    ]),
    ...report.charts.map((title, index) => `![${title}](${pictureOf(pictures, index)})`),
    '',
  ].join('\n\n');
}

const loadOf = ({ loadBefore, loadAfter }: Machine): string =>
  `load average ${loadBefore} before the run${loadAfter === undefined ? '' : ` and ${loadAfter} at its end`}`;

/** Stands below each table, because people copy a table without its page. */
const caption = (machine: Machine): string =>
  `<sub>${machine.processor}, ${machine.cores} cores; ${machine.at.slice(0, 10)}; ${loadOf(machine)}.</sub>`;

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
  for (const why of report.starved ?? []) console.log(`STARVED ${why}`);
  console.log(`\nwritten to ${dir}`);
}

const formatted = async (file: string, text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(performanceDoc)), filepath: file });

const writeFormatted = async (file: string, text: string): Promise<void> => writeFileSync(file, await formatted(file, text));

const marked = (name: string): RegExp => new RegExp(`(<!-- bench:${name} -->\\n)[\\s\\S]*?(\\n<!-- /bench:${name} -->)`);

/** @returns docs/performance.md with the tables of docs/bench/ between its markers */
export function assembled(text: string, read: (name: string) => Written | undefined): string {
  let result = text;
  for (const [, name] of text.matchAll(/<!-- bench:([\w-]+) -->/g)) {
    const report = read(name!);
    if (report === undefined) continue;
    const part = markdown(report, `bench/${name}`).trim();
    result = result.replace(marked(name!), (_all, open: string, close: string) => `${open}\n${part}\n${close}`);
  }
  return result;
}

const readIn =
  (dir: string) =>
  (name: string): Written | undefined => {
    const file = join(dir, `${name}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Written) : undefined;
  };

/** @returns docs/performance.md as the published reports make it */
export function performancePage(docs: string): Promise<string> {
  const page = join(docs, basename(performanceDoc));
  return formatted(page, assembled(readFileSync(page, 'utf8'), readIn(join(docs, 'bench'))));
}

async function assemble(docs: string): Promise<void> {
  const page = join(docs, basename(performanceDoc));
  if (existsSync(page)) writeFileSync(page, await performancePage(docs));
}
