/**
 * One process of the stack, kept alive. The supervisor starts it, waits until it is healthy, and restarts it after a crash.
 *
 * This file owns these races:
 *  - The process crashes while it is still starting: the wait gives up at once.
 *  - A stop comes during the back-off: no restart follows.
 *  - A second crash comes before the first restart was ready: the delay grows, and only one start is ever under way.
 */
import { killGroup, launch, lastLines, memoryOfTree, signalTree } from './child.ts';
import { runOnWhenAlone } from './run-on-when-alone.ts';
import type { Child, Exit, LaunchSpec, Memory } from './child.ts';
import { StackError } from '../stack/outcome.ts';
import { waitFor } from './probe.ts';
import { beginStandby, launchStandby } from './standby.ts';
import type { Probe } from './probe.ts';
import type { ProcessSpec } from '../stack/stack.ts';
import type { ProcessState } from './state.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** After this long in the ready state, the next crash counts as the first. */
  readonly resetAfterMs: number;
}

/**
 * The first restart comes at once, as most crashes are one kill. A service that cannot run gets at most one start in 5 s, on a laptop with 2 cores.
 */
export const restartBackoff: Backoff = { firstMs: 250, maxMs: 5_000, resetAfterMs: 30_000 };

export interface SupervisedOptions {
  readonly spec: ProcessSpec;
  readonly prepare: () => Promise<LaunchSpec>;
  readonly probe: Probe;
  readonly backoff: Backoff;
  readonly onChange: (supervised: Supervised, note?: string) => void;
  /** Hears what the process says over its channel, where it has one. */
  readonly onMessage?: (message: unknown) => void;
}

