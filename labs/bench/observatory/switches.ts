/** Tells processes what to be, and waits until each of them is it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * - `alone`: no Observatory, as in the image that ships.
 * - `points`: the provider of faults is loaded, asks the Observatory for switches, and none is on.
 * - `observed`: the same, and spans are exported.
 */
export type Switched = 'alone' | 'points' | 'observed';

export const switchFolderVariable = 'BENCH_SWITCH_FOLDER';
export const switchUrlVariable = 'BENCH_OBSERVATORY_URL';

/** A switch sends what spans are left, which takes the exporter 2 s at most. */
const switchTimeoutMs = 10_000;
const lookIntervalMs = 5;

export class Switches {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  async set(state: Switched, pids: readonly number[]): Promise<void> {
    writeFileSync(`${this.#folder}/wanted`, state);
    const others = pids.filter((pid) => this.#stateOf(pid) !== state);
    for (const pid of others) process.kill(pid, 'SIGUSR2');
    const giveUpMs = performance.now() + switchTimeoutMs;
    while (others.some((pid) => this.#stateOf(pid) !== state)) {
      if (performance.now() > giveUpMs) throw new Error(`a service did not become "${state}"`);
      await delay(lookIntervalMs);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #stateOf(pid: number): string {
    return readFileSync(`${this.#folder}/${pid}`, 'utf8');
  }
}
