/**
 * The switches that are on. They live in this process alone, and the services keep each by a lease of their own (libs/faults). So whatever becomes
 * of this process, a fault ends.
 */
import { randomUUID } from 'node:crypto';
import { faultMaxMs, type FaultSwitch, type FaultSwitches as Told } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform/process-life';
import { Refusal } from '../edge/refusal.ts';

/** The most switches that are on at once. Each is asked for at every point that it concerns, and nobody studies more. */
const switchCountMax = 32;
/** The processes of a shop, each with one question. Beyond it a question is refused: an answer at once would be asked again at once. */
const waiterCountMax = 64;

export type Wanted = Omit<FaultSwitch, 'id' | 'leftMs'> & { readonly forMs: number };

interface On {
  readonly fault: Omit<FaultSwitch, 'leftMs'>;
  readonly untilMs: number;
}

export class FaultSwitches {
  readonly #clock: Clock;
  /** A start of its own in each revision: services must not take the count of an earlier Observatory for that of this one. */
  readonly #boot = randomUUID();
  readonly #waiters = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #changes = 0;
  #on: readonly On[] = [];
  #expiry: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get on(): readonly FaultSwitch[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#on.flatMap(({ fault, untilMs }) => (untilMs > nowMs ? [{ ...fault, leftMs: untilMs - nowMs }] : []));
  }

  /** Told when a switch goes on or off, and when its time is over. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The same fault at the same place for the same people is switched on anew. @throws Refusal where too many are on */
  switchOn({ forMs, ...fault }: Wanted): FaultSwitch {
    const others = this.#alive().filter(
      ({ fault: one }) => one.fault !== fault.fault || one.at !== fault.at || one.experiment !== fault.experiment,
    );
    if (others.length >= switchCountMax)
      throw new Refusal('too_many_requests', `${switchCountMax} faults are on. Switch off one of them first.`);
    const on = { fault: { ...fault, id: randomUUID() }, untilMs: this.#clock.monotonicMs() + Math.min(forMs, faultMaxMs) };
    this.#become([...others, on]);
    return this.on.find(({ id }) => id === on.fault.id)!;
  }

  /** @returns those that were on */
  switchOff(which: (fault: FaultSwitch) => boolean): readonly FaultSwitch[] {
    const off = this.on.filter(which);
    const ids = new Set(off.map(({ id }) => id));
    if (ids.size > 0) this.#become(this.#alive().filter(({ fault }) => !ids.has(fault.id)));
    return off;
  }

  /** Answers a service that asks for the switches: at once when it has not seen this, else when something changes or the wait is over. */
  async tell(seen: string, waitMs: number, gone: AbortSignal): Promise<Told> {
    if (seen === this.#revision() && waitMs > 0) {
      if (this.#waiters.size >= waiterCountMax) throw new Refusal('too_many_requests', `${waiterCountMax} processes wait for news.`);
      await this.#change(waitMs, gone);
    }
    return { revision: this.#revision(), switches: this.on };
  }

  stop(): void {
    clearTimeout(this.#expiry);
    this.#wake();
  }

  #revision(): string {
    return `${this.#boot}:${this.#changes}`;
  }

  #alive(): readonly On[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#on.filter(({ untilMs }) => untilMs > nowMs);
  }

  #become(on: readonly On[]): void {
    this.#on = on;
    this.#changes += 1;
    clearTimeout(this.#expiry);
    const nextMs = Math.min(...on.map(({ untilMs }) => untilMs)) - this.#clock.monotonicMs();
    if (on.length > 0) this.#expiry = setTimeout(() => this.#become(this.#alive()), Math.max(0, nextMs) + 1).unref();
    for (const listener of this.#listeners) listener();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  #change(waitMs: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        gone.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, waitMs).unref();
      this.#waiters.add(done);
      gone.addEventListener('abort', done, { once: true });
    });
  }
}
