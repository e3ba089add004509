/** Counts of tests, out of the runners' own reports: what was not reported did not pass. */
import { readFileSync, rmSync } from 'node:fs';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** A runner that ended badly without a failed test failed all the same: a file that does not load, a setup that throws. */
export function withExitCode(counts: Counts, exitCode: number): Counts {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** An old report must not speak for a new run. */
export function forgetReport(file: string): void {
  rmSync(file, { force: true });
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** @returns undefined when there is no report */
export function readVitestReport(file: string): Counts | undefined {
  const report = read<VitestReport>(file);
  if (report === undefined) return undefined;
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

interface PlaywrightReport {
  readonly stats: { readonly expected: number; readonly unexpected: number; readonly flaky: number; readonly skipped: number };
}

/** @returns undefined when there is no report */
export function readPlaywrightReport(file: string): Counts | undefined {
  const stats = read<PlaywrightReport>(file)?.stats;
  // Playwright counts what it never came to, after an interruption, as skipped.
  return stats && { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
}

/** Of `npm run check`: a line a rule. */
export function readCheckOutput(output: string): Counts {
  return { passed: output.match(/^ok {2}/gm)?.length ?? 0, failed: output.match(/^FAIL /gm)?.length ?? 0, skipped: 0 };
}

/** Of `npm run attacks -- --prove`: a line a fault. */
export function readProofOutput(output: string): Counts {
  return { passed: output.match(/^proven /gm)?.length ?? 0, failed: output.match(/^(?:SURVIVED|NOT RUN) /gm)?.length ?? 0, skipped: 0 };
}

function read<Report>(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}
