/**
 * The Observatory's end of the channel to the supervisor. It keeps the last stack that it was told, asks for actions, and renews the pauses that
 * it asked for. It knows no other way to touch a process: pids are shown, never signalled.
 */
import {
  pauseMaxMs,
  pauseRenewalMs,
  type LinkedStack,
  type ProcessAction,
  type ToObservatory,
  type ToSupervisor,
} from '@cloakroom/contracts';
import { Refusal } from '../edge/refusal.ts';

/** The channel between a process and its parent, as Node has it. */
export interface Channel {
  send(message: ToSupervisor): void;
  onMessage(listener: (message: ToObservatory) => void): void;
}

/** A kill is done at once; a restart is answered when it has begun. */
const answerTimeoutMs = 5_000;

/** @returns undefined where no supervisor started this process */
export function parentChannel(): Channel | undefined {
  if (process.send === undefined) return undefined;
  return {
    // A supervisor that has gone takes this process with it (libs/platform process.ts), so a failed send needs no answer.
    send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToObservatory)),
  };
}

const noStack: LinkedStack = { provider: 'unknown', profile: 'usual', gateways: [], processes: [] };

export class SupervisorLink {
  readonly #channel: Channel | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<number, (refusal: string | undefined) => void>();
  /** Pauses to renew, by process: each until when at most. */
  readonly #paused = new Map<string, number>();
  readonly #renewal: NodeJS.Timeout;
  #stack: LinkedStack = noStack;
  #lastId = 0;

  constructor(channel: Channel | undefined) {
    this.#channel = channel;
    channel?.onMessage((message) => this.#hear(message));
    this.#renewal = setInterval(() => this.#renew(), pauseRenewalMs);
    this.#renewal.unref();
  }

  get stack(): LinkedStack {
    return this.#stack;
  }

  onStack(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws Refusal where the supervisor does not do it */
  async act(process: string, action: ProcessAction): Promise<void> {
    if (this.#channel === undefined)
      throw new Refusal('no_supervisor', 'This Observatory was started alone. npm start starts it with the shop.');
    const id = ++this.#lastId;
    const answer = new Promise<string | undefined>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Refusal('no_supervisor', 'The supervisor did not answer in time.'));
      }, answerTimeoutMs);
      this.#waiting.set(id, (refusal) => {
        clearTimeout(timer);
        resolve(refusal);
      });
    });
    if (action !== 'pause') this.#paused.delete(process);
    this.#channel.send({ kind: 'act', id, process, action });
    const refusal = await answer;
    if (refusal !== undefined) throw new Refusal('cannot_act', refusal);
    if (action === 'pause') this.#paused.set(process, performance.now() + pauseMaxMs);
  }

  stop(): void {
    clearInterval(this.#renewal);
  }

  #renew(): void {
    for (const [name, untilMs] of this.#paused) if (performance.now() > untilMs) this.#paused.delete(name);
    if (this.#paused.size > 0) this.#channel?.send({ kind: 'keep-paused', processes: [...this.#paused.keys()] });
  }

  #hear(message: ToObservatory): void {
    if (message.kind === 'done') {
      this.#waiting.get(message.id)?.(message.refusal);
      this.#waiting.delete(message.id);
      return;
    }
    this.#stack = message.stack;
    for (const listener of this.#listeners) listener();
  }
}
