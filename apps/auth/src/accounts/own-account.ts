import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Account } from './accounts.ts';
import { accountById } from './accounts.ts';
import type { Auth } from '../auth.ts';
import { ownSessions } from '../sessions/list-devices.ts';

/**
 * Returns the account of the caller, after checking that their session is alive. Also counts the person's other sessions, which they may end next.
 */
export async function ownAccount(
  auth: Auth,
  ctx: PersonContext,
): Promise<{ readonly account: Account; readonly otherSessions: number } | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  const account = await accountById(auth.database, ctx.identity.subject);
  return account === undefined ? problem('session_ended') : { account, otherSessions: sessions.length - 1 };
}
