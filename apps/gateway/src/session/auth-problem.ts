import { problem, type Problem } from '@cloakroom/contracts';

/** auth out of reach, in the words of a session: nothing was lost, the guest keeps everything (docs/failures.md). */
export function authProblem(found: Problem): Problem {
  const silent = found.problem === 'unavailable' || found.problem === 'deadline_exceeded' || found.problem === 'internal';
  return silent ? problem('identity_unavailable', undefined, found.retryAfterS ?? retryAfterS) : found;
}

const retryAfterS = 2;
