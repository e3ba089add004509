/**
 * A load generator is a separate process. It reports that it is ready. Then for each order it reports
 * that the measurement begins, and the result.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type CoreTimes, cpuMs, pinned, systemCoreTimes } from './machine.ts';
import type { CoreUse } from './starved.ts';

/** Marks the begin and the end of the measured time: the parent then reads the processor time of the other processes. */
export type Note<Result> =
  { readonly note: 'measuring' } | { readonly note: 'ready' } | { readonly result: Result } | { readonly failed: string };

export interface WorkerProcess<Order extends object, Result> {
  /** @returns the result with the milliseconds of processor time that each of `pids` and the generator took meanwhile */
  measure(order: Order, pids: Readonly<Record<string, number>>): Promise<Spent<Result>>;
  stop(): Promise<void>;
}

export interface Spent<Result> {
  readonly result: Result;
  readonly spentMs: Record<string, number>;
  /** Use of the core of the system under test; undefined where it has no core to itself. */
  readonly core: CoreUse | undefined;
}

/** @param script an absolute path */
export async function openWorker<Order extends object, Result>(
  script: string,
  core: Parameters<typeof pinned>[0] = 'generator',
): Promise<WorkerProcess<Order, Result>> {
  const [command, args] = pinned(core, process.execPath, [script]);
  const worker = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(worker, 'exit').then(() => Promise.reject(new Error('the load generator ended')));
  ended.catch(() => undefined);
  const told = (): Promise<Note<Result>> => Promise.race([noteOf<Result>(worker), ended]);
  await told();
  return {
    async measure(order, pids) {
      worker.send(order);
      const begun = await told();
      if ('failed' in begun) throw new Error(begun.failed);
      const watched = { ...pids, generator: worker.pid! };
      const [before, coreBefore, startedMs] = [times(watched), systemCoreTimes(), performance.now()];
      const note = await told();
      if (!('result' in note)) throw new Error('failed' in note ? note.failed : 'the load generator sent no result');
      const [after, coreAfter, wallMs] = [times(watched), systemCoreTimes(), performance.now() - startedMs];
      const spentMs = Object.fromEntries(Object.keys(watched).map((name) => [name, after[name]! - before[name]!]));
      const ours = core === 'system' ? { ...pids, generator: worker.pid! } : pids;
      const oursMs = Object.keys(ours).reduce((sum, name) => sum + spentMs[name]!, 0);
      return { result: note.result, spentMs, core: coreUse(coreBefore, coreAfter, oursMs, wallMs) };
    },
    async stop() {
      if (worker.exitCode !== null) return;
      const gone = once(worker, 'exit');
      worker.disconnect();
      await gone;
    },
  };
}

/** Parts of the wall time. The kernel counts in ticks of 10 ms, so a short block can be wrong by a tick or two. */
function coreUse(before: CoreTimes | undefined, after: CoreTimes | undefined, oursMs: number, wallMs: number): CoreUse | undefined {
  if (before === undefined || after === undefined) return undefined;
  return {
    ours: oursMs / wallMs,
    others: Math.max(0, after.processesMs - before.processesMs - oursMs) / wallMs,
    stolen: (after.stolenMs - before.stolenMs) / wallMs,
  };
}

async function noteOf<Result>(worker: ChildProcess): Promise<Note<Result>> {
  const [note] = (await once(worker, 'message')) as [Note<Result>];
  return note;
}

const times = (pids: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuMs(pid)]));

/** Runs in the worker: answers orders one after the other until the parent is gone. */
export function obey<Order, Result>(measure: (order: Order, begins: () => void) => Promise<Result>): void {
  const tell = (note: Note<Result>): void => void process.send!(note);
  process.on('message', (order: Order) => {
    measure(order, () => tell({ note: 'measuring' })).then(
      (result) => tell({ result }),
      (error: unknown) => tell({ failed: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  tell({ note: 'ready' });
}
