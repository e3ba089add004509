/**
 * Preloaded (`--import`) into the processes of a test's stack: takes one defence out of the built code while it is loaded. Nothing on disk
 * changes, and no process of a shop can be told to do this: only the harness of the tests passes it (infra/launch/harness.ts).
 */
import { registerHooks } from 'node:module';
import { faults } from './attack-faults.ts';
import { projectorFaults } from './projector-faults.ts';

const name = new URL(import.meta.url).searchParams.get('fault');
const fault = [...faults, ...projectorFaults].find((one) => one.name === name);
if (fault === undefined) throw new Error(`no fault ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edits = fault.edits.filter(({ file }) => new URL(url).pathname.endsWith(`/${builtFrom(file)}`));
    if (edits.length === 0) return loaded;
    let source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8');
    for (const { file, find, replace } of edits) {
      const parts = source.split(find);
      if (parts.length !== 2)
        throw new Error(`the fault ${fault.name} is out of date: its text stands ${parts.length - 1} times in ${file}`);
      source = parts.join(replace);
    }
    return { ...loaded, source };
  },
});

/** The compiler keeps lines as they are but for types. */
function builtFrom(file: string): string {
  return file.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
}
