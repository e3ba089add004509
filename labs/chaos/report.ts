/** The report of a run at its end, and the files it leaves. Pure except for the writing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explain, outcomeWords, repeatLines, writeHistory } from '@cloakroom/testing';
import type { History, Operation, Verdict } from '@cloakroom/testing';
import { align } from '../../infra/cli/status.ts';
import type { Hit } from './nemesis.ts';
import { propertyLines } from './properties.ts';
import { timelineOf } from './timeline.ts';

export interface Outcome {
  readonly history: History;
  readonly verdict: Verdict;
  readonly hits: readonly Hit[];
  readonly leftOut: readonly string[];
  readonly rerun: string;
  readonly interrupted: boolean;
}

export interface Written {
  readonly history: string;
  readonly verdict: string;
  readonly timeline: string;
}

export async function writeOutcome(folder: string, outcome: Outcome): Promise<Written> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const files = { history: at('history.jsonl'), verdict: at('verdict.json'), timeline: at('timeline.json') };
  const { history, verdict, hits, leftOut, rerun, interrupted } = outcome;
  await writeHistory(files.history, history);
  const faults = hits.map(({ planned, label, end, why }) => ({ label, target: planned.target, end, why }));
  writeFileSync(
    files.verdict,
    `${JSON.stringify({ seed: history.seed, rerun, interrupted, ...verdict, faults, leftOut }, undefined, 2)}\n`,
  );
  writeFileSync(files.timeline, JSON.stringify(timelineOf({ history, verdict, rerun, notes: notesOf(outcome) })));
  return files;
}

/** Faults that had no effect, and faults that this machine cannot have. */
function notesOf({ hits, leftOut }: Pick<Outcome, 'hits' | 'leftOut'>): string[] {
  const doubtful = hits
    .filter(({ end }) => end !== 'bit')
    .map(({ label, planned, end, why }) => `${end}: ${label} ${planned.target}: ${why}`);
  return [...doubtful, ...leftOut.map((line) => `LEFT OUT ${line}`)];
}

/** The report on the terminal, one page long. */
export function describeOutcome(outcome: Outcome, files: Written): string[] {
  const { history, verdict, hits, rerun, interrupted } = outcome;
  const { visibleMs } = verdict;
  const bit = hits.filter(({ end }) => end === 'bit').length;
  const [table, ...rows] = countTable(history.operations);
  return [
    '',
    ...align([table!, ...rows]),
    'refused: for certain, nothing was done; unknown: it may have happened',
    '',
    ...repeatLines(verdict.repeats),
    '',
    `${history.faults.length} faults${hits.length === 0 ? '' : `, ${bit} seen to bite`}; acknowledged to visible: p50 ${visibleMs.p50.toFixed(0)} ms, p99 ${visibleMs.p99.toFixed(0)} ms, longest ${visibleMs.max.toFixed(0)} ms (${visibleMs.count} commands, ${visibleMs.unseen} more not seen within their looks; faults included)`,
    ...notesOf(outcome).map((note) => `  ${note}`),
    '',
    ...propertyLines(verdict.anomalies),
    ...anomalyLines(outcome),
    '',
    `  timeline  ${files.timeline} (https://ui.perfetto.dev opens it)`,
    `  history   ${files.history}`,
    `  verdict   ${files.verdict}`,
    `  again     ${rerun}`,
    '',
    `${interrupted ? 'Interrupted. ' : ''}${verdict.ok ? 'No anomaly' : `${verdict.anomalies.length} ANOMALIES`} in ${history.operations.length} operations, seed ${history.seed}.`,
  ];
}

const outcomes = Object.keys(outcomeWords) as (keyof typeof outcomeWords)[];

function countTable(operations: readonly Operation[]): string[][] {
  const kinds = [...new Set(operations.map(({ kind }) => kind))].toSorted();
  const count = (kind: string, outcome: string): string =>
    String(operations.filter((one) => one.kind === kind && one.outcome === outcome).length);
  return [
    ['operation', ...outcomes.map((outcome) => outcomeWords[outcome])],
    ...kinds.map((kind) => [kind, ...outcomes.map((outcome) => count(kind, outcome))]),
  ];
}

/** A broken run may have hundreds of equal anomalies. The report shows this many. */
const shownMax = 12;

function anomalyLines({ verdict: { anomalies }, history }: Outcome): string[] {
  const shown = anomalies.slice(0, shownMax).flatMap((anomaly, index) => [
    '',
    ...explain(anomaly, history)
      .split('\n')
      .map((line, at) => (at === 0 ? `  ${index + 1}. ${line}` : `  ${line}`)),
  ]);
  return [...shown, ...(anomalies.length > shownMax ? ['', `  and ${anomalies.length - shownMax} more: see the files`] : [])];
}
