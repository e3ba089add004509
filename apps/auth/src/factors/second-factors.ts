/**
 * Finds the second factors of an account, and checks a typed code of one. As soon as an account has one-time codes or a passkey, its password alone
 * opens neither a session nor a step-up.
 */
import { problem, type Problem, isProblem } from '@cloakroom/contracts';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';
import type { Amr } from '../tokens/proof.ts';
import { forgetRecoveryCodes, recoveryCodesLeft, spendRecoveryCode } from './recovery-codes.ts';
import type { Known } from '../throttle/throttle.ts';
import { activeTotp, spendTotpCode } from './totp.ts';

export type FactorMethod = 'totp' | 'passkey' | 'recovery_code';

export interface SecondFactors {
  readonly totp: boolean;
  readonly passkeys: boolean;
}

export async function secondFactorsOf(database: Database, subject: string): Promise<SecondFactors> {
  const totp = await activeTotp(database, subject);
  const passkey = await database.selectFrom('passkeys').select('passkey_id').where('subject', '=', subject).limit(1).executeTakeFirst();
  return { totp: totp !== undefined, passkeys: passkey !== undefined };
}

export const hasAny = (factors: SecondFactors): boolean => factors.totp || factors.passkeys;

export async function methodsOf(database: Database, subject: string, factors: SecondFactors): Promise<FactorMethod[]> {
  return [
    ...(factors.totp ? (['totp'] as const) : []),
    ...(factors.passkeys ? (['passkey'] as const) : []),
    ...((await recoveryCodesLeft(database, subject)) > 0 ? (['recovery_code'] as const) : []),
  ];
}

/**
 * Spends a typed code. A person has 10 wrong codes in 15 minutes, counted apart from passwords, since only a caller who knows the password gets here.
 * A device or a session that the account knows has ten of its own, so that a thief of the password does not lock the owner out.
 * @returns the methods, for the session's record
 */
export async function proveByCode(
  auth: Auth,
  subject: string,
  proof: { readonly code?: string; readonly recoveryCode?: string },
  from: { readonly address: string; readonly known: Known | 'stranger' },
): Promise<Amr | Problem> {
  const attempt = await auth.throttle.begin({ at: 'second-factor', of: subject, ...from });
  if (isProblem(attempt)) return attempt;
  const { code = '', recoveryCode = '' } = proof;
  const right = code !== '' ? await spendTotpCode(auth, subject, code.trim()) : await spendRecoveryCode(auth, subject, recoveryCode);
  if (!right) {
    await auth.sleep(attempt.failureDelayMs);
    return problem('invalid_second_factor');
  }
  await attempt.succeeded();
  return 'pwd otp mfa';
}

/** Deletes the recovery codes together with the last factor, since they would be a factor of their own. */
export async function forgetCodesOfNothing(trx: Transaction<AuthSchema>, subject: string): Promise<void> {
  if (!hasAny(await secondFactorsOf(trx, subject))) await forgetRecoveryCodes(trx, subject);
}
