/**
 * Starts a drawn stack in the order of its needs, keeps it alive, and ends it in the reverse order.
 * Everything here serves one bound: 10 s after a stop, no process that it started is left.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from './child.ts';
import { killGroup, startTimeOf } from './child.ts';
import { StackError } from '../stack/outcome.ts';
import { httpProbe, kafkaProbe, portTaken, postgresProbe, redisProbe } from './probe.ts';
import type { Probe } from './probe.ts';
import { putRedisInMemory } from '../stack/redis-in-memory.ts';
import type { Health, ProcessSpec, StackSpec } from '../stack/stack.ts';
import { endLeftovers, isAlive, readState, removeState, writeState } from './state.ts';
import { restartBackoff, Supervised } from './supervised.ts';
import type { Backoff } from './supervised.ts';

export type StackEvent =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'change'; readonly process: Supervised; readonly note: string | undefined };

export interface SupervisorOptions {
  readonly spec: StackSpec;
  /** Turns a process of the drawing into a command, given its log file. */
  readonly prepare: (spec: ProcessSpec, logFile: string) => Promise<LaunchSpec>;
  readonly onEvent: (event: StackEvent) => void;
  /** Runs once data and ports are known to be ours, before the first process. */
  readonly provision?: () => Promise<void>;
  /** Runs once a process is ready for the first time. The processes that need it wait for this to end too. */
  readonly settle?: (spec: ProcessSpec) => Promise<void>;
  readonly backoff?: Backoff;
}

/** Whether the start first removes data of earlier runs. */
export type Fresh = boolean | 'redis-in-memory';

/** Part of the 10 s promised, so that the launcher itself still has time to end. */
const stopBudgetMs = 9_000;
/** A level gets at least this long, even when the levels above took everything. */
const stopFloorMs = 500;

