import { problem, type Problem } from '@cloakroom/contracts';
import { type RequestContext } from '@cloakroom/mesh';
import { DatabaseUnavailable } from '@cloakroom/platform';
import { StoreUnavailable } from '@cloakroom/session';
import type { Auth } from './auth.ts';

/**
 * Without its store or its database auth can neither identify a person nor change anything. Nothing is lost, since the relay finishes every commit.
 */
export async function orUnavailable<Answer>(
  { log }: Auth,
  { trace }: RequestContext,
  work: () => Promise<Answer>,
): Promise<Answer | Problem> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailable || error instanceof DatabaseUnavailable)) throw error;
    log.debug({ err: error, trace_id: trace.traceId }, 'the session store or the database is not available');
    return problem('identity_unavailable', undefined, 1);
  }
}
