/** One chaos run from its first process to its verdict. It ends by itself, because every step has a bound. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { acrossRegions, checkHistory, historyNowMs, openRecorder, readHistory, runWorkload, untriedRepeats } from '@cloakroom/testing';
import type { Anomaly, History, Operation, RepeatKind, Verdict } from '@cloakroom/testing';
import { labelOf } from './fault-settings.ts';
import { rampage } from './nemesis.ts';
import type { Hit } from './nemesis.ts';
import { describeOutcome, writeOutcome } from './report.ts';
import type { Outcome, Written } from './report.ts';
import { scheduleOf } from './schedule.ts';
import type { FaultName, PlannedFault } from './schedule.ts';
import { openStage, within } from './stage.ts';
import type { Stage } from './stage.ts';

export interface ChaosRequest {
  readonly minutes: number;
  readonly seed: number;
  readonly profile: 'native' | 'cluster' | 'regions';
  readonly base: number;
  readonly only?: readonly FaultName[] | undefined;
  readonly clients?: number | undefined;
  readonly out: string;
  readonly rerun: string;
  /** Ctrl-C aborts it: the run then heals the stack, and still reports. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Shows a line that the next one replaces; undefined ends it. */
  readonly progress: (line: string | undefined) => void;
}

/** After the last fault everything must be healthy well within this time. Otherwise that is an anomaly of its own. */
const healthyWithinMs = 90_000;
/** In a minute on 2 cores each client makes some hundred operations. More clients find no more. */
const clientsDefault = 8;

export async function runChaos(request: ChaosRequest): Promise<Outcome & { readonly files: Written }> {
  const { seed, say, signal } = request;
  const stage = await openStage({
    profile: request.profile === 'native' ? 'usual' : request.profile,
    base: request.base,
    only: request.only,
    say,
  });
  let told: Told;
  try {
    const plan = scheduleOf(stage.menu, seed, request.minutes * 60_000);
    for (const line of stage.leftOut) say(`LEFT OUT  ${line}`);
    say(`seed ${seed}: ${plan.length} faults in ${request.minutes} min: ${planLine(plan)}`);
    told = await underFire(stage, plan, request);
    const late = plan.length - told.hits.length;
    if (late > 0) say(`${late} of ${plan.length} faults were not begun: those before them took longer than planned`);
  } finally {
    await stage.close();
  }
  const judged = checkHistory(told.history);
  const ills = [...told.ills, ...(signal.aborted ? [] : untried(judged, request.minutes))];
  const verdict: Verdict = { ...judged, ok: judged.ok && ills.length === 0, anomalies: [...ills, ...judged.anomalies] };
  const outcome: Outcome = { ...told, verdict, leftOut: stage.leftOut, rerun: request.rerun, interrupted: signal.aborted };
  const files = await writeOutcome(request.out, outcome);
  for (const line of describeOutcome(outcome, files)) say(line);
  return { ...outcome, files };
}

/** Shorter runs meet some kinds only by chance. */
const triedFromMinutes = 1.5;
/** It needs a device that changes hands with a command still pending, which is too rare for the length of a run. */
const byChance: readonly RepeatKind[] = ['other-person'];

/** A run that repeated no command across a sign-in proves nothing about it, and must not pass. */
export function untried({ repeats }: Pick<Verdict, 'repeats'>, minutes: number): Anomaly[] {
  if (minutes < triedFromMinutes) return [];
  const wanted = (Object.keys(repeats) as RepeatKind[]).filter((kind) => !byChance.includes(kind));
  return untriedRepeats(repeats, wanted).map((message) => ({ kind: 'untried', message, operations: [] }));
}

interface Told {
  readonly history: Outcome['history'];
  readonly hits: readonly Hit[];
  /** Anomalies that the nemesis itself saw. */
  readonly ills: readonly Anomaly[];
}

/**
 * The faults end before the clients do, so shopping clients meet some of the damage that a fault left. Then the whole stack must become healthy, and
 * only then do the clients read for the last time.
 */
