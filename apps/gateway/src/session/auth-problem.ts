import { type ErrorCode, problem, type Problem } from '@cloakroom/contracts';

/** Says in a session's words that auth is out of reach: nothing was lost, the guest keeps everything (docs/failures.md). */
export function authProblem(found: Problem): Problem {
  return silences.has(found.problem) ? problem('identity_unavailable', undefined, found.retryAfterS ?? retryAfterS) : found;
}

const silences: ReadonlySet<ErrorCode> = new Set(['connection_lost', 'unavailable', 'deadline_exceeded', 'internal']);
const retryAfterS = 2;
