/**
 * Writes a history as a trace file that https://ui.perfetto.dev opens (Chrome's trace event format). Each client has a track, and each operation is a
 * slice. Above them are tracks of faults, and a track of anomalies that marks their operations. A click on a slice shows the request and the answer.
 */
import { outcomeWords, type History, type Operation, type Verdict } from '@cloakroom/testing';

export interface TimelineRequest {
  readonly history: History;
  readonly verdict: Verdict;
  /** The command that runs the same plan again. */
  readonly rerun: string;
  /** Notes such as faults that had no visible effect. */
  readonly notes: readonly string[];
}

/** Times in microseconds from the beginning. X: a slice. i: a moment. M: the name of a group or a track. */
export type TraceEvent =
  | {
      readonly ph: 'X';
      readonly ts: number;
      readonly dur: number;
      readonly name: string;
      readonly args: object;
      readonly pid: number;
      readonly tid: number;
    }
  | { readonly ph: 'i'; readonly ts: number; readonly s: 'g'; readonly name: string; readonly pid: number; readonly tid: number }
  | { readonly ph: 'M'; readonly name: string; readonly args: { readonly name: string }; readonly pid: number; readonly tid: number };

export interface Timeline {
  readonly traceEvents: readonly TraceEvent[];
  readonly otherData: object;
}

interface Slice {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly args: object;
}

export function timelineOf({ history, verdict, rerun, notes }: TimelineRequest): Timeline {
  const { seed, operations, faults, healedAtMs } = history;
  const beganMs = [...operations.map(({ invokedAtMs }) => invokedAtMs), ...faults.map(({ fromMs }) => fromMs), healedAtMs].reduce(min);
  const endedMs = [...operations.map(({ completedAtMs, invokedAtMs }) => completedAtMs ?? invokedAtMs), healedAtMs].reduce(max);
  const us = (ms: number): number => Math.round((Math.min(ms, endedMs) - beganMs) * 1_000);
  const byId = new Map(operations.map((one) => [one.id, one]));
  const marks = verdict.anomalies.flatMap(({ kind, message, operations: ids }, index) =>
    ids.flatMap((id) => {
      const one = byId.get(id);
      return one === undefined
        ? []
        : [{ ...sliceOf(one, endedMs), name: `${index + 1}. ${kind} #${id}`, args: { message, client: one.client } }];
    }),
  );
  const bands = faults.map(({ name, target, fromMs, toMs }) => ({ name: `${name} ${target}`, fromMs, toMs, args: { name, target } }));
  const clients = Map.groupBy(operations, ({ client }) => client);
  const byNumber = [...clients.keys()].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return {
    traceEvents: [
      ...group(1, 'anomalies', [['anomalies', marks]], us),
      ...group(2, 'faults', [['faults', bands]], us),
      ...group(
        3,
        'clients',
        byNumber.map((client) => [client, clients.get(client)!.map((one) => sliceOf(one, endedMs))] as const),
        us,
      ),
      { ph: 'i', s: 'g', name: 'all healed', ts: us(healedAtMs), pid: 2, tid: 1 },
    ],
    otherData: { seed, rerun, notes, verdict: verdict.ok ? 'no anomaly' : verdict.anomalies },
  };
}

const min = (a: number, b: number): number => Math.min(a, b);
const max = (a: number, b: number): number => Math.max(a, b);

/** An operation without an answer reaches to the end. */
function sliceOf(one: Operation, endedMs: number): Slice {
  const { id, kind, outcome, invokedAtMs, completedAtMs, person, gateway, input, output, error } = one;
  const name = outcome === 'ok' ? kind : `${kind} ${outcomeWords[outcome]}`;
  return { name, fromMs: invokedAtMs, toMs: completedAtMs ?? endedMs, args: { id, person, gateway, input, output, error } };
}

/** Slices of one track must not overlap, so overlapping slices get more tracks of the same name. */
function group(
  pid: number,
  name: string,
  tracks: readonly (readonly [string, readonly Slice[]])[],
  us: (ms: number) => number,
): TraceEvent[] {
  const events: TraceEvent[] = [{ ph: 'M', name: 'process_name', args: { name }, pid, tid: 0 }];
  let used = 0;
  for (const [track, slices] of tracks) {
    const ends: number[] = [];
    for (const { name: slice, fromMs, toMs, args } of slices.toSorted((a, b) => a.fromMs - b.fromMs)) {
      const free = ends.findIndex((end) => end <= fromMs);
      const row = free === -1 ? ends.length : free;
      if (free === -1) events.push({ ph: 'M', name: 'thread_name', args: { name: track }, pid, tid: used + row + 1 });
      ends[row] = toMs;
      events.push({ ph: 'X', name: slice, ts: us(fromMs), dur: Math.max(1, us(toMs) - us(fromMs)), args, pid, tid: used + row + 1 });
    }
    used += ends.length;
  }
  return events;
}
