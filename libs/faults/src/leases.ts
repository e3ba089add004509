/**
 * The switches that this process holds, each by a lease. The subtlety: an answer may lie in a buffer while a process is paused. So a lease counts
 * from the moment of the question, and everything is told by the monotonic clock of this process.
 */
import { faultLeaseMs, faultMaxMs, type FaultName, type FaultSwitch } from '@cloakroom/contracts';

interface Held {
  readonly fault: FaultSwitch;
  /** When this process heard of it first: however often it is renewed, it ends `faultMaxMs` later. */
  readonly firstMs: number;
  readonly untilMs: number;
}

export class Leases {
  #held: readonly Held[] = [];

  /** Takes over what the Observatory says. A switch that it no longer names is off at once. */
  renew(switches: readonly FaultSwitch[], askedAtMs: number): void {
    const before = new Map(this.#held.map((held) => [held.fault.id, held.firstMs]));
    this.#held = switches.map((fault) => {
      const firstMs = before.get(fault.id) ?? askedAtMs;
      return { fault, firstMs, untilMs: Math.min(askedAtMs + Math.min(fault.leftMs, faultLeaseMs), firstMs + faultMaxMs) };
    });
  }

  /** How long until the next lease ends; undefined when none is held. */
  leftMs(nowMs: number): number | undefined {
    const left = this.#held.map(({ untilMs }) => untilMs - nowMs).filter((ms) => ms > 0);
    return left.length === 0 ? undefined : Math.min(...left);
  }

  /** Whether a switch of this experiment's own is held. */
  hasOwn(experiment: string, nowMs: number): boolean {
    return this.#held.some(({ fault, untilMs }) => fault.experiment === experiment && untilMs > nowMs);
  }

  /** The faults of connections that this process opens. */
  ofConnections(pid: number, nowMs: number): readonly FaultSwitch[] {
    return this.#held.flatMap(({ fault, untilMs }) => (fault.ends?.pid === pid && untilMs > nowMs ? [fault] : []));
  }

  isHeld(id: string, nowMs: number): boolean {
    return this.#held.some(({ fault, untilMs }) => fault.id === id && untilMs > nowMs);
  }

  /** The switch that this experiment meets at this place. Its own comes before everybody's. */
  find(name: FaultName, at: string, experiment: string | undefined, nowMs: number): FaultSwitch | undefined {
    const met = this.#held
      .filter(({ fault, untilMs }) => fault.fault === name && untilMs > nowMs && isThere(fault.at, at))
      .map(({ fault }) => fault)
      .filter((fault) => fault.experiment === undefined || fault.experiment === experiment);
    return met.find((fault) => fault.experiment !== undefined) ?? met[0];
  }
}

/** A switch names a method without its package. */
const isThere = (wanted: string | undefined, at: string): boolean => wanted === undefined || at === wanted || at.endsWith(`.${wanted}`);
