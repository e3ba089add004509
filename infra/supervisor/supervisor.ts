/**
 * Starts a drawn stack in the order of its needs, keeps it alive, and ends it in the reverse order.
 * Everything here serves one bound: 10 s after a stop, no process that it started is left.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from './child.ts';
import { killGroup, startTimeOf } from './child.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { httpProbe, kafkaGroupProbe, kafkaProbe, postgresProbe, redisProbe } from './probe.ts';
import type { Probe } from './probe.ts';
import { putRedisInMemory } from '../stack/redis-in-memory.ts';
import type { Health, ProcessSpec, StackSpec } from '../stack/stack.ts';
import { checkPortsAreFree } from './free-ports.ts';
import { ObservatoryLink } from './observatory-link.ts';
import { endLeftovers, isAlive, readState, removeState, writeState } from './state.ts';
import type { ObservatoryDoor } from './state.ts';
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
  /** Where the Observatory of this run listens, and the key of its page: noted in the state. */
  readonly observatory?: ObservatoryDoor | undefined;
}

/** Whether the start first removes data of earlier runs. */
export type Fresh = boolean | 'redis-in-memory' | 'kept-redis-in-memory';

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
  readonly #link: ObservatoryLink | undefined;
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
            this.#link?.tellStack();
            options.onEvent({ kind: 'change', process, note });
          },
          onMessage: (message) => this.#link?.hear(spec.name, message),
        }),
    );
    const observatory = this.processes.find(({ spec }) => spec.run.kind === 'observatory');
    if (observatory !== undefined) this.#link = new ObservatoryLink(options.spec, this.processes, observatory);
  }

  get observatory(): ObservatoryDoor | undefined {
    return this.#options.observatory;
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

  /** Resolves when all are ready but those beside the shop, which start then. @throws StackError, and then nothing is left running */
  async start({ fresh }: { readonly fresh: Fresh }): Promise<void> {
    await this.#claim(fresh);
    process.once('exit', this.#lastResort);
    try {
      await this.#options.provision?.();
      await this.#startInOrder();
      void this.#startBeside();
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
    await checkPortsAreFree(this.spec);
    if (fresh === true || fresh === 'redis-in-memory') rmSync(dataDir, { recursive: true, force: true });
    for (const folder of ['logs', 'db', 'event-log']) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
    if (fresh === 'redis-in-memory' || fresh === 'kept-redis-in-memory') this.#forget = putRedisInMemory(this.spec);
    for (const { name } of this.spec.processes) keepOneOldLog(this.logFile(name));
    this.#claimed = true;
    this.#write();
  }

  async #startInOrder(): Promise<void> {
    const ready = new Map<string, Promise<void>>();
    const failed = new AbortController();
    for (const supervised of this.processes.filter(({ spec }) => spec.beside !== true)) {
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

  /** The shop is ready and needs none of these. So a failure is told, and that is all. */
  async #startBeside(): Promise<void> {
    for (const supervised of this.processes.filter(({ spec }) => spec.beside === true)) {
      try {
        await supervised.start();
      } catch (error) {
        if (this.#stopping !== undefined) return;
        await supervised.end(0);
        this.#options.onEvent({ kind: 'note', text: `${describeFailure(error)}. The shop runs without it` });
      }
    }
  }

  async #stopInOrder(): Promise<void> {
    const until = performance.now() + stopBudgetMs;
    this.#link?.close();
    const beside = this.processes.filter(({ spec }) => spec.beside === true).map((each) => each.end(each.spec.stopGraceMs));
    const levels = levelsOf(this.spec.processes.filter(({ beside: apart }) => apart !== true)).toReversed();
    for (const [index, level] of levels.entries()) {
      const reserveMs = (levels.length - 1 - index) * stopFloorMs;
      const leftMs = Math.max(until - performance.now() - reserveMs, stopFloorMs);
      await Promise.all(level.map(({ name, stopGraceMs }) => this.find(name).end(Math.min(stopGraceMs, leftMs))));
    }
    await Promise.all(beside);
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
      ...(this.#options.observatory !== undefined && { observatory: this.#options.observatory }),
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
  if (health.kind === 'kafka-group') return kafkaGroupProbe(health.port, health.group);
  if (health.kind === 'postgres') return postgresProbe(health.port);
  const probes = health.urls.map(httpProbe);
  return async () => {
    const results = await Promise.all(probes.map((probe) => probe()));
    return results.find((result) => !result.ok) ?? { ok: true, detail: '' };
  };
}

/** After a crash a person wants to read the last run's log. Older logs are not kept. */
function keepOneOldLog(file: string): void {
  if (existsSync(file)) renameSync(file, `${file}.1`);
}
