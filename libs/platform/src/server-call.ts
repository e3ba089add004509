/**
 * One call at a server, from its metadata to its end: deadline, abort signal, trace, timings, outcome. Everything here belongs to this call
 * alone; the context is frozen and handed to the handler as an argument, so that no two requests share anything (GitHub, March 2021).
 * Several things may end a call at once (the handler, the deadline, the caller, a shutdown): the first wins, and only it is counted.
 */
import { randomBytes } from 'node:crypto';
import { Metadata, type ServerUnaryCall, type ServerWritableStream, type status } from '@grpc/grpc-js';
import { callMetadata, isProblem, type MethodPolicy, problem, type Problem } from '@cloakroom/contracts';
import type { Clock } from './clock.ts';
import type { RequestContext, Timing, VerifiedIdentity } from './context.ts';
import { budgetOf, callerGone, deadlinePassed, isDeadlineReason, startDeadline } from './deadline.ts';
import type { Logger } from './log.ts';
import { meshCalls, meshCallSeconds } from './mesh-metrics.ts';
import { type CallMetadata, formatTimings, readCallMetadata, timingCountMax } from './metadata.ts';
import { statusOf, writeProblem } from './outcome.ts';
import { continueTrace } from './trace.ts';

export type SurfaceCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

export interface Ending {
  readonly code: status;
  readonly details: string;
  readonly trailer: Metadata;
}

export interface ServerCall {
  readonly metadata: CallMetadata | Problem;
  readonly signal: AbortSignal;
  context(identity: VerifiedIdentity | undefined, caller: string | undefined): RequestContext;
  /** The first outcome ends the call; false when it had ended before. */
  end(outcome: 'ok' | Problem): boolean;
  /** Ends the call from outside and tells its handler. */
  stop(outcome: Problem): void;
  /** What a thrown value stands for: the reason of the aborted signal, or `internal`, which is logged here and never shown. */
  outcomeOf(thrown: unknown): Problem;
}

export function beginCall(options: {
  readonly call: SurfaceCall;
  /** "cloakroom.cart.v1.CartService/AddItem" */
  readonly method: string;
  /** "cart" */
  readonly service: string;
  readonly policy: MethodPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes the end to the wire; an error ends with a trailer that holds the Problem. */
  readonly finish: (error: Ending | undefined, trailer: Metadata) => void;
}): ServerCall {
  const { call, method, service, policy, clock, log } = options;
  const startedMs = clock.monotonicMs();
  const budgetMs = budgetOf(callerRemainingMs(call), policy.budgetMs);
  const deadline = startDeadline(budgetMs, clock);
  const metadata = readCallMetadata(call.metadata);
  const trace = continueTrace(isProblem(metadata) ? undefined : metadata.traceparent, randomBytes);
  const abort = new AbortController();
  const timings: Timing[] = [];
  let ended = false;

  const settle = (outcome: 'ok' | Problem): boolean => {
    if (ended) return false;
    ended = true;
    clearTimeout(timer);
    meshCalls.inc({ side: 'server', method, code: outcome === 'ok' ? 'ok' : outcome.problem });
    const durationMs = clock.monotonicMs() - startedMs;
    if (policy.budgetMs > 0) meshCallSeconds.observe({ side: 'server', method }, durationMs / 1000);
    const left = Number.isFinite(budgetMs) ? `${Math.round(deadline.remainingMs())} of ${Math.round(budgetMs)} ms left` : 'open';
    timings.unshift({ name: service, durationMs, description: left });
    return true;
  };

  const end = (outcome: 'ok' | Problem): boolean => {
    if (!settle(outcome)) return false;
    const trailer = new Metadata();
    trailer.set(callMetadata.serverTiming, formatTimings(timings));
    if (outcome !== 'ok') writeProblem(outcome, trailer);
    options.finish(outcome === 'ok' ? undefined : { ...statusOf(outcome), trailer }, trailer);
    return true;
  };

  const timer = Number.isFinite(budgetMs)
    ? setTimeout(() => {
        abort.abort(deadlinePassed());
        end(problem('deadline_exceeded'));
      }, budgetMs)
    : undefined;

  // Each call that the handler makes on with `parent` listens for the cancellation.
  call.setMaxListeners(outgoingCountMax);
  // grpc-js says "cancelled" at every close of the stream, after a regular end too, and when its own timer ended the call.
  call.once('cancelled', () => {
    if (ended) return;
    const late = deadline.remainingMs() <= timerSlackMs;
    abort.abort(late ? deadlinePassed() : callerGone());
    settle(problem(late ? 'deadline_exceeded' : 'cancelled'));
  });

  return {
    metadata,
    signal: abort.signal,
    end,
    stop(outcome) {
      end(outcome);
      abort.abort(callerGone());
    },
    context: (identity, caller) =>
      Object.freeze({
        identity,
        caller,
        deadline,
        signal: abort.signal,
        trace,
        experiment: isProblem(metadata) ? undefined : metadata.experiment,
        consistency: isProblem(metadata) ? undefined : metadata.consistency,
        timing: (entry) => void (timings.length < timingCountMax - 1 && timings.push(entry)),
        parent: policy.budgetMs > 0 ? call : undefined,
      } satisfies RequestContext),
    outcomeOf(thrown) {
      if (abort.signal.aborted) return problem(isDeadlineReason(abort.signal.reason) ? 'deadline_exceeded' : 'cancelled');
      log.error({ err: thrown, method, traceId: trace.traceId }, 'handler failed');
      return problem('internal');
    },
  };
}

/** One request fans out to far fewer calls; beyond it Node warns of a leak. */
const outgoingCountMax = 100;

/** Timers of one process fire within this of each other. */
const timerSlackMs = 5;

/** grpc-js keeps the deadline as a time of the real wall clock, made when the call came in: never compare it with an injected clock. */
function callerRemainingMs(call: SurfaceCall): number {
  const deadline = call.getDeadline();
  return Number(deadline) - Date.now();
}
