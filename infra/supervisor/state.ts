/**
 * The notes of a run about itself, for `npm run status` and for the next run.
 * A run killed with -9 leaves this file behind. The kernel's start time tells its processes apart from strangers with the same id.
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killGroup, startTimeOf } from './child.ts';
import type { Health, Profile, Provider } from '../stack/stack.ts';

export type ProcessState = 'waiting' | 'starting' | 'ready' | 'restarting' | 'paused' | 'ended';

export interface ProcessEntry {
  readonly name: string;
  readonly state: ProcessState;
  readonly url: string;
  readonly pid: number | undefined;
  readonly startTime: string | undefined;
  readonly restarts: number;
  readonly health: Health;
  readonly logFile: string;
}

export interface StackState {
  readonly provider: Provider;
  readonly profile: Profile;
  readonly base: number;
  readonly gateways: readonly string[];
  readonly startedAt: string;
  readonly supervisor: { readonly pid: number; readonly startTime: string | undefined };
  readonly processes: readonly ProcessEntry[];
  /** Where the Observatory listens, and the key of its page: for commands that ask it. The file is its owner's alone. */
  readonly observatory?: ObservatoryDoor | undefined;
}

export interface ObservatoryDoor {
  /** http://localhost:4009 */
  readonly url: string;
  readonly pageKey: string;
}

/** Opens the page with its key. The key stands in the fragment, which a browser sends to no server. */
export const pageAddress = ({ url, pageKey }: ObservatoryDoor): string => `${url}/#key=${pageKey}`;

const fileName = 'state.json';

export function writeState(dataDir: string, state: StackState): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, fileName);
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  renameSync(unfinished, file);
}

export function removeState(dataDir: string): void {
  rmSync(join(dataDir, fileName), { force: true });
}

export function readState(dataDir: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, fileName), 'utf8')) as StackState;
  } catch {
    // The file is missing, or half written by a machine that lost power. It proves nothing.
    return undefined;
  }
}

/** Every run that left its state below `root` (.cloakroom). */
export function readStates(root: string): StackState[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => readState(join(root, entry.name)))
      .filter((state) => state !== undefined);
  } catch {
    return [];
  }
}

export function isAlive(process: { readonly pid: number | undefined; readonly startTime: string | undefined }): boolean {
  return process.pid !== undefined && process.startTime !== undefined && startTimeOf(process.pid) === process.startTime;
}

/** A leftover process gets this long to end before SIGKILL. */
const leftoverGraceMs = 5_000;

/** Ends the processes of a killed run, if they are provably of that run. @returns the names of those that were still there */
export async function endLeftovers(state: StackState): Promise<string[]> {
  const alive = state.processes.filter(isAlive);
  // In the reverse order of their start, as far as one signal can.
  for (const entry of alive.toReversed()) signalLeftover(entry, 'SIGTERM');
  const until = performance.now() + leftoverGraceMs;
  while (alive.some(isAlive) && performance.now() < until) await delay(50);
  for (const entry of alive.filter(isAlive)) signalLeftover(entry, 'SIGKILL');
  while (alive.some(isAlive) && performance.now() < until + leftoverGraceMs) await delay(20);
  return alive.map((entry) => entry.name);
}

function signalLeftover(entry: ProcessEntry, signal: NodeJS.Signals): void {
  if (!isAlive(entry) || entry.pid === undefined) return;
  killGroup(entry.pid, signal);
  // A stopped process cannot act on a signal.
  killGroup(entry.pid, 'SIGCONT');
}
