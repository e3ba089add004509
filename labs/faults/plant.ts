/**
 * Preloaded (`--import`) into a process: plants the fault that its URL names into the files that the process loads. No process of a shop can be told
 * to do this: only the harness of the tests passes it (infra/launch/harness.ts).
 */
import { registerHooks } from 'node:module';
import { faultNamed } from './faults.ts';
import { partFor, withFault } from './planted.ts';

const fault = faultNamed(new URL(import.meta.url).searchParams.get('fault') ?? '');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const part = partFor(new URL(url).pathname, fault);
    if (part === undefined) return loaded;
    const source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8');
    return { ...loaded, source: withFault(source, part) };
  },
});
