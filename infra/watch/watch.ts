/**
 * The edit loop of `npm start -- --watch`: builds what was saved, and restarts the processes whose code is another one now. All else runs on.
 * Sessions and carts outlive a restart, as they are in Redis, Kafka and files.
 */
import { join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repository } from '../stack/folders.ts';
import { levelsOf } from '../supervisor/supervisor.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { compile } from './compile.ts';
import { processesMadeOf, Standbys } from './standbys.ts';
import { watchTree } from './watch-tree.ts';
import { hashOfCode, madeOf, readWorkspace } from './workspace.ts';

/** An editor writes a file in several steps, and a branch is changed file by file. The compiler waits until nothing was written for so long. */
const settleMs = 60;

interface Save {
  readonly file: string;
  readonly at: number;
}

type Print = (line: string) => void;

export class SourceWatch {
  readonly #supervisor: Supervisor;
  readonly #print: Print;
  readonly #workspace = readWorkspace();
  readonly #standbys: Standbys;
  readonly #roots: readonly string[];
  readonly #folders: readonly string[];
  /** Project -> the hash of the code that the processes loaded. */
  readonly #code: Map<string, string>;
  readonly #ended = new AbortController();
  readonly #saves: Save[] = [];
  #wake = (): void => undefined;

  /** Remembers the code that the processes are about to load, so it comes before their start. @param apps those to watch, with all they are made of */
  constructor(supervisor: Supervisor, apps: readonly string[], print: Print) {
    this.#supervisor = supervisor;
    this.#print = print;
    this.#standbys = new Standbys(supervisor, this.#workspace);
    this.#roots = apps.map((app) => `apps/${app}`);
    this.#folders = [...madeOf(this.#roots, this.#workspace)];
    this.#code = new Map(this.#folders.map((folder) => [folder, hashOfCode(folder)]));
    for (const folder of this.#folders)
      watchTree(join(repository, folder, 'src'), (path) => this.#note(join(folder, 'src', path)), this.#ended.signal);
  }

  /** Begins with what was saved so far. Resolves after `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#untilSaved();
      if (!signal.aborted) await this.#build(this.#saves.splice(0));
    }
  }

  stop(): void {
    this.#ended.abort();
    this.#wake();
  }

  #note(file: string): void {
    if (!isBuilt(file)) return;
    this.#saves.push({ file, at: performance.now() });
    this.#wake();
  }

  async #untilSaved(): Promise<void> {
    const { signal } = this.#ended;
    if (this.#saves.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    const [first] = this.#saves;
    // A standby loads while the file settles and the compiler works.
    if (first !== undefined && !signal.aborted) this.#standbys.prepare(projectOf(first.file));
    const leftMs = () => (this.#saves.at(-1)?.at ?? 0) + settleMs - performance.now();
    while (!signal.aborted && leftMs() > 0) await delay(leftMs());
  }

  async #build(saves: readonly Save[]): Promise<void> {
    const { signal } = this.#ended;
    const [first] = saves;
    if (first === undefined) return;
    const others = new Set(saves.map(({ file }) => file)).size - 1;
    const what = `watch   ${first.file}${others === 0 ? '' : ` and ${others} more`}`;
    const built = await compile(this.#roots, signal);
    const took = `built in ${secondsSince(first.at)} s`;
    const restarted = await this.#restart(built.ok && !signal.aborted ? this.#changedProjects() : new Set());
    if (signal.aborted) return;
    if (!built.ok) return this.#print(`${built.output.trimEnd()}\n${what}: does not compile, so what runs is left as it is`);
    if (restarted.length === 0) return this.#print(`${what}: ${took}, and no code changed`);
    const failed = restarted.filter((name) => this.#supervisor.find(name).state !== 'ready');
    const logs = failed.map((name) => this.#supervisor.logFile(name)).join(', ');
    const ready = `${restarted.join(', ')} ready ${secondsSince(first.at)} s after the save`;
    this.#print(`${what}: ${took}, ${failed.length === 0 ? ready : `but ${failed.join(', ')} does not start: ${logs}`}`);
  }

  /** Services first: a gateway that starts asks them. @returns the names of the processes that have new code */
  async #restart(changed: ReadonlySet<string>): Promise<string[]> {
    const touched = processesMadeOf(changed, this.#supervisor, this.#workspace);
    await this.#standbys.keepOnly(touched, changed);
    for (const level of levelsOf(touched)) await Promise.all(level.map(({ name }) => this.#supervisor.find(name).replace()));
    return touched.map(({ name }) => name);
  }

  /** @returns the projects whose code is another one than at the last time */
  #changedProjects(): ReadonlySet<string> {
    return new Set(
      this.#folders.filter((folder) => {
        const now = hashOfCode(folder);
        const changed = this.#code.get(folder) !== now;
        this.#code.set(folder, now);
        return changed;
      }),
    );
  }
}

/** No test is part of a build, nor a file that an editor keeps beside the one that is open. */
const isBuilt = (path: string): boolean => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path);

/** "apps/cart/src/main.ts" is of "apps/cart". */
const projectOf = (file: string): string => file.split(sep, 2).join('/');

const secondsSince = (at: number): string => ((performance.now() - at) / 1000).toFixed(1);
