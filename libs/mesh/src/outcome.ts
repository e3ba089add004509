/**
 * Translates a Problem to gRPC and back; no other file does. A Problem becomes gRPC's status, and the Problem itself travels as JSON in the trailer
 * `x-problem-bin`. The trailer is needed because several codes share a status, and the public text never depends on a status message.
 */
import { Metadata, status } from '@grpc/grpc-js';
import { callMetadata, type ErrorCode, errorTable, problem, type Problem, toldCode } from '@cloakroom/contracts';

/** grpc-js ends a call with this. `details` is the code alone: it is a header, and a detail may hold any character. */
export function statusOf(outcome: Problem): { readonly code: status; readonly details: string } {
  return { code: status[errorTable[outcome.problem].grpc], details: toldCode(outcome.problem) };
}

export function writeProblem(outcome: Problem, trailer: Metadata): void {
  trailer.set(callMetadata.problem, problemBytes(outcome));
}

export const problemBytes = (outcome: Problem): Buffer => Buffer.from(JSON.stringify({ ...outcome, problem: toldCode(outcome.problem) }));

/** The Problem that a failed call answered with. A failure that no server of ours worded gets a Problem that stands for it. */
export function readProblem(failure: { readonly code: status; readonly metadata?: Metadata | undefined }): Problem {
  return problemIn(failure.code, failure.metadata?.get(callMetadata.problem) ?? []);
}

/** @param sent what the trailer or the answer on a stream has in the place of the Problem */
export function problemIn(code: status, sent: readonly (string | Buffer)[]): Problem {
  const worded = sent.length === 1 ? parseProblem(sent[0]!) : undefined;
  return worded ?? problem(unwordedCodes.get(code) ?? 'internal');
}

/**
 * gRPC reports UNAVAILABLE for a connection that broke or was never made. The call may have arrived, and its answer is lost. Any other status (a
 * message too large, a method that the other version lacks) is a defect of ours, not of the person's request.
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
