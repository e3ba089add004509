/**
 * Circuit breakers around the calls of one mesh client: one for each class of methods (circuit-breaker.ts says why and how). This file decides which
 * outcomes count as no answer. It also defines the probe: a call of a method that does not exist. Every gRPC server answers UNIMPLEMENTED at once,
 * and the call touches nothing. A paused or vanished server says nothing.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { isProblem, OperationClass } from '@cloakroom/contracts';
import { type BreakerState, type CircuitBreaker, openBreaker, type Told } from './circuit-breaker.ts';
import { asIs } from '../grpc-codec.ts';
import type { Replicas } from './grpc-replicas.ts';
import { breakerChanges, breakerRefusals, breakerStates } from '../mesh-metrics.ts';
import { policyOf } from '../policy.ts';

/** A call that had less time than this proves nothing against its peer. */
const silenceMinMs = 250;
/** A peer whose own store hangs answers "I cannot know" after its own time-out (500 ms). That costs the caller as much as no answer. */
const slowRefusalMs = 400;
const probeBudgetMs = 400;
const probePath = '/cloakroom.mesh.v1.Probe/Ask';

export interface Breakers {
  /** The same call, refused at once while its breaker is open. */
  guard<Call>(method: DescMethod, call: UnaryCall<Call>): UnaryCall<Call>;
  /** An open breaker refuses streams. Streams tell the breaker nothing, because they end for many reasons. */
  guardStream<Call>(method: DescMethod, call: StreamCall<Call>): StreamCall<Call>;
  close(): void;
}

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
        let told: Told = 'nothing';
        try {
          const answer = await call(outgoing, request);
          told = toldBy(answer, nowMs() - startedMs, replicas);
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
