/**
 * A Problem in the words of gRPC: its status, and the Problem itself as JSON in the trailer `x-problem-bin`, because several codes share a
 * status and the public text never depends on a status message. The only place that turns codes into gRPC and back.
 */
import { Metadata, status } from '@grpc/grpc-js';
import { callMetadata, type ErrorCode, errorTable, problem, type Problem, toldCode } from '@cloakroom/contracts';

/** What grpc-js ends a call with. `details` is the code alone: it is a header, and a detail may hold any character. */
export function statusOf(outcome: Problem): { readonly code: status; readonly details: string } {
  return { code: status[errorTable[outcome.problem].grpc], details: toldCode(outcome.problem) };
}

export function writeProblem(outcome: Problem, trailer: Metadata): void {
  trailer.set(callMetadata.problem, Buffer.from(JSON.stringify({ ...outcome, problem: toldCode(outcome.problem) })));
}

/** The Problem that a failed call answered with, or the one that stands for a failure which no server of ours worded. */
export function readProblem(failure: { readonly code: status; readonly metadata?: Metadata | undefined }): Problem {
  const values = failure.metadata?.get(callMetadata.problem) ?? [];
  const sent = values.length === 1 ? parseProblem(values[0]!) : undefined;
  return sent ?? problem(unwordedCodes.get(failure.code) ?? 'internal');
}

/**
 * gRPC itself says UNAVAILABLE of a connection that broke or never came about: a call may have arrived, and its answer is lost.
 * All else (a message too large, a method that the other version does not know) is a defect of ours, not of the person's request.
 */
const unwordedCodes = new Map<status, ErrorCode>([
  [status.UNAVAILABLE, 'connection_lost'],
  [status.DEADLINE_EXCEEDED, 'deadline_exceeded'],
  [status.CANCELLED, 'cancelled'],
]);

function parseProblem(bytes: string | Buffer): Problem | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as Partial<Record<keyof Problem, unknown>> | null;
    const code = value?.problem;
    if (typeof code !== 'string' || !Object.hasOwn(errorTable, code)) return undefined;
    const detail = typeof value?.detail === 'string' ? value.detail : undefined;
    const retryAfterS = typeof value?.retryAfterS === 'number' && value.retryAfterS >= 0 ? value.retryAfterS : undefined;
    return problem(code as ErrorCode, detail, retryAfterS);
  } catch {
    return undefined;
  }
}
