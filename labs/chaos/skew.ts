/** Makes a service's wall clock wrong, by a file that the preloaded module in that process reads (skew.preload.ts). */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const skewPreload = (folder: string): string =>
  `${pathToFileURL(join(import.meta.dirname, 'skew.preload.ts')).href}?folder=${encodeURIComponent(folder)}`;

/** `cart` and `cart-2` are replicas 1 and 2. */
const fileOf = (folder: string, process: string): string => join(folder, /-\d$/.test(process) ? process : `${process}-1`);

export function setSkew(folder: string, process: string, offsetMs: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(folder, process), String(offsetMs));
}

export function clearSkew(folder: string, process: string): void {
  rmSync(fileOf(folder, process), { force: true });
}

export interface SkewSeen {
  readonly pid: number;
  /** How far its `Date.now()` is from the clock of this machine. */
  readonly offsetMs: number;
}

/** The last report of the process; undefined before its first. */
export function skewSeen(folder: string, process: string): SkewSeen | undefined {
  try {
    return JSON.parse(readFileSync(`${fileOf(folder, process)}.seen`, 'utf8')) as SkewSeen;
  } catch {
    return undefined;
  }
}
