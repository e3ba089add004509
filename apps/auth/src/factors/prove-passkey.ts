/** Finds the person behind a passkey that signed our challenge, for signing in and stepping up. */
import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { takeChallenge } from './challenges.ts';
import { credentialIdOf, type Passkey, verifyPasskey } from './passkeys.ts';
import type { Amr } from '../tokens/proof.ts';
import type { Known } from '../throttle/throttle.ts';

export interface ProvenByPasskey {
  readonly account: Account;
  /** The user's epoch when the passkey was looked up. */
  readonly epoch: number;
  readonly amr: Amr;
}

/**
 * Spends the challenge, whatever the outcome. The answer is the same for an unknown credential, a wrong signature and a disabled account.
 * @param address counted with the failed passwords of that address; a signature cannot be guessed, so there is no count by account
 * @param knownTo says how the credential's account knows the browser; called with undefined for an unknown credential
 */
export async function provePasskey(
  auth: Auth,
  request: { readonly challenge: string; readonly response: string },
  address: string,
  knownTo: (subject: string | undefined) => Promise<Known | 'stranger'>,
): Promise<ProvenByPasskey | Problem> {
  const found = await passkeyToProve(auth, credentialIdOf(request.response) ?? '');
  const known = await knownTo(found?.account.id);
  const attempt = await auth.throttle.begin({ at: 'passkey', of: undefined, address, known });
  if (isProblem(attempt)) return attempt;
  const challenge = await takeChallenge(auth, 'passkey_request', request.challenge);
  if (challenge === undefined) return problem('challenge_expired');
  const right =
    found !== undefined && (await verifyPasskey(auth, found.passkey, request.response, challenge.webauthn, { discoverable: true }));
  if (!right || found.account.disabled === 1) return problem('invalid_second_factor');
  await attempt.succeeded();
  const { account, epoch, passkey } = found;
  return { account, epoch, amr: passkey.device_type === 'singleDevice' ? 'hwk user mfa' : 'swk user mfa' };
}

/**
 * Reads the passkey and its account in one statement. If the passkey is removed meanwhile, the proof version that this reads rises (still-proven.ts).
 */
async function passkeyToProve(
  auth: Auth,
  credentialId: string,
): Promise<{ readonly passkey: Passkey; readonly account: Account; readonly epoch: number } | undefined> {
  const row = await auth.database
    .selectFrom('passkeys')
    .innerJoin('accounts', 'accounts.id', 'passkeys.subject')
    .leftJoin('epochs', 'epochs.subject', 'accounts.id')
    .selectAll('passkeys')
    .select(['accounts.id', 'accounts.email', 'accounts.password_hash', 'accounts.role', 'accounts.disabled', 'accounts.proof_version'])
    .select(['accounts.home', 'accounts.name as account_name', 'accounts.created_at_ms as account_created_at_ms', 'epochs.epoch'])
    .where('passkeys.credential_id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, email, password_hash, role, disabled, proof_version, home, account_name, account_created_at_ms, epoch, ...passkey } = row;
  const known = { id, email, password_hash, role, disabled, proof_version, home };
  const account = { ...known, name: account_name, created_at_ms: account_created_at_ms };
  return { passkey, account, epoch: epoch ?? 0 };
}
