import { problem, type Problem } from '@cloakroom/contracts';
import { DatabaseUnavailable } from '@cloakroom/platform';

/** @param what 'outcome_unknown' for a write: the database may have taken it although the answer was lost */
export async function orUnavailable<Answer>(
  work: () => Promise<Answer>,
  what: 'unavailable' | 'outcome_unknown' = 'unavailable',
): Promise<Answer | Problem> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error;
    return problem(what, undefined, 1);
  }
}
