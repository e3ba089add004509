/** Every outgoing call has these, whatever carries it: its span, its end in words, and the news that the end is of the peer. */
import type { DescMethod } from '@bufbuild/protobuf';
import { type Metadata, status } from '@grpc/grpc-js';
import { callMetadata, isProblem, observed, problem, type Problem } from '@cloakroom/contracts';
import { type Logger, meetsOwnFaults, observe, type Observed, type Span, startSpan } from '@cloakroom/platform';
import { nameOf } from '../contract.ts';
import type { OutgoingCall } from '../context.ts';
import { abortedAs, budgetOf, isDeadlineReason } from '../deadline.ts';
import { meshCalls } from '../mesh-metrics.ts';
import { parseTimings } from '../metadata.ts';
import { problemIn } from '../outcome.ts';
import type { Heard, Replicas } from './grpc-replicas.ts';

export interface Target {
  readonly replicas: Replicas;
  readonly method: DescMethod;
  readonly policyBudgetMs: number;
  readonly secret: string | undefined;
  readonly log: Logger;
  readonly isClosed: () => boolean;
}

/** The end of a call as the wire told it. */
export interface Ended {
  readonly code: status;
  readonly details: string;
  /** The Problem as the peer worded it: one, or none. */
  readonly problems: readonly (string | Buffer)[];
  /** Server-Timing */
  readonly timing: string | undefined;
  readonly answer?: object | undefined;
}

export function endedAs(code: status, told: { readonly details?: string; readonly metadata?: Metadata | undefined } = {}): Ended {
  const [timing] = told.metadata?.get(callMetadata.serverTiming) ?? [];
  const problems = told.metadata?.get(callMetadata.problem) ?? [];
  return { code, details: told.details ?? '', problems, timing: typeof timing === 'string' ? timing : undefined };
}

/**
 * A fault that an experiment has for itself says nothing of the peer. So neither breakers nor the choice of a replica count its calls meanwhile.
 * Everybody's fault counts, as the failure of a real part does.
 */
export const provesNothing = ({ experiment }: { readonly experiment?: string | undefined }): boolean => meetsOwnFaults(experiment);

export function spanOf(call: OutgoingCall, { method, policyBudgetMs }: Target): Span | undefined {
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': nameOf(method) };
  const span = startSpan({ name: nameOf(method), kind: 'client', parent: call.trace.traceparent, attributes });
  if (span !== undefined) observe(span, () => sending(call, policyBudgetMs));
  return span;
}

/** The time that is given away, and the kind of credential. The callee tells its claims. */
function sending(call: OutgoingCall, policyBudgetMs: number): Observed {
  const leftMs = budgetOf(call.budgetMs, policyBudgetMs);
  return {
    [observed.credential]: call.passport !== undefined ? 'passport' : call.accessToken !== undefined ? 'access token' : 'none',
    ...(Number.isFinite(leftMs) && { [observed.budgetLeftMs]: Math.round(leftMs), [observed.budgetMs]: policyBudgetMs }),
  };
}

export function endSpan(span: Span | undefined, code: status, outcome: object): void {
  span?.set({ 'rpc.response.status_code': status[code] });
  span?.end(isProblem(outcome) ? outcome.problem : undefined);
}

export function endedAlready(call: OutgoingCall, { policyBudgetMs, isClosed }: Target): Problem | undefined {
  // Nothing was sent.
  if (isClosed()) return problem('unavailable');
  if (call.signal?.aborted === true) return abortedAs(call.signal);
  return budgetOf(call.budgetMs, policyBudgetMs) > 0 ? undefined : problem('deadline_exceeded');
}

export function failureOf(call: OutgoingCall, { code, details, problems }: Ended, method: DescMethod, log: Logger): Problem {
  if (code === status.CANCELLED && call.signal?.aborted === true) return abortedAs(call.signal);
  const outcome = problemIn(code, problems);
  // A peer that worded the Problem has already logged it.
  if (outcome.problem === 'internal' && problems.length === 0)
    log.error({ method: nameOf(method), status: code, details, trace_id: call.trace.traceId }, 'call failed');
  return outcome;
}

/** The ending's news of the replica: its own words, silence until the time ran out, a broken connection, or nothing. */
export function heardOf(call: OutgoingCall, { code, problems }: Ended): Heard {
  if (code === status.OK || problems.length > 0) return 'answer';
  const ranOut = code === status.DEADLINE_EXCEEDED || (call.signal?.aborted === true && isDeadlineReason(call.signal.reason));
  return ranOut ? 'silence' : code === status.UNAVAILABLE ? 'lost' : 'nothing';
}

export function tellTiming(call: OutgoingCall, { timing }: Ended): void {
  if (call.onTiming !== undefined && timing !== undefined) call.onTiming(parseTimings(timing));
}

export function counted(method: DescMethod, outcome: object): object {
  meshCalls.inc({ side: 'client', method: nameOf(method), code: isProblem(outcome) ? outcome.problem : 'ok' });
  return outcome;
}

/**
 * grpc-js notes the caller's stack at each call, for an error that it may make. That was 7 % of a request at the gateway. Here failures become
 * Problems, and the stack of a call that the network failed tells nothing. The function is synchronous, so no other code makes an error meanwhile.
 */
export function withoutStack<Result>(work: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
