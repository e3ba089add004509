import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { ownAccount } from '../accounts/own-account.ts';

/** Returns the caller's account if it is an administrator's. The database is asked each time, so a role that was taken away is gone at once. */
export async function administrator(auth: Auth, ctx: PersonContext): Promise<Account | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  return own.account.role === 'admin' && own.account.disabled === 0 ? own.account : problem('forbidden');
}
