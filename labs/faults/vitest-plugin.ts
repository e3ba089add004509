/** Plants one fault while Vitest loads the file. */
import { faultNamed } from './faults.ts';
import { partFor, withFault } from './planted.ts';

export function faultPlugin(name: string) {
  const fault = faultNamed(name);
  return {
    // Vitest keys its cache of transformed files by the names of the plugins: one name for all would serve one fault's code to another.
    name: `fault:${name}`,
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      const part = partFor(id.split('?', 1)[0]!, fault);
      return part === undefined ? undefined : { code: withFault(code, part), map: null };
    },
  };
}
