/** Finds the person behind a passkey that signed our challenge, for signing in and stepping up. */
import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { takeChallenge } from './challenges.ts';
import { credentialIdOf, type Passkey, verifyPasskey } from './passkeys.ts';
import type { Amr } from '../tokens/proof.ts';
import type { Attempt, Known } from '../throttle/throttle.ts';

export interface ProvenByPasskey {
  readonly account: Account;
  /** The user's epoch when the passkey was looked up. */
  readonly epoch: number;
  readonly amr: Amr;
}

/** An answer whose challenge is spent. */
export interface PasskeyAnswer {
  readonly response: string;
  /** The bytes that had to be signed. */
  readonly webauthn: string;
  /** Undefined: no account here has such a passkey. */
  readonly found: Found | undefined;
  readonly attempt: Attempt;
}

interface Found {
  readonly passkey: Passkey;
  readonly account: Account;
  readonly epoch: number;
}

interface Asked {
  readonly challenge: string;
  readonly response: string;
  /** The browser's. It is counted with its failed passwords; a signature cannot be guessed, so there is no count by account. */
  readonly address: string;
  /** The bytes of a challenge of the other region, which spent it (login-abroad.ts). */
  readonly webauthn?: string;
}

/**
 * Spends the challenge, whatever the outcome.
 * @param knownTo says how the credential's account knows the browser; called with undefined for an unknown credential
 */
export async function takePasskeyAnswer(
  auth: Auth,
  { challenge, response, address, webauthn }: Asked,
  knownTo: (subject: string | undefined) => Promise<Known | 'stranger'>,
): Promise<PasskeyAnswer | Problem> {
  const found = await passkeyToProve(auth, credentialIdOf(response) ?? '');
  const known = await knownTo(found?.account.id);
  const attempt = await auth.throttle.begin({ at: 'passkey', of: undefined, address, known });
  if (isProblem(attempt)) return attempt;
  const signed = webauthn ?? (await takeChallenge(auth, 'passkey_request', challenge))?.webauthn;
  return signed === undefined ? problem('challenge_expired') : { response, webauthn: signed, found, attempt };
}

/** The answer is the same for an unknown credential, a wrong signature and a disabled account. */
export async function provePasskey(auth: Auth, { response, webauthn, found, attempt }: PasskeyAnswer): Promise<ProvenByPasskey | Problem> {
  const right = found !== undefined && (await verifyPasskey(auth, found.passkey, response, webauthn, { discoverable: true }));
  if (!right || found.account.disabled === 1) return problem('invalid_second_factor');
  await attempt.succeeded();
  const { account, epoch, passkey } = found;
  return { account, epoch, amr: passkey.device_type === 'singleDevice' ? 'hwk user mfa' : 'swk user mfa' };
}

/**
 * Reads the passkey and its account in one statement. If the passkey is removed meanwhile, the proof version that this reads rises (still-proven.ts).
 */
async function passkeyToProve(auth: Auth, credentialId: string): Promise<Found | undefined> {
  const row = await auth.database
    .selectFrom('passkeys')
    .innerJoin('accounts', 'accounts.id', 'passkeys.subject')
    .leftJoin('epochs', 'epochs.subject', 'accounts.id')
    .selectAll('passkeys')
    .select(['accounts.id', 'accounts.email', 'accounts.password_hash', 'accounts.role', 'accounts.disabled', 'accounts.proof_version'])
    .select(['accounts.home', 'accounts.told_email', 'accounts.name as account_name'])
    .select(['accounts.created_at_ms as account_created_at_ms', 'epochs.epoch'])
    .where('passkeys.credential_id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, email, password_hash, role, disabled, proof_version, home, told_email, ...rest } = row;
  const { account_name, account_created_at_ms, epoch, ...passkey } = rest;
  const known = { id, email, password_hash, role, disabled, proof_version, home, told_email };
  const account = { ...known, name: account_name, created_at_ms: account_created_at_ms };
  return { passkey, account, epoch: epoch ?? 0 };
}
