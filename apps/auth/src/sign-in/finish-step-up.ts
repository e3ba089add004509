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
 * Issues the new token after a step-up. The password or factor may have changed while it was checked, as in a sign-in (still-proven.ts). Then the
 * proof does not count, and the session that gave it ends too: the owner has just replaced what it used.
 * @param account as read when it was proved
 */
export async function finishStepUp(auth: Auth, ctx: PersonContext, session: SessionRecord, account: Account): Promise<Issued | Problem> {
  const rotated = await rotateOwn(auth, ctx, session, 'now');
  if (isProblem(rotated)) return rotated;
  if (await isStillProven(auth.database, account)) return issueTokens(auth, rotated.session, account, rotated.token, rotated.atMs);
  await endSession(auth, ctx, rotated.session);
  return problem('session_ended');
}
