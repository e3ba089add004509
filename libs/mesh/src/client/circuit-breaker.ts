/**
 * Circuit breakers around the calls of one mesh client. After a few unanswered calls a breaker refuses the next ones at once, so that they do not each
 * wait out their time. Each upstream service and class of methods has its own breaker, so a slow sign-in does not stop identity checks.
 *
 * - A failure counts towards opening only when no call was answered since it began. One of two replicas may hang while the other works. Calls to the
 *   hung one end late and in a row, long after hundreds of answers.
 * - A background probe finds out whether the peer is back; no person's request is used for it. After an answered probe the breaker lets one real
 *   request through. After that is answered, it lets all through. So no request waits for a paused peer.
 * - The probe calls a method that does not exist. Every gRPC server answers UNIMPLEMENTED at once, and the call touches nothing. A paused or vanished
 *   server says nothing.
 * - Any answer from the peer counts as an answer, a refusal included. `toldBy` decides which outcomes count as no answer.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { isProblem, OperationClass, problem, type Problem } from '@cloakroom/contracts';
import { asIs, policyOf } from '../contract.ts';
import type { Replicas } from './grpc-replicas.ts';
import { provesNothing } from './outgoing-call.ts';
import { breakerChanges, breakerRefusals, breakerStates } from '../mesh-metrics.ts';

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

/** A call that had less time than this proves nothing against its peer. */
const silenceMinMs = 250;
/** A peer whose own store hangs answers "I cannot know" after its own time-out (500 ms). That costs the caller as much as no answer. */
const slowRefusalMs = 400;
const probeBudgetMs = 400;
const probePath = '/cloakroom.mesh.v1.Probe/Ask';

export interface Breakers {
  /** The same call, refused at once while its breaker is open. */
  guard<Call extends Called>(method: DescMethod, call: UnaryCall<Call>): UnaryCall<Call>;
  /** An open breaker refuses streams. Streams tell the breaker nothing, because they end for many reasons. */
  guardStream<Call>(method: DescMethod, call: StreamCall<Call>): StreamCall<Call>;
  close(): void;
}

type Called = Parameters<typeof provesNothing>[0];
type UnaryCall<Call> = (call: Call, request: object) => Promise<object>;
type StreamCall<Call> = (call: Call, request: object) => AsyncGenerator<object>;

export function openBreakers(upstream: string, replicas: Replicas): Breakers {
  const breakers = new Map<string, CircuitBreaker>();
  const nowMs = (): number => performance.now();
  const breakerOf = (method: DescMethod): { readonly breaker: CircuitBreaker; readonly operation: string } => {
    const operation = (OperationClass[policyOf(method).operationClass] ?? 'unspecified').toLowerCase();
    const breaker =
      breakers.get(operation) ??
      openBreaker({ nowMs, probe: () => probe(replicas, nowMs), onChange: (state) => tell(upstream, operation, state) });
    if (!breakers.has(operation)) tellState(upstream, operation, 'closed');
    breakers.set(operation, breaker);
    return { breaker, operation };
  };
  return {
    guard(method, call) {
      const { breaker, operation } = breakerOf(method);
      return async (outgoing, request) => {
        const permit = breaker.admit();
        if (isProblem(permit)) {
          breakerRefusals.inc({ upstream, operation });
          // A caller that retries in a loop must not starve this process, the probe included.
          await new Promise((turn) => setImmediate(turn));
          return permit;
        }
        const startedMs = nowMs();
        // A switch may go off while its last call is on its way.
        const own = provesNothing(outgoing);
        let told: Told = 'nothing';
        try {
          const answer = await call(outgoing, request);
          if (!own && !provesNothing(outgoing)) told = toldBy(answer, nowMs() - startedMs, replicas);
          return answer;
        } finally {
          permit.settle(told);
        }
      };
    },
    guardStream(method, call) {
      const { breaker, operation } = breakerOf(method);
      return async function* (outgoing, request) {
        if (breaker.state === 'open') {
          const refused = breaker.admit();
          breakerRefusals.inc({ upstream, operation });
          yield refused;
          return;
        }
        yield* call(outgoing, request);
      };
    },
    close: () => breakers.forEach((breaker) => breaker.close()),
  };
}

function toldBy(answer: object, durationMs: number, replicas: Replicas): Told {
  if (!isProblem(answer)) return 'answer';
  switch (answer.problem) {
    case 'cancelled':
      return 'nothing';
    case 'deadline_exceeded':
      return durationMs >= silenceMinMs ? 'failure' : 'nothing';
    case 'connection_lost':
      // A dead replica says nothing of the others. Its calls end together, before any other has answered, and would open the breaker for all.
      // Where every replica breaks its connections, each becomes a suspect, and then there is no spare (grpc-replicas.ts).
      return replicas.hasSpare() ? 'nothing' : 'failure';
    case 'identity_unavailable':
      return durationMs >= slowRefusalMs ? 'failure' : 'answer';
    default:
      return 'answer';
  }
}

async function probe(replicas: Replicas, nowMs: () => number): Promise<boolean> {
  const replica = await replicas.pick('unary', nowMs() + probeBudgetMs, undefined);
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + probeBudgetMs };
    const done = (code: status): void => {
      const silent = code === status.DEADLINE_EXCEEDED;
      const lost = code === status.UNAVAILABLE || code === status.CANCELLED;
      replica.ended(silent ? 'silence' : lost ? 'lost' : 'answer');
      resolve(!silent && !lost);
    };
    replica.client.makeUnaryRequest(probePath, asIs, asIs, Buffer.alloc(0), options, (error) => done(error?.code ?? status.OK));
  });
}

function tell(upstream: string, operation: string, state: BreakerState): void {
  breakerChanges.inc({ upstream, operation, to: state });
  tellState(upstream, operation, state);
}

function tellState(upstream: string, operation: string, state: BreakerState): void {
  breakerStates.set({ upstream, operation }, { closed: 0, 'half-open': 1, open: 2 }[state]);
}
