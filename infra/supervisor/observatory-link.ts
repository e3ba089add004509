/**
 * The supervisor's end of the channel to the Observatory: tells it the stack after each change, and does what it asks for.
 *
 * This file owns the end of a pause. The Observatory renews its pauses, and the supervisor keeps the time. A pause that is not renewed for 2 s is
 * over, whether the Observatory was killed, paused or only slow. None lasts longer than 10 minutes.
 */
import { pauseLeaseMs, pauseMaxMs } from '@cloakroom/contracts';
import type { LinkedProcess, LinkedStack, ProcessAction, ToObservatory, ToSupervisor } from '@cloakroom/contracts';
import type { ProcessSpec, StackSpec } from '../stack/stack.ts';
import type { Supervised } from './supervised.ts';

interface Pause {
  readonly untilMs: number;
  lease: NodeJS.Timeout;
}

export class ObservatoryLink {
  readonly #spec: StackSpec;
  readonly #processes: readonly Supervised[];
  readonly #observatory: Supervised;
  readonly #pauses = new Map<Supervised, Pause>();
  /** One stack is on its way at a time. A paused Observatory reads none, and then only the newest waits. */
  #onItsWay = false;
  #changed = false;
  #closed = false;

  constructor(spec: StackSpec, processes: readonly Supervised[], observatory: Supervised) {
    this.#spec = spec;
    this.#processes = processes;
    this.#observatory = observatory;
  }

  tellStack(): void {
    this.#changed = true;
    if (this.#onItsWay || this.#closed || this.#observatory.pid === undefined) return;
    this.#changed = false;
    this.#onItsWay = true;
    this.#observatory.send({ kind: 'stack', stack: this.#stack() } satisfies ToObservatory, () => {
      this.#onItsWay = false;
      if (this.#changed) this.tellStack();
    });
  }

  /** @param from the process that said it */
  hear(from: string, message: unknown): void {
    if (from !== this.#observatory.spec.name || this.#closed) return;
    const told = message as ToSupervisor;
    if (told.kind === 'keep-paused') return this.#renew(told.processes);
    const refusal = this.#act(told.process, told.action);
    this.#observatory.send({ kind: 'done', id: told.id, refusal } satisfies ToObservatory, () => undefined);
  }

  /** Lets every paused process run on. Nothing is paused after this. */
  close(): void {
    this.#closed = true;
    for (const paused of this.#pauses.keys()) this.#resume(paused);
  }

  /** @returns why not */
  #act(name: string, action: ProcessAction): string | undefined {
    const found = this.#processes.find(({ spec }) => spec.name === name);
    if (found === undefined) return `There is no process ${name} in this stack.`;
    if (action === 'resume') return this.#resume(found);
    if (action === 'pause') return this.#pause(found);
    if (found.pid === undefined || found.state === 'restarting') return `${name} does not run at the moment: it is ${found.state}.`;
    this.#resume(found);
    if (action === 'kill') found.kill('SIGKILL');
    // A successor that does not become ready is told as a change, and started again.
    else void found.replace();
    return undefined;
  }

  /** Ctrl-Z stops the supervisor, and with it the clock of each pause. */
  readonly #stopAlone = (): void => {
    for (const paused of this.#pauses.keys()) this.#resume(paused);
    process.off('SIGTSTP', this.#stopAlone);
    process.kill(process.pid, 'SIGTSTP');
  };

  #pause(found: Supervised): string | undefined {
    if (found.state === 'paused') return undefined;
    // The pause of a predecessor that was killed meanwhile.
    clearTimeout(this.#pauses.get(found)?.lease);
    if (!found.pause()) return `${found.spec.name} is ${found.state}: only a process that is ready can be paused.`;
    if (this.#pauses.size === 0) process.on('SIGTSTP', this.#stopAlone);
    this.#pauses.set(found, { untilMs: performance.now() + pauseMaxMs, lease: this.#leaseOf(found) });
    return undefined;
  }

  #resume(found: Supervised): undefined {
    clearTimeout(this.#pauses.get(found)?.lease);
    this.#pauses.delete(found);
    if (this.#pauses.size === 0) process.off('SIGTSTP', this.#stopAlone);
    found.resume();
  }

  #renew(names: readonly string[]): void {
    for (const [found, pause] of this.#pauses) {
      if (!names.includes(found.spec.name) || performance.now() > pause.untilMs) continue;
      clearTimeout(pause.lease);
      pause.lease = this.#leaseOf(found);
    }
  }

  #leaseOf(found: Supervised): NodeJS.Timeout {
    return setTimeout(() => this.#resume(found), pauseLeaseMs);
  }

  #stack(): LinkedStack {
    const { provider, profile, gateways } = this.#spec;
    return {
      provider,
      profile,
      gateways,
      processes: this.#processes.map((one) => ({ ...linked(one), ...connectionsOf(one.spec, this.#spec) })),
    };
  }
}

function linked({ spec, state, pid, restarts, logFile }: Supervised): LinkedProcess {
  const { name, needs, url, ports, health, region } = spec;
  const readyUrls = health.kind === 'http' ? health.urls : [];
  return {
    name,
    kind: kindOf(spec),
    apps: appsOf(spec),
    needs,
    url,
    ports,
    readyUrls,
    state,
    pid,
    restarts,
    ...(region !== undefined && { region }),
    ...(logFile !== '' && { logFile }),
  };
}

/** A service is told the addresses of more services than it calls. So one of them counts where it is needed too, and a store or a log always. */
export function connectionsOf({ run, needs, name }: ProcessSpec, { processes }: StackSpec): { connectsTo?: readonly string[] } {
  if (run.kind !== 'app') return {};
  const named = new Set(Object.values(run.app.env).flatMap((value) => [...value.matchAll(/:(\d+)/g)].map(([, port]) => Number(port))));
  const connectsTo = processes.filter((other) => {
    if (other.name === name || other.run.kind === 'observatory' || !other.ports.some((port) => named.has(port))) return false;
    return other.run.kind !== 'app' || needs.includes(other.name);
  });
  return { connectsTo: connectsTo.map((other) => other.name) };
}

function kindOf({ run }: ProcessSpec): LinkedProcess['kind'] {
  return run.kind === 'redis-cluster-node' ? 'redis' : run.kind;
}

/** Several of one app are counted: gateway-1, gateway-2. */
function appsOf({ run }: ProcessSpec): string[] {
  if (run.kind !== 'embedded') return [];
  const several = (app: string): boolean => run.apps.filter((one) => one.app === app).length > 1;
  return run.apps.map(({ app, env }) => (several(app) ? `${app}-${env['REPLICA']}` : app));
}
