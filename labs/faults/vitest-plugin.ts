/** Plants one mutant while Vitest loads the file: nothing on disk changes, so nothing can be left behind. */
import { join } from 'node:path';
import { mutants } from './mutant-list.ts';

const root = join(import.meta.dirname, '../..');

export function mutantPlugin(name: string) {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`no mutant ${name}`);
  return {
    // Vitest keys its cache of transformed files by the names of the plugins: one name for all would serve one mutant's code to another.
    name: `mutant:${name}`,
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      if (id.split('?', 1)[0] !== join(root, mutant.file)) return undefined;
      const parts = code.split(mutant.find);
      if (parts.length !== 2) throw new Error(`mutant ${name} is out of date: its text stands ${parts.length - 1} times in ${mutant.file}`);
      return { code: parts.join(mutant.replace), map: null };
    },
  };
}