async function underFire(stage: Stage, plan: readonly PlannedFault[], request: ChaosRequest): Promise<Told> {
  const { seed, signal, clients = clientsDefault } = request;
  const recorder = openRecorder();
  const closing = new AbortController();
  const ills: Anomaly[] = [];
  const heal = async (): Promise<void> => void ills.push(...(await healthOf(stage)));
  const apart = stage.profile === 'regions' ? acrossRegions : {};
  const working = runWorkload({ gateways: stage.stack.gateways, seed, clients, recorder, signal: closing.signal, heal, ...apart });
  // endOf handles a rejection at the end.
  working.catch(() => undefined);
  let broken: readonly string[] = [];
  const stopProgress = showProgress(request, () => ({ operations: recorder.operations(), broken }));
  let hits: Hit[] = [];
  try {
    const began = performance.now();
    hits = await rampage({ stage, plan, totalMs: request.minutes * 60_000, recorder, signal, onChange: (now) => (broken = now) });
    ills.push(...hits.filter(({ unhealed }) => unhealed).map(illOf));
    const leftMs = request.minutes * 60_000 - (performance.now() - began);
    if (!signal.aborted && leftMs > 0) await delay(leftMs, undefined, { signal }).catch(() => undefined);
  } finally {
    closing.abort();
  }
  const told = await endOf(working);
  stopProgress();
  if ('history' in told) return { history: told.history, hits, ills };
  return { history: recorder.history(seed, historyNowMs()), hits, ills: [...ills, told] };
}

async function healthOf(stage: Stage): Promise<Anomaly[]> {
  try {
    await stage.untilHealthy(healthyWithinMs);
    return [];
  } catch (error) {
    return [{ kind: 'not-healed', message: error instanceof Error ? error.message : String(error), operations: [] }];
  }
}

const illOf = ({ label, planned, why }: Hit): Anomaly => ({
  kind: 'not-healed',
  message: `${label} ${planned.target} could not be undone: ${why}`,
  operations: [],
});

/** Includes healing and the last reads. */
const lastWordsMs = healthyWithinMs + 120_000;

async function endOf(working: Promise<History>): Promise<{ readonly history: History } | Anomaly> {
  try {
    if (await within(working, lastWordsMs)) return { history: await working };
    return { kind: 'clients', message: `the clients did not end within ${lastWordsMs / 1_000} s`, operations: [] };
  } catch (error) {
    return { kind: 'clients', message: error instanceof Error ? (error.stack ?? error.message) : String(error), operations: [] };
  }
}

const planLine = (plan: readonly PlannedFault[]): string => plan.map((one) => `${labelOf(one)} ${one.target}`).join(', ');

const progressIntervalMs = 1_000;

function showProgress({ minutes, progress }: ChaosRequest, look: () => { operations: Operation[]; broken: readonly string[] }): () => void {
  const began = performance.now();
  const clock = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor((ms % 60_000) / 1_000)).padStart(2, '0')}`;
  const show = (): void => {
    const { operations, broken } = look();
    const unknown = operations.filter((one) => one.outcome === 'unknown').length;
    const now = broken.length === 0 ? 'all is well' : broken.join(', ');
    progress(
      `${clock(performance.now() - began)} of ${clock(minutes * 60_000)}  ${operations.length} operations, ${unknown} unknown  ${now}`,
    );
  };
  const timer = setInterval(show, progressIntervalMs);
  return () => {
    clearInterval(timer);
    progress(undefined);
  };
}

/** Judges a finished run again: a checker that has improved since may find more anomalies, or fewer. */
export async function judgeAgain(file: string, out: string, say: (line: string) => void): Promise<Verdict> {
  const history = await readHistory(file);
  const outcome: Outcome = {
    history,
    verdict: checkHistory(history),
    hits: [],
    leftOut: [],
    rerun: `npm run chaos -- --judge ${file}`,
    interrupted: false,
  };
  for (const line of describeOutcome(outcome, await writeOutcome(out, outcome))) say(line);
  return outcome.verdict;
}

export const outFolder = (root: string, seed: number, profile: string): string => join(root, 'chaos', `${profile}-${seed}`);
