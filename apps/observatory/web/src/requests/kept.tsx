/** Under the list: how much the Observatory keeps, and what had no place in its memory. */
import type { KeptView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { megabytes } from '../words/numbers.ts';

export function Kept() {
  const { kept } = useLive();
  return kept === undefined ? null : <p className="quiet">{keptWords(kept)}</p>;
}

export function keptWords({ traces, bytes, bytesMax, forgottenTraces, leftOutSpans, refusedExports }: KeptView): string {
  const dropped = [
    forgottenTraces > 0 && `the ${counted(forgottenTraces, 'oldest trace', 'oldest traces')}, to make room`,
    leftOutSpans > 0 && `${counted(leftOutSpans, 'span', 'spans')}, beyond the most that one trace may have`,
    refusedExports > 0 && `${counted(refusedExports, 'export', 'exports')}, too large or too many at once`,
  ].filter((words) => words !== false);
  const keeps = `The Observatory keeps ${counted(traces, 'trace', 'traces')} in ${megabytes(bytes)} of ${megabytes(bytesMax)}.`;
  return dropped.length === 0 ? keeps : `${keeps} Dropped since its start: ${dropped.join('; ')}.`;
}

const counted = (count: number, one: string, more: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
