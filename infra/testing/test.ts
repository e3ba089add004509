/**
 * `npm test` runs every suite, on a provider that it names. It reports suites that this machine cannot run, and fails for them with CI=true. The last
 * line is `N passed, N failed`, summed from the runners' own reports.
 */
import { obtainChromium } from '../cli/chromium.ts';
import { findEngine } from './containers.suite.ts';
import { toolsDir } from '../stack/folders.ts';
import { countUnrun, describeLeftOut } from './left-out.ts';
import type { LeftOut } from './left-out.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { findPostgres } from '../native/postgres.ts';
import { obtainNative } from '../launch/provider.ts';
import { obtainMirror } from '../native/mirror.ts';
import { add, describeFailures, noCounts } from './reports.ts';
import type { Counts } from './reports.ts';
import { align } from '../cli/status.ts';
import { describeRemembered, describeTree, forgetAll, recall, remember } from './remembered.ts';
import type { SuiteReport } from './remembered.ts';
import { quickSecondsMax, stages, suiteNamed } from './test.suites.ts';
import type { Need, Print, Stage, Suite } from './test.suites.ts';

type Lacks = Partial<Record<Need, string>>;

const suites = stages.flat(2);

interface Outcome {
  readonly name: string;
  readonly counts: Counts;
  readonly seconds: number;
  readonly earlier: SuiteReport | undefined;
}

export interface Choice {
  readonly only?: readonly string[] | undefined;
  readonly quick?: boolean | undefined;
  readonly affected?: boolean | undefined;
  /** Runs a suite also where this tree has passed it on this machine. */
  readonly again?: boolean | undefined;
}

/** @throws StackError */
export function choose({ only, quick = false, affected = false }: Choice): Suite[] {
  const chooser = quick ? '--quick' : affected ? '--affected' : undefined;
  if (chooser !== undefined && (only !== undefined || (quick && affected)))
    throw new StackError(`${chooser} chooses the suites itself`, 'leave all but one of --quick, --affected and --only out');
  only?.forEach(suiteNamed);
  if (quick) return partOf('quick');
  return affected ? partOf('affected') : suites.filter(({ name }) => only === undefined || only.includes(name));
}

function partOf(part: 'quick' | 'affected'): Suite[] {
  return suites.flatMap((suite) => {
    const run = suite[part];
    return run === undefined ? [] : [{ ...suite, run }];
  });
}

/** Whether nx is asked for an earlier report, and given a new one. */
interface Memory {
  readonly recalls: boolean;
  readonly remembers: boolean;
}

/** @returns the exit code */
export async function test(choice: Choice, print: Print): Promise<number> {
  const began = performance.now();
  const chosen = choose(choice);
  const isPart = choice.quick === true || choice.affected === true;
  // A dist that was there before, or was mended in place, may hold more than the tree says.
  const isBuilt = process.env['CLOAKROOM_BUILT'] !== '1' && process.env['CLOAKROOM_BUILT_IN_PLACE'] !== '1';
  const memory = { recalls: !isPart && choice.again !== true, remembers: !isPart && isBuilt };
  // A command that a test runs must not build: nx would take a dist away from under another suite.
  process.env['CLOAKROOM_BUILT'] = '1';
  const interrupted = whenInterrupted();
  const lacks = await findLacks(chosen, print);
  const leftOut: LeftOut[] = [];
  const runRow = async (row: readonly Suite[], aside: boolean): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const suite of chosen.filter(({ name }) => row.some((one) => one.name === name))) {
      const lack = suite.needs.find((need) => lacks[need] !== undefined);
      if (interrupted()) leftOut.push({ suite: suite.name, why: 'interrupted', excused: false });
      else if (lack !== undefined) leftOut.push({ suite: suite.name, why: lacks[lack]!, excused: lack === 'engine' });
      else
        outcomes.push(
          await (aside
            ? runAside(suite, print, interrupted, memory)
            : runSuite(suite, { print, interrupted, onOutput: undefined }, memory)),
        );
    }
    return outcomes;
  };
  const isChosen = ({ name }: Suite) => chosen.some((one) => one.name === name);
  const outcomes: Outcome[] = [];
  for (const stage of stages) {
    const occupied = stage.filter((row) => row.some(isChosen));
    outcomes.push(...(await Promise.all(occupied.map((row, index) => runRow(row, index > 0)))).flat());
  }
  if (choice.quick === true) for (const line of quickNotes((performance.now() - began) / 1000)) print(line);
  if (choice.affected === true) print('\n  AFFECTED  the checks, and unit tests of projects that changed. Before a change lands: npm test');
  if (!isPart && !interrupted()) await forgetWhatFailed(outcomes, print);
  const code = report(outcomes, leftOut, print);
  return interrupted() ? 130 : code;
}

