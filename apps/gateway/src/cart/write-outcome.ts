/** Says how a cart command ended, in HTTP's words. */
import { type CommandAccepted, type ErrorCode, problem, type Problem, isProblem } from '@cloakroom/contracts';
import type { Outcome } from '../http-exchange.ts';

/**
 * A command whose answer was lost may have been taken. If the gateway said "failed", the client would send a second command. The gateway says
 * that the outcome is unknown, and a retry with the same command id counts once. The cart service says `unavailable` when it knows that
 * nothing was written.
 * @param options.tellLine true for an addition, because the client cannot know the line yet
 */
export function writeOutcome(accepted: CommandAccepted | Problem, options: { readonly tellLine?: true } = {}): Outcome {
  if (isProblem(accepted)) return knownOutcome(accepted);
  const { commandId, seen, lineId } = accepted;
  return {
    status: 202,
    body: { commandId, ...(options.tellLine === true && { lineId }), seen },
    ...(accepted.consistencyToken !== '' && { consistency: accepted.consistencyToken }),
  };
}

/** Names a failed write for the client: its outcome is unknown if its answer was lost. */
export function knownOutcome(found: Problem): Problem {
  return lostAnswers.has(found.problem) ? problem('outcome_unknown', undefined, retryAfterS) : found;
}

const retryAfterS = 1;
/** The service may have done its work before any of these. */
const lostAnswers: ReadonlySet<ErrorCode> = new Set(['connection_lost', 'deadline_exceeded', 'internal', 'cancelled']);
