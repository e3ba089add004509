/**
 * Counts tests from the runners' own reports: a test without a report did not pass. The failures are listed by name, so the end of a log shows them.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { repository } from '../stack/folders.ts';

export interface Failure {
  /** Path from the repository; '' for a failure without a file. */
  readonly file: string;
  readonly title: string;
  /** The first line of each error, then its "Expected" and "Received", then its place. */
  readonly error: string;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

export function add(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures],
  };
}

/** A runner that ended badly without a failed test counts as failed: a file may not load, or a setup may throw. */
export function withExitCode(counts: Counts, exitCode: number): Counts {
  if (exitCode === 0 || counts.failed > 0) return counts;
  const told = counts.failures[0] === undefined ? 'and reported no failed test' : 'outside of its tests';
  return {
    ...counts,
    failed: 1,
    failures: [{ file: '', title: `ended with exit code ${exitCode}`, error: told }, ...counts.failures],
  };
}

const errorLengthMax = 300;
/** After a run that breaks everywhere, a full list helps no reader. */
const failureCountMax = 60;

/** A line or two for each failure, by suite. */
export function describeFailures(suites: readonly { readonly name: string; readonly counts: Counts }[]): string[] {
  const all = suites.flatMap(({ name, counts }) => counts.failures.map((failure) => ({ suite: name, ...failure })));
  const lines = all
    .slice(0, failureCountMax)
    .flatMap(({ suite, file, title, error }) => [
      `  FAILED  ${[suite, file, title].filter((part) => part !== '').join(' > ')}`,
      ...(error === '' ? [] : [`          ${error.slice(0, errorLengthMax)}`]),
    ]);
  return all.length > failureCountMax ? [...lines, `  ... and ${all.length - failureCountMax} more`] : lines;
}

function failure(file: string, title: string, ...errors: readonly (string | undefined)[]): Failure {
  return {
    file: within(file),
    title,
    error: errors
      .map(shortened)
      .filter((line) => line !== '')
      .join(' | '),
  };
}

/** Playwright writes what it expected on lines of their own. The log of a CI run may keep no other part of the report. */
function shortened(error: string | undefined): string {
  const lines = stripVTControlCharacters(error ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return [...lines.slice(0, 1), ...lines.slice(1).filter((line) => /^(?:Expected|Received)\b/.test(line))].join(', ');
}

const within = (file: string): string => (file === '' ? '' : relative(repository, file));

/** Removes an old report, so that it cannot pass for the new run's. */
export function forgetReport(file: string): void {
  rmSync(file, { force: true });
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly VitestFile[];
}

interface VitestFile {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly VitestTest[];
}

interface VitestTest {
  readonly status: string;
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly failureMessages?: readonly string[] | null;
}

/** @returns undefined when there is no report */
export function readVitestReport(file: string): Counts | undefined {
  const report = read<VitestReport>(file);
  if (report === undefined) return undefined;
  // A file that does not load has no tests. A file whose hook failed may have no failed tests.
  const unsound = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((each) => each.status === 'failed'),
  );
  const titleOf = ({ ancestorTitles, title }: VitestTest): string => [...ancestorTitles, title].join(' > ');
  const inState = (wanted: string) =>
    report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.filter(({ status }) => status === wanted).map((test) => ({ name, test })),
    );
  const failed = inState('failed').map(({ name, test }) => failure(name, titleOf(test), ...(test.failureMessages ?? [])));
  return {
    ...noCounts,
    passed: report.numPassedTests,
    failed: report.numFailedTests + unsound.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [
      ...unsound.map(({ name, message, assertionResults }) =>
        failure(name, assertionResults.length === 0 ? 'did not load' : 'outside of its tests', message),
      ),
      ...failed,
    ],
  };
}

interface PlaywrightReport {
  readonly stats: { readonly expected: number; readonly unexpected: number; readonly flaky: number; readonly skipped: number };
  readonly config: { readonly rootDir: string };
  readonly suites: readonly PlaywrightSuite[];
  /** Errors outside all tests: a global set-up, a file that does not load. */
  readonly errors: readonly { readonly message?: string }[];
}

