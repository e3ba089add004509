/**
 * `npm test`: everything that proves something, on a provider it names. What this machine cannot run is said loudly, and with CI=true fails.
 * The last line is `N passed, N failed`, summed from the runners' own reports.
 */
import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { obtainChromium } from './chromium.ts';
import { startDevServices } from './dev-services.ts';
import { dataRoot, repository, toolsDir } from './folders.ts';
import { describeFailure, StackError } from './outcome.ts';
import { findPostgres } from './native/postgres.ts';
import { obtainNative } from './provider.ts';
import {
  add,
  describeFailures,
  forgetReport,
  noCounts,
  readChaosOutput,
  readCheckOutput,
  readPlaywrightReport,
  readProofOutput,
  readVitestReport,
  withExitCode,
} from './reports.ts';
import type { Counts } from './reports.ts';
import { align } from './status.ts';
import { runCommand, runTool, type ToolName } from './tools.ts';

type Print = (line: string) => void;

type Need = 'native' | 'browser' | 'postgres';
type Lacks = Partial<Record<Need, string>>;

interface Suite {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly run: (stage: Stage) => Promise<Counts>;
}

/** What a suite may use of us. */
interface Stage {
  readonly print: Print;
  readonly interrupted: () => boolean;
  /** For the commands that it runs; undefined: the terminal is theirs. */
  readonly onOutput: ((text: string) => void) | undefined;
}

interface Outcome {
  readonly name: string;
  readonly counts: Counts;
  readonly seconds: number;
}

/** Apart from the shop (4000) and the browser tests (5000, 6100, 6400, 6700, 30300), so that all may run beside each other. */
const integrationBase = 7000;

/** Two rows, of which each goes from left to right: those of the second mostly wait, for a fault to be noticed and healed. */
const rows: readonly (readonly Suite[])[] = [
  [
    { name: 'check', needs: [], run: runChecks },
    { name: 'unit', needs: [], run: runUnit },
    { name: 'e2e-embedded', needs: ['browser'], run: runBrowser('embedded') },
    { name: 'attack-proof', needs: ['browser'], run: runProof },
    { name: 'e2e-native', needs: ['native', 'browser'], run: runBrowser('native') },
    { name: 'e2e-cluster', needs: ['native', 'postgres', 'browser'], run: runBrowser('cluster') },
  ],
  [
    { name: 'integration', needs: ['native'], run: runIntegration },
    { name: 'e2e-failures', needs: ['native', 'postgres'], run: runBrowser('failures') },
    { name: 'e2e-chaos', needs: ['native'], run: runChaos },
    { name: 'e2e-native-postgres', needs: ['native', 'postgres', 'browser'], run: runBrowser('native-postgres') },
  ],
];
const suites = rows.flat();

/** @returns the exit code */
export async function test(only: readonly string[] | undefined, print: Print): Promise<number> {
  const unknown = only?.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) throw new StackError(`no suite ${unknown}`, `one of ${suites.map(({ name }) => name).join(', ')}`);
  const chosen = suites.filter(({ name }) => only === undefined || only.includes(name));
  const interrupted = whenInterrupted();
  const lacks = await findLacks(chosen, print);
  const leftOut: string[] = [];
  const runRow = async (row: readonly Suite[], aside: boolean): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const suite of row.filter((one) => chosen.includes(one))) {
      const lack = suite.needs.map((need) => lacks[need]).find((why) => why !== undefined);
      if (interrupted()) leftOut.push(`${suite.name}: interrupted`);
      else if (lack !== undefined) leftOut.push(`${suite.name}: ${lack}`);
      else
        outcomes.push(await (aside ? runAside(suite, print, interrupted) : runSuite(suite, { print, interrupted, onOutput: undefined })));
    }
    return outcomes;
  };
  const occupied = rows.filter((row) => row.some((suite) => chosen.includes(suite)));
  const outcomes = (await Promise.all(occupied.map((row, index) => runRow(row, index > 0)))).flat();
  const code = report(outcomes, leftOut, print);
  return interrupted() ? 130 : code;
}

/** Beside another: what it says comes in one piece, once it is over. */
async function runAside(suite: Suite, print: Print, interrupted: () => boolean): Promise<Outcome> {
  print(`\n== ${suite.name} has begun beside; what it says follows when it ends`);
  let said = '';
  const outcome = await runSuite(suite, {
    print: (line) => (said += `${line}\n`),
    interrupted,
    onOutput: (text) => (said += text),
  });
  print(said);
  return outcome;
}

async function runSuite(suite: Suite, stage: Stage): Promise<Outcome> {
  stage.print(`\n== ${suite.name}`);
  const began = performance.now();
  let counts: Counts;
  try {
    counts = await suite.run(stage);
  } catch (error) {
    const why = describeFailure(error);
    stage.print(`${suite.name}: ${why}`);
    counts = { ...noCounts, failed: 1, failures: [{ file: '', title: 'did not run', error: why }] };
  }
  return { name: suite.name, counts, seconds: (performance.now() - began) / 1000 };
}

/** Installs what is missing where it may. @returns for each need why it is not met */
async function findLacks(chosen: readonly Suite[], print: Print): Promise<Lacks> {
  const wants = (need: Need) => chosen.some(({ needs }) => needs.includes(need));
  const lacks: Lacks = {};
  if (wants('native')) {
    const native = await obtainNative({ env: process.env, toolsDir, say: print });
    if (!('tools' in native)) lacks.native = `${native.why}. Remedy: ${native.remedy}`;
  }
  if (wants('postgres')) {
    const postgres = findPostgres();
    if (!postgres.ok) lacks.postgres = `${postgres.why}. Remedy: ${postgres.remedy}`;
  }
  if (wants('browser')) {
    const browser = await obtainChromium(print);
    if (!browser.ok) lacks.browser = `${browser.why}. Remedy: ${browser.remedy}`;
  }
  return lacks;
}

