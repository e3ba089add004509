/**
 * Every service of a chaos run loads this module first. It shifts the wall clock of this one process by the offset in a file, and changes nothing
 * else. The monotonic clock stays right, as on a machine with a broken NTP. The shift misses a library that kept its own reference to `Date` or its
 * functions before. No library of ours does.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder with the offsets: see skew.ts. */
const folder = new URL(import.meta.url).searchParams.get('folder');
const name = process.env['SERVICE_NAME'];
const lookIntervalMs = 50;

if (folder !== null && name !== undefined) follow(join(folder, `${name}-${process.env['REPLICA'] ?? '1'}`));

function follow(file: string): void {
  const Real = Date;
  let offsetMs = 0;
  const now = (): number => Real.now() + offsetMs;
  globalThis.Date = new Proxy(Real, {
    construct: (target, given: [], newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
    apply: () => new Real(now()).toString(),
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  });
  mkdirSync(join(file, '..'), { recursive: true });
  const look = (): void => {
    const told = Number(readOrEmpty(file));
    if (told === offsetMs) return;
    offsetMs = told;
    // The time that this process now believes, by the clock that its services ask. A test reads it to see that the skew works.
    writeFileSync(`${file}.seen`, JSON.stringify({ pid: process.pid, offsetMs: Date.now() - Real.now() }));
  };
  look();
  setInterval(look, lookIntervalMs).unref();
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
