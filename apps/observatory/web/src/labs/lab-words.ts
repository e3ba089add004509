/** The words of the views of labs, as plain functions. */
import type { LabResultView, LabRunView, LabVerdict, LabView } from '../../../src/api.ts';

/** The programs of labs load for a second or two, and several times as long on a crowded machine. */
export const labTimeoutMs = 30_000;

export const needsWords = (needs: LabView['needs']): string => (needs === 'native' ? 'needs Redis and Kafka' : 'needs nothing but Node');

export const toneOf = (verdict: LabVerdict): 'good' | 'bad' | 'warn' =>
  verdict === 'holds' ? 'good' : verdict === 'does not hold' ? 'bad' : 'warn';

/** "5 rounds in 61.5 s · 2 cores of Intel Xeon, Node 24.21.0" */
export function machineWords({ rounds, seconds, quick, machine }: LabResultView): string {
  const { processor, cores, node } = machine;
  return [
    `${rounds === 1 ? '1 round' : `${rounds} rounds`} in ${seconds} s${quick ? ', a quick run' : ''}`,
    `${cores === 1 ? '1 core' : `${cores} cores`} of ${processor}`,
    `Node ${node.replace(/^v/, '')}`,
  ].join(' · ');
}

export const isRunning = (run: LabRunView | undefined): boolean => run?.state === 'running' || run?.state === 'stopping';

/** Tells what a run is doing, or how it ended. */
export function runWords({ state, isExercise, says }: LabRunView): string {
  const what = isExercise ? 'The exercise' : 'The run';
  if (state === 'running') return says.at(-1) ?? 'It starts.';
  if (state === 'stopping') return 'It ends after the measurement that goes on.';
  if (state === 'done') return `${what} is done.`;
  if (state === 'stopped') return `${what} was stopped. Nothing of it is kept.`;
  return `${what} did not come to its end.`;
}

/** @returns undefined where the text is no answer yet */
export function numberIn(text: string): number | undefined {
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value;
}

/** Without a prediction nothing of the result is shown, unless the person wants that. */
export const maySee = (lab: Pick<LabView, 'prediction'>, wants: 'usual' | 'skip' | 'again'): boolean =>
  wants !== 'again' && (wants === 'skip' || lab.prediction.given !== undefined);
