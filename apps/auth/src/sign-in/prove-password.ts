import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import type { Known } from '../throttle/throttle.ts';

/**
 * Returns the account if the password is right. An unknown account takes the same path, costs the same hash and gets the same answer. So neither the
 * answer nor its time tells who has an account (ASVS 5.0 6.3.8).
 * @param who.email undefined for a question that names nobody: only the address counts, and nothing waits
 */
export async function provePassword(
  auth: Auth,
  who: {
    readonly email: string | undefined;
    readonly account: Account | undefined;
    readonly address: string;
    readonly known: Known | 'stranger';
  },
  password: string,
): Promise<Account | Problem> {
  const attempt = await auth.throttle.begin({ at: 'password', of: who.email, address: who.address, known: who.known });
  if (isProblem(attempt)) return attempt;
  const matches = await auth.passwords.matches(who.account?.password_hash, password, { first: who.known !== 'stranger' });
  if (isProblem(matches)) {
    // The password was never checked, so this is not a failure.
    await attempt.succeeded();
    return matches;
  }
  // A disabled account gets the same answer as a wrong password, after the same time.
  if (!matches || who.account === undefined || who.account.disabled === 1) {
    if (who.email !== undefined) await auth.sleep(attempt.failureDelayMs);
    return problem('invalid_credentials');
  }
  await attempt.succeeded();
  return who.account;
}
