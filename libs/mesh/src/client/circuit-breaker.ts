/**
 * A circuit breaker. After a few unanswered calls it refuses the next ones at once, so that they do not each wait out their time. Each upstream
 * service and class of methods has its own breaker, so a slow sign-in does not stop identity checks.
 *
 * - A failure counts towards opening only when no call was answered since it began. One of two replicas may hang while the other works. Calls to the
 *   hung one end late and in a row, long after hundreds of answers.
 * - A background probe finds out whether the peer is back; no person's request is used for it. After an answered probe the breaker lets one real
 *   request through. After that is answered, it lets all through. So no request waits for a paused peer.
 * - Any answer from the peer counts as an answer, a refusal included.
 */
import { problem, type Problem } from '@cloakroom/contracts';

/** Three people wait in vain before the breaker opens. A lower number would open on two lost packets. */
const failuresToOpen = 3;
/** For a peer that answers now and then: 8 of 10 failed within 10 s. A limit of half would let one dead replica of two stop the other. */
const windowMs = 10_000;
const windowCallsMin = 10;
const windowFailedPart = 0.8;
/** The first probes come early, for a peer that only restarts. Later probes come twice a second, a load that no peer notices. */
const probeDelaysMs = [100, 200, 400, 500] as const;
const retryAfterS = 1;

export type BreakerState = 'closed' | 'open' | 'half-open';
/** `nothing`: cancelled by the caller, or too short to tell. */
export type Told = 'answer' | 'failure' | 'nothing';

export interface Permit {
  /** Call it once. */
  settle(told: Told): void;
}

export interface BreakerParts {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Probes whether the peer answers at all. Must end by itself. */
  readonly probe: () => Promise<boolean>;
  readonly wait?: (durationMs: number, then: () => void) => { cancel(): void };
  readonly onChange?: (state: BreakerState) => void;
}

export interface CircuitBreaker {
  readonly state: BreakerState;
  /** @returns `unavailable` with Retry-After when the call would wait in vain; nothing was sent then */
  admit(): Permit | Problem;
  close(): void;
}

// oxlint-disable-next-line max-lines-per-function -- Longer because it is one state machine, read as a whole.
export function openBreaker({ nowMs, probe, wait = unrefTimer, onChange = () => undefined }: BreakerParts): CircuitBreaker {
  let state: BreakerState = 'closed';
  let failuresInRow = 0;
  let lastAnswerMs = Number.NEGATIVE_INFINITY;
  let window = { sinceMs: nowMs(), calls: 0, failed: 0 };
  let trial = false;
  let waiting: { cancel(): void } | undefined;
  let stopped = false;

  const enter = (next: BreakerState): void => {
    if (state === next || stopped) return;
    state = next;
    trial = false;
    waiting?.cancel();
    if (next === 'closed') {
      failuresInRow = 0;
      window = { sinceMs: nowMs(), calls: 0, failed: 0 };
    }
    if (next === 'open') probeLater(0);
    onChange(next);
  };
  const probeLater = (round: number): void => {
    waiting = wait(probeDelaysMs[Math.min(round, probeDelaysMs.length - 1)]!, () => {
      void probe().then((answered) => {
        if (state !== 'open' || stopped) return;
        if (answered) enter('half-open');
        else probeLater(round + 1);
      });
    });
  };
  const count = (failed: boolean): void => {
    if (nowMs() - window.sinceMs > windowMs) window = { sinceMs: nowMs(), calls: 0, failed: 0 };
    window.calls += 1;
    window.failed += failed ? 1 : 0;
  };
  const settle = (told: Told, startedMs: number, isTrial: boolean): void => {
    if (isTrial && state === 'half-open') {
      trial = false;
      if (told !== 'nothing') enter(told === 'answer' ? 'closed' : 'open');
      return;
    }
    if (told === 'nothing') return;
    count(told === 'failure');
    if (told === 'answer') {
      lastAnswerMs = nowMs();
      failuresInRow = 0;
      // A late answer to an earlier call is as good as a probe.
      if (state === 'open') enter('half-open');
      return;
    }
    if (state !== 'closed') return;
    if (lastAnswerMs < startedMs) failuresInRow += 1;
    const mostFailed = window.calls >= windowCallsMin && window.failed >= window.calls * windowFailedPart;
    if (failuresInRow >= failuresToOpen || mostFailed) enter('open');
  };

  return {
    get state() {
      return state;
    },
    admit() {
      if (state === 'open' || (state === 'half-open' && trial)) return problem('unavailable', undefined, retryAfterS);
      const isTrial = state === 'half-open';
      trial = isTrial;
      const startedMs = nowMs();
      return { settle: (told) => settle(told, startedMs, isTrial) };
    },
    close() {
      stopped = true;
      waiting?.cancel();
    },
  };
}

function unrefTimer(durationMs: number, then: () => void): { cancel(): void } {
  const timer = setTimeout(then, durationMs).unref();
  return { cancel: () => clearTimeout(timer) };
}
