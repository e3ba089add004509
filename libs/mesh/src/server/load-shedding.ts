/**
 * Decides which requests an overloaded process refuses: the least important first. A request refused at the door costs next to nothing. One that is
 * let in would wait with all others until its caller has gone, and the work done for it is wasted.
 *
 * The order, and why:
 * - `public` first: it is most of the load. A page asked for again a second later has lost nothing.
 * - `personal`, then `cart`: reads can be repeated, and a cart is why the person came.
 * - `login` and `sensitive` last: people must be able to sign out, end a stolen device and prove themselves while an attack runs. These requests are
 *   few (bounded by address and by the hashing), so refusing them would bring no relief.
 * - `internal`, the calls between services on behalf of all these, together with the last.
 *
 * Two signs show overload: requests in flight (the peers are slow) and a late event loop (this process is slow). A loop counts as late only when it
 * was late for ten looks in a row, and the least lateness counts. So one long turn or a pause of the machine refuses no request (CoDel's standing
 * queue).
 */
import { type MethodPolicy, OperationClass, problem, type Problem } from '@cloakroom/contracts';
import { Counter } from 'prom-client';
import { metrics } from '@cloakroom/platform';
import { refusedBy } from '../refusal.ts';

/** The share of the bounds below up to which each class is let in. */
const shares = { public: 0.5, personal: 0.65, cart: 0.8, login: 0.9, sensitive: 1, internal: 1 } as const;
export type SheddingClass = keyof typeof shares;
export type ShedReason = 'in_flight' | 'loop';

export interface LoadBounds {
  readonly inFlightMax: number;
  readonly loopLagMaxMs: number;
}

/** About 50 kB each: 50 MB. A healthy process has some tens. Hundreds mean that something below hangs. */
export const inFlightMaxDefault = 1_000;
/** A loop that is late by a quarter second makes every hop of a request late by as much. No latency budget here survives three such hops. */
export const loopLagMaxMsDefault = 250;

export interface LoadShedder {
  /** @returns a function that leaves again, to be called once; or the reason for the refusal */
  enter(operation: SheddingClass): (() => void) | ShedReason;
  /** The same question for calls that stay open and are not counted. */
  refuses(operation: SheddingClass): ShedReason | undefined;
  readonly inFlight: number;
}

export function openLoadShedder({ inFlightMax, loopLagMaxMs }: LoadBounds, lagMs: () => number = loopLagMs): LoadShedder {
  let inFlight = 0;
  const refuses = (operation: SheddingClass): ShedReason | undefined => {
    if (inFlight >= inFlightMax * shares[operation]) return 'in_flight';
    return lagMs() >= loopLagMaxMs * shares[operation] ? 'loop' : undefined;
  };
  return {
    refuses,
    enter(operation) {
      const reason = refuses(operation);
      if (reason !== undefined) return reason;
      inFlight += 1;
      return () => void (inFlight -= 1);
    },
    get inFlight() {
      return inFlight;
    },
  };
}

const lookIntervalMs = 50;
const looks = 10;
let lateness: number[] | undefined;

/** The least lateness of the last ten looks at this process' loop. The first call begins to look. */
export function loopLagMs(): number {
  lateness ??= beginToLook();
  return Math.min(...lateness);
}

function beginToLook(): number[] {
  const late = Array.from({ length: looks }, () => 0);
  let at = 0;
  let expectedMs = performance.now() + lookIntervalMs;
  const look = (): void => {
    late[at++ % looks] = Math.max(0, performance.now() - expectedMs);
    expectedMs = performance.now() + lookIntervalMs;
    setTimeout(look, lookIntervalMs).unref();
  };
  setTimeout(look, lookIntervalMs).unref();
  return late;
}

export const callsShed = new Counter({
  name: 'mesh_shed_total',
  help: 'Calls that a service refused because it had too much to do.',
  labelNames: ['service', 'operation', 'reason'] as const,
  registers: [metrics],
});

/** The door of one method. A refusal is the service's own answer, so nothing was done and a caller's circuit breaker stays closed. */
export function doorOf(service: string, policy: MethodPolicy, shedder: LoadShedder): () => (() => void) | Problem {
  const operation = classes[policy.operationClass] ?? 'public';
  const staysOpen = policy.budgetMs === 0;
  return () => {
    const place = staysOpen ? (shedder.refuses(operation) ?? nobodyLeaves) : shedder.enter(operation);
    if (typeof place === 'function') return place;
    callsShed.inc({ service, operation, reason: place });
    return refusedBy('too_much_to_do', problem('unavailable', undefined, retryAfterS));
  };
}

const retryAfterS = 1;
const nobodyLeaves = (): void => undefined;
const classes: Readonly<Partial<Record<OperationClass, SheddingClass>>> = {
  [OperationClass.PUBLIC]: 'public',
  [OperationClass.PERSONAL_READ]: 'personal',
  [OperationClass.CART]: 'cart',
  [OperationClass.LOGIN]: 'login',
  [OperationClass.SENSITIVE]: 'sensitive',
  [OperationClass.INTERNAL]: 'internal',
};
