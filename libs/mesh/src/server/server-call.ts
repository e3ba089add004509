/**
 * One call at a server, from its metadata to its end: deadline, abort signal, trace, timings, outcome. Everything here belongs to this call alone.
 * The context is frozen and passed to the handler as an argument, so that no two requests share anything (GitHub, March 2021). Several things may end
 * a call at once: the handler, the deadline, the caller, a shutdown. The first one wins, and only it is counted.
 */
import { Metadata, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { callMetadata, isProblem, type MethodPolicy, observed, problem, type Problem } from '@cloakroom/contracts';
import {
  type Clock,
  DatabaseUnavailable,
  enterTrace,
  type Logger,
  observe,
  pooledRandomBytes,
  runWithin,
  type Span,
  type TraceContext,
} from '@cloakroom/platform';
import type { Deadline, RequestContext, Timing, VerifiedIdentity } from '../context.ts';
import { budgetOf, callerGone, deadlinePassed, isDeadlineReason, startDeadline } from '../deadline.ts';
import { meshCalls, meshCallSeconds } from '../mesh-metrics.ts';
import { type CallMetadata, formatTimings, readCallMetadata, timingCountMax } from '../metadata.ts';
import { statusOf, writeProblem } from '../outcome.ts';
import { refusalOf } from '../refusal.ts';
import { admittedAs, entering } from './observed-call.ts';

export type SurfaceCall = ServerUnaryCall<object, object> | ServerWritableStream<object, object>;

/** `lost`: as a connection ends that breaks before the answer is through. The other side hears UNAVAILABLE without a Problem. */
export type Outcome = 'ok' | 'lost' | Problem;

/** The carrier of a call: a gRPC call of its own (`carriedAlone`), or a question on a stream (question-stream.ts). */
export interface Carrier {
  readonly sent: CallMetadata | Problem;
  /** The time that the caller gives; Infinity when it set none. */
  readonly remainingMs: number;
  /** Calls back when the caller has left. */
  onGone(listener: () => void): void;
  readonly parent: RequestContext['parent'];
  /** Writes the end to the wire, once. @param timings the field Server-Timing */
  finish(outcome: Outcome, timings: string): void;
}

export interface ServerCall {
  readonly traceId: string;
  readonly experiment: string | undefined;
  readonly signal: AbortSignal;
  readonly span: Span | undefined;
  /** Runs the handler's work so that spans below its ports belong to this call. */
  run<Result>(work: () => Result): Result;
  /** Judges the caller and what was sent, once. @returns why the call is refused */
  admit(): Promise<Problem | undefined>;
  /** The context for the handler. @throws for a call that was not admitted */
  context(): RequestContext;
  /** The first outcome ends the call; false when it had ended before. */
  end(outcome: 'ok' | Problem): boolean;
  /** Ends the call as a connection does that breaks before the answer is through. For a fault that a person switched on. */
  breakOff(): void;
  /** Ends the call from outside and tells its handler. */
  stop(outcome: Problem): void;
  /** Turns a thrown value into a Problem: the aborted signal's reason, `unavailable` without the database, or `internal` (logged, never shown). */
  outcomeOf(thrown: unknown): Problem;
}

// The check before a handler sees a call is passed in, because the mesh knows policies and certificates, and nothing of passports.

export interface JudgedMethod {
  readonly policy: MethodPolicy;
  /** "cloakroom.cart.v1.CartService/GetCart" */
  readonly name: string;
}

export interface Caller {
  /** The name in the caller's certificate. Without certificates only the developer has one, by a secret of its own. */
  readonly name: string | undefined;
  /** Whether the caller has proved its name. Without certificates services have not: they know the same secret. */
  readonly proven: boolean;
  /** The called service, as a label for metrics. */
  readonly audience: string;
}

export interface Admitted {
  readonly identity: VerifiedIdentity | undefined;
}

export interface Admission {
  /** Policy x certificate x passport. Metadata that is itself a Problem counts only once the caller may call at all. */
  admit(method: JudgedMethod, caller: Caller, sent: CallMetadata | Problem): Promise<Admitted | Problem>;
  /** Judges again what has changed since: for a stream that outlives the passport it was opened with. */
  standing(identity: VerifiedIdentity): Problem | undefined;
  /** @returns the function that unsubscribes */
  onRevocation(listener: () => void): () => void;
}

/** A call that may run: for whom, and which service sent it. */
export interface Judged {
  readonly identity: VerifiedIdentity | undefined;
  readonly caller: string | undefined;
}

export interface BeginOptions {
  readonly carrier: Carrier;
  /** "cloakroom.cart.v1.CartService/AddItem" */
  readonly method: string;
  /** "cart" */
  readonly service: string;
  readonly policy: MethodPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly judge: (sent: CallMetadata | Problem, trace: TraceContext, span: Span | undefined) => Promise<Judged | Problem>;
}

const idBytes = pooledRandomBytes();

export function beginCall(options: BeginOptions): ServerCall {
  const { carrier, policy, clock } = options;
  const budgetMs = budgetOf(carrier.remainingMs, policy.budgetMs);
  const deadline = startDeadline(budgetMs, clock);
  const metadata = carrier.sent;
  const sent = isProblem(metadata) ? undefined : metadata;
  const { trace, span } = openSpan(options, budgetMs, metadata);
  const abort = new AbortController();
  const outcome = openOutcome(options, budgetMs, deadline, span);
  endWithTimeOrCaller(carrier, budgetMs, deadline, abort, outcome);
  let ctx: RequestContext | undefined;
  const contextOf = ({ identity, caller }: Judged): RequestContext =>
    Object.freeze({
      identity,
      subjectToken: sent?.passport ?? sent?.accessToken,
      caller,
      deadline,
      signal: abort.signal,
      trace,
      experiment: sent?.experiment,
      consistency: sent?.consistency,
      timing: outcome.timing,
      // An open stream hands on its signal alone, because grpc-js never releases listeners on a parent.
      parent: policy.budgetMs > 0 ? carrier.parent : undefined,
    });
  return {
    traceId: trace.traceId,
    experiment: sent?.experiment,
    signal: abort.signal,
    span,
    end: outcome.end,
    breakOff() {
      if (outcome.settle('ok')) carrier.finish('lost', '');
    },
    stop(why) {
      outcome.end(why);
      abort.abort(callerGone());
    },
    run(work) {
      if (policy.budgetMs > 0) return runWithin(span, work);
      // The span covers only the admission of an open stream. A span that ends with the stream would come hours late, or never.
      endSpan(span, 'ok');
      return work();
    },
    async admit() {
      const judged = await options.judge(metadata, trace, span);
      if (isProblem(judged)) return judged;
      if (span !== undefined) observe(span, () => admittedAs(judged.identity));
      ctx = contextOf(judged);
      return undefined;
    },
    context() {
      if (ctx === undefined) throw new Error('the call was not admitted');
      return ctx;
    },
    outcomeOf: (thrown) => outcomeOf(thrown, abort.signal, options, trace.traceId),
  };
}

function openSpan({ method, service, policy, clock }: BeginOptions, budgetMs: number, sent: CallMetadata | Problem) {
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
  const traceparent = isProblem(sent) ? undefined : sent.traceparent;
  const entered = enterTrace({ name: method, kind: 'server', attributes }, traceparent, idBytes);
  if (entered.span !== undefined) observe(entered.span, () => entering(service, policy, budgetMs, sent, clock.nowMs()));
  return entered;
}

function outcomeOf(thrown: unknown, signal: AbortSignal, { log, method }: BeginOptions, traceId: string): Problem {
  if (signal.aborted) return problem(isDeadlineReason(signal.reason) ? 'deadline_exceeded' : 'cancelled');
  if (thrown instanceof DatabaseUnavailable) {
    log.warn({ reason: thrown.message, method, trace_id: traceId }, 'the database is not available');
    return problem('unavailable', undefined, 1);
  }
  log.error({ err: thrown, method, trace_id: traceId }, 'handler failed');
  return problem('internal');
}

interface OpenOutcome {
  isOpen(): boolean;
  /** Counts the outcome without writing it, because the connection is gone. False when the call had ended before. */
  settle(outcome: 'ok' | Problem): boolean;
  end(outcome: 'ok' | Problem): boolean;
  timing(entry: Timing): void;
  /** Runs at the end, whatever ended the call. */
  atEnd(cleanUp: () => void): void;
}

function openOutcome(options: BeginOptions, budgetMs: number, deadline: Deadline, span: Span | undefined): OpenOutcome {
  const { method, service, policy, clock, carrier } = options;
  const startedMs = clock.monotonicMs();
  const timings: Timing[] = [];
  let open = true;
  let cleanUp = (): void => undefined;
  const settle = (outcome: 'ok' | Problem): boolean => {
    if (!open) return false;
    open = false;
    cleanUp();
    meshCalls.inc({ side: 'server', method, code: outcome === 'ok' ? 'ok' : outcome.problem });
    const durationMs = clock.monotonicMs() - startedMs;
    endSpan(span, outcome);
    if (policy.budgetMs > 0) meshCallSeconds.observe({ side: 'server', method }, durationMs / 1000);
    const left = Number.isFinite(budgetMs) ? `${Math.round(deadline.remainingMs())} of ${Math.round(budgetMs)} ms left` : 'open';
    timings.unshift({ name: service, durationMs, description: left });
    return true;
  };
  return {
    isOpen: () => open,
    settle,
    end(outcome) {
      if (!settle(outcome)) return false;
      carrier.finish(outcome, formatTimings(timings));
      return true;
    },
    timing: (entry) => void (timings.length < timingCountMax - 1 && timings.push(entry)),
    atEnd: (then) => (cleanUp = then),
  };
}

function endSpan(span: Span | undefined, outcome: 'ok' | Problem): void {
  if (span === undefined) return;
  if (outcome !== 'ok') observe(span, () => ({ [observed.refusal]: refusalOf(outcome) }));
  span.set({ 'rpc.response.status_code': status[outcome === 'ok' ? status.OK : statusOf(outcome).code] });
  span.end(outcome === 'ok' ? undefined : outcome.problem);
}

function endWithTimeOrCaller(carrier: Carrier, budgetMs: number, deadline: Deadline, abort: AbortController, outcome: OpenOutcome): void {
  const late = (): void => {
    abort.abort(deadlinePassed());
    outcome.end(problem('deadline_exceeded'));
  };
  if (Number.isFinite(budgetMs)) {
    const timer = setTimeout(late, budgetMs);
    outcome.atEnd(() => clearTimeout(timer));
  }
  carrier.onGone(() => {
    if (!outcome.isOpen()) return;
    const timeIsUp = deadline.remainingMs() <= timerSlackMs;
    abort.abort(timeIsUp ? deadlinePassed() : callerGone());
    outcome.settle(problem(timeIsUp ? 'deadline_exceeded' : 'cancelled'));
  });
}

/** Timers of one process fire within this of each other. */
const timerSlackMs = 5;

/** One request fans out to far fewer calls. Above this Node warns of a leak. */
const outgoingCountMax = 100;

/** @param end ends the call: `error` is undefined for an answer, and else has the code. The trailer holds the Problem */
export function carriedAlone(call: SurfaceCall, end: (error: GrpcError | undefined, trailer: Metadata) => void): Carrier {
  return {
    sent: readCallMetadata(call.metadata),
    // grpc-js keeps the deadline as a time of the real wall clock, set when the call came in. Never compare it with an injected clock.
    remainingMs: Number(call.getDeadline()) - Date.now(),
    onGone(listener) {
      // Each call that the handler makes with `parent` listens for the cancellation.
      call.setMaxListeners(outgoingCountMax);
      // grpc-js emits "cancelled" at every close of the stream: after a regular end, and when its own timer ended the call.
      call.once('cancelled', listener);
    },
    parent: call,
    finish(outcome, timings) {
      const trailer = new Metadata();
      // Without a Problem in the trailer the caller sees a connection that was lost.
      if (outcome === 'lost') return end({ code: status.UNAVAILABLE, details: 'the answer was lost', metadata: trailer }, trailer);
      trailer.set(callMetadata.serverTiming, timings);
      if (outcome === 'ok') return end(undefined, trailer);
      writeProblem(outcome, trailer);
      end({ ...statusOf(outcome), metadata: trailer }, trailer);
    },
  };
}

export interface GrpcError {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}
