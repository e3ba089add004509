/** A process that proves laws of carts, one task at a time (labs/prove/prove.worker.ts). */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { preloadOf } from '../faults/preload.ts';
import type { Outcome } from './law.ts';
import type { Task, Word } from './prove.worker.ts';

const program = join(import.meta.dirname, 'prove.worker.ts');

export type LawName = Extract<Word, { kind: 'laws' }>['laws'][number];

export interface Prover {
  readonly laws: readonly LawName[];
  prove(task: Task, onProgress?: (histories: number) => void): Promise<Outcome>;
  stop(): void;
}

/** @param mutant planted in the proven code; @throws when the process ends before it has answered */
export async function openProver(mutant?: string): Promise<Prover> {
  const imports = mutant === undefined ? [] : ['--import', preloadOf(mutant)];
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
