/**
 * A suite that has passed is not run again on the same tree: nx remembers it, on this machine and for every clone of the repository. Every file of the
 * tree is an input, documents too, so no wrong list of inputs can hide a failure. So are the programs that a suite takes from the machine. Only a
 * suite in which every test passed is remembered.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../cli/tools.ts';
import { repository } from '../stack/folders.ts';
import { forgetReport, noCounts, withExitCode } from './reports.ts';
import type { Counts } from './reports.ts';
import type { Stage } from './test.suites.ts';

export interface SuiteReport {
  readonly counts: Counts;
  /** How long the run took that this is of. */
  readonly seconds: number;
  /** ISO 8601. */
  readonly endedAt: string;
}

export interface Remembered {
  readonly counts: Counts;
  /** The report of the earlier run, where nx brought one back. */
  readonly earlier?: SuiteReport | undefined;
}

/** A skipped test has not passed, and a suite without a test proves nothing. */
export function allPassed({ passed, failed, skipped }: Counts): boolean {
  return passed > 0 && failed === 0 && skipped === 0;
}

export function writeReport(name: string, report: SuiteReport): void {
  const file = fileOf(name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** @param again runs the suite also where it has passed before */
export async function runRemembered(name: string, { onOutput }: Stage, again: boolean): Promise<Remembered> {
  const began = new Date().toISOString();
  forgetReport(fileOf(name));
  const task = ['run', `@cloakroom/infra:suite:${name}`, '--outputStyle=stream-without-prefixes', ...(again ? ['--skip-nx-cache'] : [])];
  const code = await runCommand(join(repository, 'node_modules', '.bin', 'nx'), task, {
    // A developer's own .env is no input of a suite. Its output is kept, so it must have no control codes of a terminal.
    env: { NX_TUI: 'false', NX_LOAD_DOT_ENV_FILES: 'false', NX_NATIVE_COMMAND_RUNNER: 'false' },
    onOutput,
  });
  const report = readReport(name);
  // Exit code 1 beside a report means that not all passed, and the report says what did not.
  const counts = report === undefined ? withExitCode(noCounts, code) : report.counts;
  return report !== undefined && report.endedAt < began ? { counts, earlier: report } : { counts };
}

export function describeRemembered(name: string, { seconds, endedAt }: SuiteReport): string {
  return `  REMEMBERED  ${name}: passed on this very tree at ${endedAt}, in ${seconds.toFixed(0)} s. To run it again: npm test -- --again`;
}

function readReport(name: string): SuiteReport | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(name), 'utf8')) as SuiteReport;
  } catch {
    return undefined;
  }
}

const fileOf = (name: string): string => join(repository, 'infra', 'reports', 'suites', `${name}.json`);
