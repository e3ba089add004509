import type { ProcessView, StackView } from '../../../src/api.ts';
import { leaning } from './place-nodes.ts';

export type Action = 'pause' | 'resume' | 'kill' | 'restart';

/** Those that make sense in the state that the process is in. */
export function actionsFor({ state }: ProcessView): readonly Action[] {
  if (state === 'paused') return ['resume', 'kill'];
  if (state === 'ready' || state === 'starting') return ['pause', 'kill', 'restart'];
  return ['restart'];
}

/** What it will do, and to whom. */
export function consequence(action: Action, process: ProcessView, stack: StackView): string {
  const others = leaning(stack, process.name);
  const whom = process.kind === 'embedded' ? 'the whole shop' : others.length === 0 ? 'its callers' : listOf(others);
  switch (action) {
    case 'pause':
      return `It keeps its connections and answers nobody, so ${whom} will wait until a budget ends. It goes on when you resume it, when the Observatory ends, or after 10 minutes.`;
    case 'resume':
      return 'It goes on with what it was doing, and finds that time has passed.';
    case 'kill':
      return process.kind === 'embedded'
        ? 'It ends in the middle of its work, and the whole shop with it. The supervisor starts another one.'
        : `It ends in the middle of its work. For ${whom} its connections break at once. The supervisor starts another one.`;
    default:
      return `It finishes what it has begun, ends, and is started again. ${whom === 'the whole shop' ? 'The whole shop is' : `For ${whom} it is`} away for a moment.`;
  }
}

export function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 5);
  const rest = names.length - shown.length;
  const all = rest > 0 ? [...shown, `${rest} more`] : shown;
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
