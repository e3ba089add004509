import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { SessionRecord } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { type Issued, issueTokens } from '../tokens/issue-tokens.ts';
import { endSession } from '../revocation/revocations.ts';
import { rotateOwn } from '../tokens/rotate-own.ts';
import { isStillProven } from '../accounts/still-proven.ts';

/**
 * The new token of somebody who has just proved who they are. As for a sign-in (still-proven.ts), what proved it may have changed while it was
 * looked at: then the proof is none, and whoever gave it by what the owner has just replaced loses the session too.
 * @param account as it was read when it was proved
 */
export async function finishStepUp(auth: Auth, ctx: PersonContext, session: SessionRecord, account: Account): Promise<Issued | Problem> {
  const rotated = await rotateOwn(auth, ctx, session, 'now');
  if (isProblem(rotated)) return rotated;
  if (await isStillProven(auth.database, account)) return issueTokens(auth, rotated.session, account, rotated.token, rotated.atMs);
  await endSession(auth, ctx, rotated.session);
  return problem('session_ended');
}