/** Says that this run is only a part, and whether it took longer than it may. The last line of the run stays the sum. */
export function quickNotes(seconds: number): string[] {
  const part = '\n  QUICK  a part of the tests. Before a change lands: npm test';
  const late = `  QUICK  took ${Math.round(seconds)} s; ${quickSecondsMax} s are meant, on a quiet machine with 2 cores`;
  return seconds > quickSecondsMax ? [part, late] : [part];
}

/** Runs beside another suite, so its output comes in one piece at the end. */
async function runAside(suite: Suite, print: Print, interrupted: () => boolean, memory: Memory): Promise<Outcome> {
  print(`\n== ${suite.name} has begun beside; what it says follows when it ends`);
  let said = '';
  const stage: Stage = { print: (line) => (said += `${line}\n`), interrupted, onOutput: (text) => (said += text) };
  const outcome = await runSuite(suite, stage, memory);
  print(said);
  return outcome;
}

async function runSuite(suite: Suite, stage: Stage, memory: Memory): Promise<Outcome> {
  stage.print(`\n== ${suite.name}`);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const { name } = suite;
  // The first two have no needs, and nx remembers them by project.
  const isRemembered = suite.needs.length > 0;
  const earlier = isRemembered && memory.recalls ? await recall(name) : undefined;
  if (earlier !== undefined) {
    stage.print(describeRemembered(name, earlier));
    return { name, counts: earlier.counts, seconds: seconds(), earlier };
  }
  const tree = isRemembered ? describeTree() : '';
  let counts: Counts;
  try {
    counts = await suite.run(stage);
  } catch (error) {
    const why = describeFailure(error);
    stage.print(`${name}: ${why}`);
    counts = { ...noCounts, failed: 1, failures: [{ file: '', title: 'did not run', error: why }] };
  }
  if (isRemembered && memory.remembers && !stage.interrupted())
    await remember(name, { counts, seconds: seconds(), endedAt: new Date().toISOString() }, tree);
  return { name, counts, seconds: seconds(), earlier };
}

/** A suite that passed on this tree before and fails now must not pass from memory later. */
async function forgetWhatFailed(outcomes: readonly Outcome[], print: Print): Promise<void> {
  for (const { name, counts } of outcomes) {
    if (counts.failed === 0 || (await recall(name)) === undefined) continue;
    print(`\n  FORGOTTEN  ${name} failed, and it had passed on this very tree: nx forgets all that it remembers`);
    return forgetAll();
  }
}

/** Installs missing parts where it may. @returns for each need the reason why it is not met */
async function findLacks(chosen: readonly Suite[], print: Print): Promise<Lacks> {
  const wants = (need: Need) => chosen.some(({ needs }) => needs.includes(need));
  const lacks: Lacks = {};
  if (wants('native')) {
    const native = await obtainNative({ env: process.env, toolsDir, say: print });
    if (!('tools' in native)) lacks.native = `${native.why}. Remedy: ${native.remedy}`;
  }
  if (wants('mirror')) {
    const mirror = await obtainMirror(toolsDir, print);
    if (!mirror.ok) lacks.mirror = `${mirror.why}. Remedy: ${mirror.remedy}`;
  }
  if (wants('postgres')) {
    const postgres = findPostgres();
    if (!postgres.ok) lacks.postgres = `${postgres.why}. Remedy: ${postgres.remedy}`;
  }
  if (wants('browser')) {
    const browser = await obtainChromium(print);
    if (!browser.ok) lacks.browser = `${browser.why}. Remedy: ${browser.remedy}`;
  }
  if (wants('engine')) {
    const engine = await findEngine();
    // As root on Linux an engine is set up, and then any error is a failure.
    if (!engine.ok) lacks.engine = `${engine.why}. Remedy: ${engine.remedy}`;
  }
  return lacks;
}

function report(outcomes: readonly Outcome[], leftOut: readonly LeftOut[], print: Print): number {
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
  for (const { name, earlier } of outcomes) if (earlier !== undefined) print(`\n${describeRemembered(name, earlier)}`);
  for (const one of leftOut) print(`\n${describeLeftOut(one)}`);
  const unrun = countUnrun(leftOut, total.skipped, inCi);
  if (unrun > 0) print(`\n  CI=true: ${unrun} suites left out or tests skipped count as failed`);
  print(`\n${total.passed} passed, ${total.failed + unrun} failed`);
  return total.failed + unrun === 0 ? 0 : 1;
}

function whenInterrupted(): () => boolean {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (interrupted = true));
  return () => interrupted;
}
