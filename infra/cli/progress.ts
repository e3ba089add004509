/** Shows the progress of a start: a live list on a terminal, one plain line per fact everywhere else. */
import type { StackEvent, Supervisor } from '../supervisor/supervisor.ts';
import type { Supervised } from '../supervisor/supervised.ts';

export interface Progress {
  say(line: string): void;
  event(event: StackEvent): void;
  /** Shows the start until it is over. Settles as `started` does. */
  watch(supervisor: Supervisor, started: Promise<void>): Promise<void>;
}

type Print = (line: string) => void;

export function openProgress(print: Print): Progress {
  const live = process.stdout.isTTY === true && process.env['CI'] === undefined;
  let listed = false;
  const readyOnce = new Set<Supervised>();
  const waiting = new Map<Supervised, () => void>();
  return {
    say: print,
    event(event) {
      if (event.kind === 'note') return print(event.text);
      const { process: supervised, note } = event;
      if (note !== undefined) return print(`${supervised.spec.name} ${note}`);
      if (supervised.state !== 'ready' || readyOnce.has(supervised)) return;
      readyOnce.add(supervised);
      // The summary names the process that the shop does without: it comes up after the shop.
      if (!listed && supervised.spec.beside !== true) print(readyLine(supervised));
      waiting.get(supervised)?.();
    },
    async watch(supervisor, started) {
      if (!live) return started;
      listed = true;
      await showList(supervisor, started, waiting);
      listed = false;
      return started;
    },
  };
}

function readyLine({ spec, readyInMs }: Supervised): string {
  return `${spec.name.padEnd(14)} ready in ${((readyInMs ?? 0) / 1000).toFixed(1).padStart(4)} s  ${spec.url}`;
}

/** Never rejects: the starter reports the failure. */
async function showList(supervisor: Supervisor, started: Promise<void>, waiting: Map<Supervised, () => void>): Promise<void> {
  const { Listr } = await import('listr2');
  const over = started.then(
    () => undefined,
    () => undefined,
  );
  const awaited = supervisor.processes.filter(({ spec }) => spec.beside !== true);
  const tasks = awaited.map((supervised) => ({
    title: supervised.spec.name,
    task: async (_: unknown, task: { title: string; skip(message: string): void }) => {
      const ready = new Promise<void>((resolve) => waiting.set(supervised, resolve));
      if (supervised.state !== 'ready') await Promise.race([ready, over]);
      // The state may have changed during this wait.
      if (supervised.readyInMs === undefined) return task.skip(`${supervised.spec.name} not started`);
      task.title = readyLine(supervised);
    },
  }));
  await new Listr(tasks, { concurrent: true, exitOnError: false, registerSignalListeners: false, renderer: 'default' }).run();
}
