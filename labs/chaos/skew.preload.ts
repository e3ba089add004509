/**
 * Loaded first into every service of a chaos run: shifts the wall clock of this one process by what a file says, and nothing else of it. The
 * monotonic clock stays right, as on a machine whose NTP went astray. Libraries that took `Date` or its functions aside before are not reached:
 * none of ours do.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the offsets are told: see skew.ts. */
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
    // What this process now believes, by the clock that its services ask: for who wants to see that it does.
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