export class Supervisor {
  readonly spec: StackSpec;
  readonly processes: readonly Supervised[];
  readonly #options: SupervisorOptions;
  readonly #startedAt = new Date();
  readonly #startTime = startTimeOf(process.pid);
  #stopping: Promise<void> | undefined;
  #claimed = false;
  #forget = (): void => undefined;
  readonly #lastResort = () => this.#killEverything();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.processes = options.spec.processes.map(
      (spec) =>
        new Supervised({
          spec,
          prepare: () => options.prepare(spec, this.logFile(spec.name)),
          probe: probeOf(spec.health),
          backoff: options.backoff ?? restartBackoff,
          onChange: (process, note) => {
            if (this.#claimed) this.#write();
            options.onEvent({ kind: 'change', process, note });
          },
        }),
    );
  }

  logFile(name: string): string {
    return join(this.spec.dataDir, 'logs', `${name}.log`);
  }

  find(name: string): Supervised {
    const found = this.processes.find((process) => process.spec.name === name);
    if (found === undefined)
      throw new Error(`no process ${name} in this stack: ${this.processes.map((process) => process.spec.name).join(', ')}`);
    return found;
  }

  /** Resolves when all are ready. @throws StackError, and then nothing is left running */
  async start({ fresh }: { readonly fresh: Fresh }): Promise<void> {
    await this.#claim(fresh);
    process.once('exit', this.#lastResort);
    try {
      await this.#options.provision?.();
      await this.#startInOrder();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends all processes, in the reverse order of their needs. Safe to call twice: the second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopInOrder();
    return this.#stopping;
  }

  /** Makes sure that no other run uses these data and ports. */
  async #claim(fresh: Fresh): Promise<void> {
    const { dataDir } = this.spec;
    const earlier = readState(dataDir);
    if (earlier !== undefined && isAlive(earlier.supervisor)) {
      throw new StackError(
        `it is running already (process ${earlier.supervisor.pid}, ${earlier.gateways[0]})`,
        'use that one, stop it with Ctrl-C, or choose other ports with --port-base',
      );
    }
    if (earlier !== undefined) {
      const ended = await endLeftovers(earlier);
      if (ended.length > 0) this.#options.onEvent({ kind: 'note', text: `ended what an earlier run had left: ${ended.join(', ')}` });
    }
    const taken = await takenPorts(this.spec);
    if (taken.length > 0) {
      const names = taken.map(({ port, name }) => `${port} (${name})`).join(', ');
      const remedy = `stop what uses ${taken.length === 1 ? 'it' : 'them'}, or choose others: npm start -- --port-base ${this.spec.base + 1000}`;
      throw new StackError(`port ${names} is in use`, remedy);
    }
    if (fresh) rmSync(dataDir, { recursive: true, force: true });
    for (const folder of ['logs', 'db', 'event-log']) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
    if (fresh === 'redis-in-memory') this.#forget = putRedisInMemory(this.spec);
    for (const { name } of this.spec.processes) keepOneOldLog(this.logFile(name));
    this.#claimed = true;
    this.#write();
  }

  async #startInOrder(): Promise<void> {
    const ready = new Map<string, Promise<void>>();
    const failed = new AbortController();
    for (const supervised of this.processes) {
      const { name, needs } = supervised.spec;
      const begin = async () => {
        for (const need of needs) await ready.get(need);
        if (failed.signal.aborted || this.#stopping !== undefined) throw new StackError('the start was given up', 'start again');
        await supervised.start();
        await this.#options.settle?.(supervised.spec);
      };
      const begun = begin();
      // The first failure counts. Processes that wait for the failed one must not start, and must not fail a second time unseen.
      begun.catch(() => failed.abort());
      ready.set(name, begun);
    }
    await Promise.all(ready.values());
  }

  async #stopInOrder(): Promise<void> {
    const until = performance.now() + stopBudgetMs;
    const levels = levelsOf(this.spec.processes).toReversed();
    for (const [index, level] of levels.entries()) {
      const reserveMs = (levels.length - 1 - index) * stopFloorMs;
      const leftMs = Math.max(until - performance.now() - reserveMs, stopFloorMs);
      await Promise.all(level.map(({ name, stopGraceMs }) => this.find(name).end(Math.min(stopGraceMs, leftMs))));
    }
    process.removeListener('exit', this.#lastResort);
    if (this.#claimed) removeState(this.spec.dataDir);
    this.#forget();
    this.#claimed = false;
  }

  /** The launcher ends without a stop, after an uncaught exception. */
  #killEverything(): void {
    for (const { pid } of this.processes) if (pid !== undefined) killGroup(pid, 'SIGKILL');
  }

  #write(): void {
    writeState(this.spec.dataDir, {
      provider: this.spec.provider,
      profile: this.spec.profile,
      base: this.spec.base,
      gateways: this.spec.gateways,
      startedAt: this.#startedAt.toISOString(),
      supervisor: { pid: process.pid, startTime: this.#startTime },
      processes: this.processes.map((supervised) => ({
        name: supervised.spec.name,
        state: supervised.state,
        url: supervised.spec.url,
        pid: supervised.pid,
        startTime: supervised.startTime,
        restarts: supervised.restarts,
        health: supervised.spec.health,
        logFile: this.logFile(supervised.spec.name),
      })),
    });
  }
}

/** Groups processes by the depth of their needs: no process needs another of its level. */
export function levelsOf(specs: readonly ProcessSpec[]): ProcessSpec[][] {
  const depth = new Map<string, number>();
  const levels: ProcessSpec[][] = [];
  for (const spec of specs) {
    const level = Math.max(-1, ...spec.needs.map((need) => depth.get(need) ?? -1)) + 1;
    depth.set(spec.name, level);
    (levels[level] ??= []).push(spec);
  }
  return levels;
}

export function probeOf(health: Health): Probe {
  if (health.kind === 'redis') return redisProbe(health.port, health.host);
  if (health.kind === 'kafka') return kafkaProbe(health.port, health.host);
  if (health.kind === 'postgres') return postgresProbe(health.port);
  const probes = health.urls.map(httpProbe);
  return async () => {
    const results = await Promise.all(probes.map((probe) => probe()));
    return results.find((result) => !result.ok) ?? { ok: true, detail: '' };
  };
}

async function takenPorts(spec: StackSpec): Promise<{ port: number; name: string }[]> {
  const wanted = spec.processes.flatMap(({ name, ports }) => ports.map((port) => ({ port, name })));
  const taken = await Promise.all(wanted.map(({ port }) => portTaken(port)));
  return wanted.filter((_, index) => taken[index]);
}

/** After a crash a person wants to read the last run's log. Older logs are not kept. */
function keepOneOldLog(file: string): void {
  if (existsSync(file)) renameSync(file, `${file}.1`);
}
