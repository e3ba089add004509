/**
 * A suite that has passed is not run again on the same tree: nx remembers it, on this machine and for every clone of the repository. Every file of the
 * tree is an input, documents too, so no list of inputs can hide a failure. So are the programs and settings of the machine (machine.main.ts). nx runs
 * no suite. Its task only asks for the report of one: it brings an earlier report back, or it keeps the one that lies there.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { workingTree } from '../checks/tree.ts';
import { runCommand } from '../cli/tools.ts';
import { repository } from '../stack/folders.ts';
import { forgetReport } from './reports.ts';
import type { Counts } from './reports.ts';

export interface SuiteReport {
  readonly counts: Counts;
  /** How long the run took. */
  readonly seconds: number;
  /** ISO 8601. */
  readonly endedAt: string;
}

/** @returns the report of a run that passed on this tree, or undefined where nx knows none */
export async function recall(name: string): Promise<SuiteReport | undefined> {
  const file = reportOf(name);
  forgetReport(file);
  await askNx(name);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SuiteReport;
  } catch {
    return undefined;
  }
}

/** @param tree `describeTree()` from before the run; a suite that ran while somebody changed a file is not remembered */
export async function remember(name: string, report: SuiteReport, tree: string): Promise<void> {
  const file = reportOf(name);
  if (!allPassed(report.counts) || describeTree() !== tree) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  await askNx(name);
}

/** Forgets all, as nx cannot forget one task. Call it when no other nx runs. */
export async function forgetAll(): Promise<void> {
  await nx(['reset', '--onlyCache']);
}

/** A skipped test has not passed, and a suite without a test proves nothing. */
export function allPassed({ passed, failed, skipped }: Counts): boolean {
  return passed > 0 && failed === 0 && skipped === 0;
}

/** @returns a text that changes with every file of the tree */
export function describeTree(root = repository): string {
  return workingTree(root)
    .files.map((path) => {
      const file = join(root, path);
      const { size, mtimeMs } = existsSync(file) ? statSync(file) : { size: 0, mtimeMs: 0 };
      return `${path} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

export function describeRemembered(name: string, { seconds, endedAt }: SuiteReport): string {
  return `  REMEMBERED  ${name}: passed on this very tree at ${endedAt}, in ${seconds.toFixed(0)} s. To run it again: npm test -- --again`;
}

const askNx = (name: string): Promise<void> => nx(['run', `@cloakroom/infra:suite:${name}`]);

async function nx(args: readonly string[]): Promise<void> {
  await runCommand(join(repository, 'node_modules', '.bin', 'nx'), args, {
    env: { NX_TUI: 'false', NX_LOAD_DOT_ENV_FILES: 'false' },
    // A task without a report fails, and that only says that nx remembers nothing.
    onOutput: () => undefined,
  });
}

const reportOf = (name: string): string => join(repository, 'infra', 'reports', 'suites', `${name}.json`);
