/** A process that proves laws of carts, one task at a time (labs/prove/prove.worker.ts). */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../infra/stack/folders.ts';

const program = join(repository, 'labs/prove/prove.worker.ts');
const plant = new URL('./plant-mutant.ts', import.meta.url);

export interface LawName {
  readonly name: string;
  readonly says: string;
  /** Of all random histories, parts of a hundred; 0 where all are looked at. */
  readonly share: number;
}

export interface Task {
  readonly law: string;
  readonly depth: 'long' | 'short';
  readonly seed: number;
  readonly histories: number;
}

export interface Outcome {
  readonly histories: number;
  readonly counterExample?: { readonly story: readonly string[]; readonly fault: string; readonly replay: string };
}

/** What the process says; kept beside the worker's own copy, since nothing imports an app. */
type Word =
  | { readonly kind: 'laws'; readonly laws: readonly LawName[] }
  | { readonly kind: 'progress'; readonly histories: number }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

export interface Prover {
  readonly laws: readonly LawName[];
  prove(task: Task, onProgress?: (histories: number) => void): Promise<Outcome>;
  stop(): void;
}

/** @param mutant planted in the code that is proven; @throws when the process ends before it has answered */
export async function openProver(mutant?: string): Promise<Prover> {
  const imports = mutant === undefined ? [] : ['--import', `${plant.href}?mutant=${mutant}`];
  const child = fork(program, {
    execArgv: ['--disable-warning=ExperimentalWarning', ...imports],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { laws } = await untilSaid(child, 'laws');
  return {
    laws,
    async prove(task, onProgress = () => undefined) {
      const outcome = untilSaid(child, 'outcome', onProgress);
      child.send(task);
      return (await outcome).outcome;
    },
    stop: () => child.disconnect(),
  };
}

function untilSaid<K extends Word['kind']>(
  child: ChildProcess,
  kind: K,
  onProgress: (histories: number) => void = () => undefined,
): Promise<Extract<Word, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', hear);
      child.off('exit', gone);
    };
    const hear = (word: Word) => {
      if (word.kind === 'progress') onProgress(word.histories);
      if (word.kind !== kind) return;
      done();
      resolve(word as Extract<Word, { kind: K }>);
    };
    const gone = (code: number | null) => {
      done();
      reject(new Error(`the proving process ended with ${code}`));
    };
    child.on('message', hear);
    child.once('exit', gone);
  });
}
