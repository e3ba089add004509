/** Proves the laws of its tasks one by one, in a process of its own. labs/prove/prove.ts forks it and speaks over IPC. */
import { laws } from './laws.ts';
import type { Outcome } from './law.ts';

export interface Task {
  readonly law: string;
  readonly depth: 'long' | 'short';
  readonly seed: number;
  readonly histories: number;
}

export type Word =
  | { readonly kind: 'laws'; readonly laws: readonly { readonly name: string; readonly says: string; readonly share: number }[] }
  | { readonly kind: 'progress'; readonly histories: number }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

const say = (word: Word): void => void process.send?.(word);
process.on('message', (task: Task) => {
  const law = laws(task.depth).find(({ name }) => name === task.law);
  if (law === undefined) throw new Error(`no law ${task.law}`);
  law
    .check({ seed: task.seed, histories: task.histories, onProgress: (histories) => say({ kind: 'progress', histories }) })
    .then((outcome) => say({ kind: 'outcome', outcome }))
    .catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
});
process.on('disconnect', () => process.exit());
say({ kind: 'laws', laws: laws('long').map(({ name, says, share }) => ({ name, says, share })) });
