/** The machine on which a figure was measured: without it a figure means nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { findRedis } from '../../../infra/native/redis.ts';
import { toolsDir } from '../../../infra/stack/folders.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly redis: string;
  /** The 1 minute average before the first measurement: other work on the machine. */
  readonly loadBefore: number;
  /** The same average after the last measurement. It includes the benchmark's own work. */
  readonly loadAfter: number | undefined;
  readonly pinned: boolean;
  readonly at: string;
  readonly commit: string;
}

export function describeMachine(now: Date): Machine {
  const redis = findRedis(toolsDir);
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    redis: redis === undefined ? 'none' : (/\bv=([\d.]+)/.exec(output(redis, '--version'))?.[1] ?? 'unknown'),
    loadBefore: loadNow(),
    loadAfter: undefined,
    pinned: cores !== undefined,
    at: now.toISOString(),
    commit: output('git', 'rev-parse', '--short', 'HEAD').trim(),
  };
}

/**
 * Sources that differ from the commit: figures that name the commit would be of other code. Tables in
 * docs may differ, since a run writes them.
 */
export const changedSources = (): string => output('git', 'status', '--porcelain', '--', ':/', ':(top,exclude)docs').trim();

export const loadNow = (): number => Math.round(loadavg()[0]! * 100) / 100;

function output(command: string, ...args: string[]): string {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 5_000, cwd: import.meta.dirname }).stdout ?? '';
}

/**
 * The system under test has one core. The generator and everything unmeasured has another. So the work of one cannot slow the other, and a
 * ratio shows work done instead of luck in scheduling. Undefined where two such cores are not available: figures then say "not pinned".
 */
export const cores: { readonly generator: number; readonly system: number } | undefined =
  process.platform === 'linux' && cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0
    ? { generator: 0, system: 1 }
    : undefined;

/** A command that runs on one of the two cores. */
export function pinned(where: keyof NonNullable<typeof cores>, command: string, args: readonly string[]): readonly [string, string[]] {
  return cores === undefined ? [command, [...args]] : ['taskset', ['-c', String(cores[where]), command, ...args]];
}

/** Pins all threads of this process, and all processes that it starts later unless they are pinned themselves. */
export function pinSelf(): void {
  if (cores !== undefined) execFileSync('taskset', ['-a', '-p', '-c', String(cores.generator), String(process.pid)], { stdio: 'ignore' });
}

/** The kernel's tick in which /proc counts: 100 a second on every Linux that Node runs on. */
const tickMs = 10;

/**
 * The time of a core since the machine began, in milliseconds. Interrupts are left out: those of
 * our own traffic would look like work of others.
 */
export interface CoreTimes {
  readonly processesMs: number;
  /** Time taken by other virtual machines, where the kernel can tell. */
  readonly stolenMs: number;
}

/** Times of the core of the system under test. @returns undefined where it has no core to itself, or the kernel does not tell */
export function systemCoreTimes(): CoreTimes | undefined {
  if (cores === undefined) return undefined;
  const line = new RegExp(`^cpu${cores.system} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  const [user, nice, system, , , , , stolen] = line?.trim().split(' ').map(Number) ?? [];
  if (user === undefined || nice === undefined || system === undefined || stolen === undefined) return undefined;
  return { processesMs: (user + nice + system) * tickMs, stolenMs: stolen * tickMs };
}

/**
 * Processor time of a process, in milliseconds; NaN where the kernel does not tell. The scheduler counts nanoseconds by thread. Threads that ended
 * are not in that sum, and no process that is measured ends one. Where the scheduler tells nothing, ticks of 10 ms must do.
 */
export function cpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return (
      threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]), 0) / 1e6
    );
  } catch {
    return cpuMsInTicks(pid);
  }
}

function cpuMsInTicks(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return Number.NaN;
  }
}
