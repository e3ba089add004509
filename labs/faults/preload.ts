import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** @param fault a name out of faults.ts @returns what a process is told to `--import` */
export function preloadOf(fault: string): string {
  return `${pathToFileURL(join(import.meta.dirname, 'plant.ts')).href}?fault=${encodeURIComponent(fault)}`;
}
