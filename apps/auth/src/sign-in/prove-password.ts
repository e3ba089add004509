import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import type { Known } from '../throttle/throttle.ts';

/**
 * Returns the account if the password is right. An unknown account takes the same path, costs the same hash and gets the same answer. So neither the
 * answer nor its time tells who has an account (ASVS 5.0 6.3.8).
 * @param who.name of the e-mail in the counts (countedAs)
 * @param who.waits whether a failure is answered late. False where the other region is asked next, which waits
 */
export async function provePassword(
  auth: Auth,
  who: {
    readonly name: string;
    readonly account: Account | undefined;
    readonly address: string;
    readonly known: Known | 'stranger';
    readonly waits: boolean;
  },
  password: string,
): Promise<Account | Problem> {
  const attempt = await auth.throttle.begin({ at: 'password', of: who.name, address: who.address, known: who.known });
  if (isProblem(attempt)) return attempt;
  const matches = await auth.passwords.matches(who.account?.password_hash, password, { first: who.known !== 'stranger' });
  if (isProblem(matches)) {
    // The password was never checked, so this is not a failure.
    await attempt.succeeded();
    return matches;
  }
  // A disabled account gets the same answer as a wrong password, after the same time.
  if (!matches || who.account === undefined || who.account.disabled === 1) {
    if (who.waits) await auth.sleep(attempt.failureDelayMs);
    return problem('invalid_credentials');
  }
  await attempt.succeeded();
  return who.account;
}
