/** The stack as the page sees it: what the supervisor told, the memory of each process, and what its own readiness says. */
import { readFile } from 'node:fs/promises';
import type { LinkedProcess, OceanStatus } from '@cloakroom/contracts';
import { askReadiness, type ReadinessLook } from '@cloakroom/platform/process-life';
import type { ProcessView, StackView } from '../api.ts';
import type { OceanDoor } from './ocean-door.ts';
import type { SupervisorLink } from './supervisor-link.ts';

/** An answer is shown for this long, so that many open pages ask a process no more often than one. */
const lookIntervalMs = 1_000;

export class StackWatch {
  readonly #link: SupervisorLink;
  readonly #oceanDoor: Pick<OceanDoor, 'ask'>;
  readonly #health = new Map<string, ReadinessLook>();
  #ocean: OceanStatus | undefined;
  /** Counts the commands that the ocean has obeyed. */
  #commands = 0;
  #looking: Promise<StackView> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #last: StackView | undefined;

  constructor(link: SupervisorLink, ocean: Pick<OceanDoor, 'ask'>) {
    this.#link = link;
    this.#oceanDoor = ocean;
  }

  /** At most a second old where nothing changed. */
  async look(): Promise<StackView> {
    if (this.#last !== undefined && performance.now() - this.#lookedAtMs < lookIntervalMs) return this.#last;
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** The supervisor told a change: the next look is a new one. */
  forget(): void {
    this.#last = undefined;
  }

  /** The ocean's own word after a command. */
  sawOcean(status: OceanStatus): void {
    this.#commands++;
    this.#ocean = status;
    this.forget();
  }

  async #lookNow(): Promise<StackView> {
    const { provider, profile, gateways, processes } = this.#link.stack;
    for (const one of processes) this.#refreshHealth(one);
    // Not waited for either. One that does not answer has no state to show.
    const asked = this.#commands;
    void this.#oceanDoor.ask().then((ocean) => {
      // An answer from before a command is older than what the command was answered.
      if (asked === this.#commands) this.#ocean = ocean;
    });
    const view: StackView = {
      provider,
      profile,
      gateways,
      processes: await Promise.all(processes.map((one) => this.#view(one))),
      ...(this.#ocean !== undefined && { ocean: this.#ocean }),
    };
    this.#last = view;
    this.#lookedAtMs = performance.now();
    return view;
  }

  async #view({ name, kind, region, apps, needs, url, state, pid, restarts }: LinkedProcess): Promise<ProcessView> {
    const memoryBytes = pid === undefined ? undefined : await residentBytes(pid);
    // A process that is stopped or away says nothing, and its last word is no longer true.
    const health = state === 'ready' ? this.#health.get(name) : undefined;
    return { name, kind, region, apps, needs, url, state, pid, memoryBytes, restarts, health, note: noteOn(kind) };
  }

  /** Not waited for: a process that hangs must not hold up the view of the others. */
  #refreshHealth({ name, readyUrls, state }: LinkedProcess): void {
    if (state !== 'ready' || readyUrls.length === 0 || name === 'observatory') return;
    void askReadiness(readyUrls).then((health) => this.#health.set(name, health));
  }
}

function noteOn(kind: LinkedProcess['kind']): string | undefined {
  if (kind === 'embedded')
    return 'All services share this one process: a pause or a kill is one of the whole shop. On native each service has its own.';
  if (kind === 'observatory') return 'A paused Observatory renews no pause, its own neither: the supervisor lets it run on after 2 s.';
  return undefined;
}

/** Resident set size. The kernel shares pages among processes, so a sum over processes is too high. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    // The machine has no /proc, or the process is gone.
    return undefined;
  }
}