export class Supervised {
  readonly spec: ProcessSpec;
  state: ProcessState = 'waiting';
  restarts = 0;
  readyInMs: number | undefined;
  logFile = '';
  readonly #options: SupervisedOptions;
  #child: Child | undefined;
  /** Its successor waits until it is gone. */
  #leaving: Child | undefined;
  #standby: Child | undefined;
  #replacing: Promise<void> | undefined;
  #ending = false;
  #keptDown = false;
  #delayMs: number;
  #restartTimer: NodeJS.Timeout | undefined;
  #healthyTimer: NodeJS.Timeout | undefined;
  #letRunOn: () => void = () => undefined;
  readonly #watchers = new Set<() => void>();

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.#delayMs = options.backoff.firstMs;
  }

  get pid(): number | undefined {
    return this.#present?.exit() === undefined ? this.#present?.pid : undefined;
  }

  get startTime(): string | undefined {
    return this.#present?.startTime;
  }

  get #present(): Child | undefined {
    return this.#child ?? this.#leaving;
  }

  memory(): Memory | undefined {
    return this.pid === undefined ? undefined : memoryOfTree(this.pid);
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false;
  }

  /** Over its channel. @param sent is called once the message has left, or cannot leave any more */
  send(message: object, sent: () => void): void {
    if (this.#child === undefined) sent();
    else this.#child.send(message, sent);
  }

  /** Stops the process until `resume`. @returns false where it is not ready */
  pause(): boolean {
    if (this.state !== 'ready' || this.pid === undefined) return false;
    this.#letRunOn = runOnWhenAlone(this.pid);
    signalTree(this.pid, 'SIGSTOP');
    this.#change('paused', 'is paused');
    return true;
  }

  /** Lets a paused process run on. */
  resume(): void {
    if (this.state !== 'paused' || this.pid === undefined) return;
    signalTree(this.pid, 'SIGCONT');
    this.#letRunOn();
    this.#change('ready', 'runs on');
  }

  /** @throws StackError when the first start does not become ready: then nothing is restarted */
  async start(): Promise<void> {
    const began = performance.now();
    const child = await this.#launch();
    const ready = await this.#untilReady(child);
    if (this.#ending) throw new StackError(`${this.spec.name} was stopped while starting`, 'start again');
    if (!ready.ok) throw startFailure(this.spec, child, ready.detail, this.logFile);
    this.readyInMs = performance.now() - began;
    this.#becomeReady();
    this.#onExit(child);
  }

  /** Starts the successor early: it loads code, and waits for `replace`. @param modules what it loads, as URLs */
  async prepareSuccessor(modules: readonly string[]): Promise<void> {
    const spec = await this.#command();
    this.dropSuccessor();
    this.#standby = launchStandby(spec, modules);
  }

  dropSuccessor(): void {
    this.#standby?.kill('SIGKILL');
    this.#standby = undefined;
  }

  /**
   * Ends the process as a stop does, and starts it again: its code has changed. This is no crash. A process that waits for its next restart gets it
   * now. Resolves when the successor is ready, or when it is clear that it does not become so.
   */
  replace(): Promise<void> {
    // Two at once are one replacement: a second would lose sight of the process that still leaves.
    this.#replacing ??= this.#replace().finally(() => (this.#replacing = undefined));
    return this.#replacing;
  }

  async #replace(): Promise<void> {
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#healthyTimer);
    this.#delayMs = this.#options.backoff.firstMs;
    this.#leaving = this.#child;
    this.#child = undefined;
    this.#change('restarting');
    await this.#leaving?.end(this.spec.stopGraceMs);
    this.#leaving = undefined;
    const standby = this.#standby?.exit() === undefined ? this.#standby : undefined;
    this.#standby = undefined;
    if (!this.#ending) await this.#restart(standby);
  }

  /**
   * Kills the process, and starts no other until `giveBack`. Tests use it to see how the rest works without the process. Resolves when it is gone.
   */
  async takeAway(): Promise<void> {
    if (this.#keptDown || this.state !== 'ready' || this.#child === undefined)
      throw new Error(`${this.spec.name} is not there to be taken`);
    this.#keptDown = true;
    const { pid, exited } = this.#child;
    this.#child.kill('SIGKILL');
    await exited;
    killGroup(pid, 'SIGKILL');
  }

  /** Starts the process again after `takeAway`. Resolves when it is ready. */
  async giveBack(): Promise<void> {
    if (!this.#keptDown) return;
    this.#keptDown = false;
    void this.#restart();
    await this.untilReplaced(-1);
  }

  /** Resolves when a successor of `pid` is ready. */
  untilReplaced(pid: number): Promise<number> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.state !== 'ready' || this.pid === undefined || this.pid === pid) return;
        this.#watchers.delete(look);
        resolve(this.pid);
      };
      this.#watchers.add(look);
      look();
    });
  }

  async end(graceMs: number): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#healthyTimer);
    this.dropSuccessor();
    const exit = await this.#present?.end(graceMs);
    if (this.state === 'waiting') return;
    // Worth a line: the process may have lost unfinished work.
    const forced = exit?.signal === 'SIGKILL' && this.state === 'ready';
    this.#change('ended', forced ? `did not end within ${(graceMs / 1000).toFixed(1)} s and was killed` : undefined);
  }

  async #launch(standby?: Child): Promise<Child> {
    const child = standby === undefined ? launch(await this.#command()) : beginStandby(standby);
    this.#child = child;
    if (this.#options.onMessage !== undefined) child.onMessage(this.#options.onMessage);
    this.#change('starting');
    return child;
  }

  async #command(): Promise<LaunchSpec> {
    const spec = await this.#options.prepare();
    if (this.#ending) throw new StackError(`${this.spec.name} was stopped while starting`, 'start again');
    this.logFile = spec.logFile;
    return spec;
  }

  #untilReady(child: Child) {
    return waitFor(this.#options.probe, {
      timeoutMs: this.spec.readyTimeoutMs,
      givesUp: () => (this.#ending ? 'stopped' : child.exit() === undefined ? undefined : `it ended (${describeExit(child.exit())})`),
    });
  }

  #becomeReady(): void {
    this.#change('ready');
    this.#healthyTimer = setTimeout(() => {
      this.#delayMs = this.#options.backoff.firstMs;
    }, this.#options.backoff.resetAfterMs);
    this.#healthyTimer.unref();
  }

  #onCrash(exit: Exit): void {
    clearTimeout(this.#healthyTimer);
    if (this.#ending) return;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, this.#options.backoff.maxMs);
    this.restarts++;
    if (this.#keptDown) return this.#change('restarting', `ended (${describeExit(exit)}), and is kept down`);
    this.#change('restarting', `ended (${describeExit(exit)}), starting again in ${delayMs} ms`);
    this.#restartTimer = setTimeout(() => void this.#restart(), delayMs);
  }

  async #restart(standby?: Child): Promise<void> {
    let child: Child;
    try {
      child = await this.#launch(standby);
    } catch (error) {
      if (!this.#ending) this.#onCrash({ code: null, signal: null, error: error instanceof Error ? error.message : String(error) });
      return;
    }
    const ready = await this.#untilReady(child);
    if (this.#ending || child !== this.#child) return;
    if (ready.ok) {
      this.#becomeReady();
      this.#options.onChange(this, 'is ready again');
    } else if (child.exit() === undefined) {
      // The process lives and does not answer. A restart is the only remedy left.
      this.#options.onChange(this, `is not ready after ${this.spec.readyTimeoutMs / 1000} s (${ready.detail})`);
      child.kill('SIGKILL');
    }
    this.#onExit(child);
  }

  /** The end of a process that was replaced is no crash. */
  #onExit(child: Child): void {
    void child.exited.then((exit) => {
      if (child === this.#child) this.#onCrash(exit);
    });
  }

  #change(state: ProcessState, note?: string): void {
    this.state = state;
    this.#options.onChange(this, note);
    // A satisfied watcher removes itself, and a Set allows that during iteration.
    for (const look of this.#watchers) look();
  }
}

export const describeExit = (exit: Exit | undefined): string =>
  exit === undefined ? 'running' : (exit.error ?? exit.signal ?? `exit code ${exit.code}`);

function startFailure(spec: ProcessSpec, child: Child, detail: string, logFile: string): StackError {
  const last = lastLines(logFile, 40).findLast((line) => /error|exception|fatal|in use|"level":(50|60)/i.test(line));
  const why = last === undefined ? '' : `; it said: ${plainText(last).slice(0, 300)}`;
  const what = child.exit() === undefined ? `did not become ready within ${spec.readyTimeoutMs / 1000} s: ${detail}` : detail;
  return new StackError(`${spec.name} did not come up: ${what}${why}`, `read ${logFile}; if its data is damaged, start with --fresh`);
}

/** The message of a JSON log line. Other lines stay as they are. */
function plainText(line: string): string {
  try {
    const entry = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [entry.msg, entry.err?.message].filter((text) => text !== undefined).join(': ') || line;
  } catch {
    return line;
  }
}