interface PlaywrightError {
  readonly message?: string;
  readonly location?: { readonly file: string; readonly line: number };
}

interface PlaywrightSuite {
  readonly title: string;
  readonly suites?: readonly PlaywrightSuite[];
  readonly specs: readonly {
    readonly title: string;
    readonly file: string;
    readonly tests: readonly {
      readonly status: string;
      readonly results: readonly { readonly errors?: readonly PlaywrightError[] }[];
    }[];
  }[];
}

/** @returns undefined when there is no report */
export function readPlaywrightReport(file: string): Counts | undefined {
  const report = read<PlaywrightReport>(file);
  if (report === undefined) return undefined;
  const { stats, suites, errors, config } = report;
  const failures = [
    ...errors.map(({ message }) => failure('', 'of no test', message)),
    ...suites
      .flatMap((suite) => testsIn(suite, config.rootDir))
      .map(({ file, title, results }) =>
        failure(file, title, ...(results.findLast(({ errors }) => errors?.length)?.errors ?? []).map(withPlace)),
      ),
  ];
  // No test is retried (decision 0019): a test that passed only on a retry has failed. Playwright counts tests that it never reached, after an
  // interruption, as skipped.
  return { ...noCounts, passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped, failures };
}

/** The place tells which of several equal expectations failed. It stands on the first line, which the summary keeps. */
function withPlace({ message, location }: PlaywrightError): string | undefined {
  if (message === undefined || location === undefined) return message;
  const [first = '', ...rest] = message.split('\n');
  return [`${within(location.file)}:${location.line}: ${first}`, ...rest].join('\n');
}

/** The tests that did not pass at once. The title of an outermost suite is its file's. */
function testsIn({ suites = [], specs }: PlaywrightSuite, root: string, titles: readonly string[] = []) {
  const own = specs.flatMap(({ title, file, tests }) =>
    tests
      .filter(({ status }) => status === 'unexpected' || status === 'flaky')
      .map(({ results }) => ({ file: join(root, file), title: [...titles, title].join(' > '), results })),
  );
  type Found = (typeof own)[number];
  const below: Found[] = suites.flatMap((suite): Found[] => testsIn(suite, root, [...titles, suite.title]));
  return [...own, ...below];
}

/** Reads the output of `npm run check`: a line per rule. */
export function readCheckOutput(output: string): Counts {
  const failures = [...output.matchAll(/^FAIL (.*)(?:\n {5}(.*))?/gm)].map(([, rule, first]) => failure('', rule!, first));
  return { ...noCounts, passed: output.match(/^ok {2}/gm)?.length ?? 0, failed: failures.length, failures };
}

/** Reads the output of `npm run attacks -- --prove`: a line per fault. */
export function readProofOutput(output: string): Counts {
  const failures = [...output.matchAll(/^(?:SURVIVED|NOT RUN) .*/gm)].map(([line]) => failure('', line, undefined));
  return { ...noCounts, passed: output.match(/^proven /gm)?.length ?? 0, failed: failures.length, failures };
}

/** Reads the output of `npm run chaos`: a line per property. */
export function readChaosOutput(output: string): Counts {
  const failures = [...output.matchAll(/^BROKEN {2}.*/gm)].map(([line]) => failure('', line, undefined));
  return { ...noCounts, passed: output.match(/^held {4}/gm)?.length ?? 0, failed: failures.length, failures };
}

/** Reads the output of `npm run lab -- all`: a line per lab. */
export function readLabsOutput(output: string): Counts {
  const failures = [...output.matchAll(/^FAIL {2}(\S+?)(?:: (.*))?$/gm)].map(([, lab, why]) => failure('', lab!, why));
  return { ...noCounts, passed: output.match(/^ok {4}/gm)?.length ?? 0, failed: failures.length, failures };
}

function read<Report>(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}
