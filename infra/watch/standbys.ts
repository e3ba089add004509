/**
 * Successors that load code while the compiler works. A standby loads only projects that the saved file cannot change: neither its own project nor
 * one that is made of it. Should the code of a loaded project change all the same, the standby is given up.
 */
import type { ProcessSpec } from '../stack/stack.ts';
import type { Supervised } from '../supervisor/supervised.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { doorOf, madeOf } from './workspace.ts';
import type { Workspace } from './workspace.ts';

/** Each loads for a second. With more of them at once, the compiler would wait for a processor: both gateways, or embedded. */
const standbyCountMax = 2;

interface Standby {
  readonly supervised: Supervised;
  readonly loaded: readonly string[];
  readonly launched: Promise<void>;
}

export class Standbys {
  readonly #supervisor: Supervisor;
  readonly #workspace: Workspace;
  #waiting: Standby[] = [];

  constructor(supervisor: Supervisor, workspace: Workspace) {
    this.#supervisor = supervisor;
    this.#workspace = workspace;
  }

  /** @param saved the project whose code is about to change */
  prepare(saved: string): void {
    const touched = processesMadeOf(new Set([saved]), this.#supervisor, this.#workspace);
    if (touched.length > standbyCountMax) return;
    this.#waiting = touched.map((spec) => {
      const supervised = this.#supervisor.find(spec.name);
      const loaded = [...madeOf(appsOf(spec), this.#workspace)].filter((folder) => !madeOf([folder], this.#workspace).has(saved));
      const launch = async () => supervised.prepareSuccessor(loaded.map(doorOf));
      // Should one not start, or a package.json be half written, a start without it says why.
      const launched = launch().catch(() => undefined);
      return { supervised, loaded, launched };
    });
  }

  /** Gives up each standby that has loaded code of yesterday, or whose process is not about to be replaced. */
  async keepOnly(replaced: readonly ProcessSpec[], changed: ReadonlySet<string>): Promise<void> {
    for (const { supervised, loaded, launched } of this.#waiting.splice(0)) {
      await launched;
      const isReplaced = replaced.some(({ name }) => name === supervised.spec.name);
      if (!isReplaced || loaded.some((folder) => changed.has(folder))) supervised.dropSuccessor();
    }
  }
}

export function processesMadeOf(changed: ReadonlySet<string>, { spec }: Supervisor, workspace: Workspace): ProcessSpec[] {
  return spec.processes.filter((process) => [...madeOf(appsOf(process), workspace)].some((folder) => changed.has(folder)));
}

/** The folders of the apps that a process runs. */
function appsOf({ run }: ProcessSpec): string[] {
  if (run.kind === 'app') return [`apps/${run.app.app}`];
  return run.kind === 'embedded' ? run.apps.map(({ app }) => `apps/${app}`) : [];
}
