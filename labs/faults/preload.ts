import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** @param fault a name out of fault-list.ts or projector-faults.ts */
export function preloadOf(fault: string): string {
  return `${pathToFileURL(join(import.meta.dirname, 'plant-fault.ts')).href}?fault=${encodeURIComponent(fault)}`;
}