async function runChecks(stage: Stage): Promise<Counts> {
  const { output, code } = await listen('check', [], stage);
  return withExitCode(readCheckOutput(output), code);
}

/** Of a tool that writes no report: what it said is the report. */
async function listen(name: ToolName, args: readonly string[], { onOutput }: Stage): Promise<{ output: string; code: number }> {
  let output = '';
  const show = onOutput ?? ((text: string) => void process.stdout.write(text));
  const code = await runTool(name, args, {
    onOutput: (text) => {
      output += text;
      show(text);
    },
  });
  return { output, code };
}

/** Cached by nx: a package whose files and dependencies did not change gives its report back unrun. */
async function runUnit({ onOutput }: Stage): Promise<Counts> {
  const code = await runCommand(
    join(repository, 'node_modules', '.bin', 'nx'),
    ['run-many', '-t', 'test', '--parallel=3', '--outputStyle=static'],
    {
      env: { NX_TUI: 'false', CLOAKROOM_INTEGRATION: undefined },
      onOutput,
    },
  );
  const counts = packages()
    .map((folder) => readVitestReport(join(repository, folder, 'reports', 'test.json')))
    .reduce<Counts>((sum, one) => add(sum, one ?? noCounts), noCounts);
  return withExitCode(counts, code);
}

/** All packages against the same two Redis, one Kafka and one PostgreSQL; one file at a time, as some of them pause the broker. */
async function runIntegration({ print, interrupted, onOutput }: Stage): Promise<Counts> {
  const folders = packages().filter((folder) => globSync(`${folder}/{src/**/,}*.int.test.ts`, { cwd: repository }).length > 0);
  if (folders.length === 0) return noCounts;
  const services = await startDevServices({ base: integrationBase, dataDir: join(dataRoot, 'integration'), fresh: true, say: print });
  let sum = noCounts;
  try {
    for (const folder of folders) {
      if (interrupted()) break;
      print(`\n${folder}`);
      const file = join(repository, folder, 'reports', 'int.json');
      forgetReport(file);
      const code = await runCommand(join(repository, 'node_modules', '.bin', 'vitest'), vitestArguments(folder, file), {
        env: { ...services.env, CLOAKROOM_INTEGRATION: '1' },
        onOutput,
      });
      sum = add(sum, withExitCode(readVitestReport(file) ?? noCounts, code));
    }
  } finally {
    await services.stop();
  }
  return sum;
}

function vitestArguments(folder: string, report: string): string[] {
  const config = join(repository, 'vitest.config.ts');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return ['run', '--root', join(repository, folder), '--config', config, '--no-file-parallelism', ...reporters, '.int.test.ts'];
}

/** A few defences taken away on a stack in one process: the attacks on them must succeed. All of them: `npm run attacks -- --prove`. */
async function runProof(stage: Stage): Promise<Counts> {
  const { output, code } = await listen('attacks', ['--prove', '--fast'], stage);
  return withExitCode(readProofOutput(output), code);
}

/** With the start, the last reads and the stop 3 minutes. Longer, and over other seeds: `npm run chaos`. */
const chaosMinutes = '2.25';
/** The same faults each time, so that what fails has changed: 19 of them, of every kind that native has. Another one: CLOAKROOM_CHAOS_SEED. */
const chaosSeed = '161';

async function runChaos(stage: Stage): Promise<Counts> {
  const seed = process.env['CLOAKROOM_CHAOS_SEED'] ?? chaosSeed;
  const { output, code } = await listen('chaos', ['--minutes', chaosMinutes, '--seed', seed], stage);
  return withExitCode(readChaosOutput(output), code);
}

function runBrowser(provider: 'embedded' | 'native' | 'native-postgres' | 'failures' | 'cluster'): Suite['run'] {
  return async ({ onOutput }) => {
    const file = join(repository, 'test-results', `${provider}.json`);
    forgetReport(file);
    const code = await runTool('e2e', [], { env: { CLOAKROOM_E2E_PROVIDER: provider }, onOutput });
    return withExitCode(readPlaywrightReport(file) ?? noCounts, code);
  };
}

/** Folders of the workspaces, relative to the repository. */
function packages(): string[] {
  const below = (folder: string) => readdirSync(join(repository, folder)).map((name) => join(folder, name));
  return [...below('libs'), ...below('apps'), 'infra'];
}

function report(outcomes: readonly Outcome[], leftOut: readonly string[], print: Print): number {
  const inCi = process.env['CI'] === 'true' || process.env['CI'] === '1';
  const total = outcomes.reduce<Counts>((sum, { counts }) => add(sum, counts), noCounts);
  const rows = outcomes.map(({ name, counts, seconds }) => [
    name,
    ...[counts.passed, counts.failed, counts.skipped].map(String),
    seconds.toFixed(1),
  ]);
  print('');
  for (const line of describeFailures(outcomes)) print(line);
  print('');
  for (const line of align([['suite', 'passed', 'failed', 'skipped', 'seconds'], ...rows])) print(line);
  for (const line of leftOut) print(`\n  LEFT OUT  ${line}`);
  // In CI a test that did not run proves nothing, so it counts as one that failed.
  const unrun = inCi ? leftOut.length + total.skipped : 0;
  if (unrun > 0) print(`\n  CI=true: ${leftOut.length} suites left out and ${total.skipped} tests skipped count as failed`);
  print(`\n${total.passed} passed, ${total.failed + unrun} failed`);
  return total.failed + unrun === 0 ? 0 : 1;
}

function whenInterrupted(): () => boolean {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (interrupted = true));
  return () => interrupted;
}
