/** Preloaded (`--import`) into a proving process: plants one mutant of labs/faults/mutant-list.cart.ts while the file is loaded. Nothing on disk changes. */
import { registerHooks } from 'node:module';
import { cartMutants } from '../faults/mutant-list.cart.ts';

const name = new URL(import.meta.url).searchParams.get('mutant');
const mutant = cartMutants.find((one) => one.name === name);
if (mutant === undefined) throw new Error(`no mutant ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!new URL(url).pathname.endsWith(`/${mutant.file}`)) return loaded;
    const source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8');
    const parts = source.split(mutant.find);
    if (parts.length !== 2) throw new Error(`mutant ${name} is out of date: its text stands ${parts.length - 1} times in ${mutant.file}`);
    return { ...loaded, source: parts.join(mutant.replace) };
  },
});
