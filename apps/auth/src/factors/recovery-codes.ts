/**
 * Recovery codes are for a person who has lost the authenticator. There are ten, of 120 random bits each, so a plain hash protects them (ASVS 5.0
 * 6.5.2 asks for a password hash below 112 bits). Each code is good once: the delete that finds it decides.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { recordNotice } from '../accounts/notices.ts';
import type { Database } from '../database/outbox.ts';

export const recoveryCodeCount = 10;
const codeBytes = 15;
const groupLength = 6;
/** RFC 4648 base32, which has no 0, 1, 8 or 9 to mistake on paper. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Replaces the person's codes. The returned codes are their only copy. */
export async function replaceRecoveryCodes(auth: Auth, trx: Transaction<AuthSchema>, subject: string): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodeCount }, () => newCode(auth.random(codeBytes)));
  await forgetRecoveryCodes(trx, subject);
  await trx
    .insertInto('recovery_codes')
    .values(codes.map((code) => ({ subject, code_hash: hashOf(code) })))
    .execute();
  return codes;
}

export async function forgetRecoveryCodes(trx: Transaction<AuthSchema>, subject: string): Promise<void> {
  await trx.deleteFrom('recovery_codes').where('subject', '=', subject).execute();
}

export async function recoveryCodesLeft(database: Database, subject: string): Promise<number> {
  const { count } = await database
    .selectFrom('recovery_codes')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Deletes the code and returns whether it was one of the person's. The person gets a notice (ASVS 5.0 6.3.7). It compares every code, so that the
 * time does not tell which was close.
 */
export async function spendRecoveryCode(auth: Auth, subject: string, code: string): Promise<boolean> {
  const given = Buffer.from(hashOf(code));
  const rows = await auth.database.selectFrom('recovery_codes').select('code_hash').where('subject', '=', subject).execute();
  let found: string | undefined;
  for (const { code_hash } of rows) {
    if (timingSafeEqual(Buffer.from(code_hash), given)) found = code_hash;
  }
  if (found === undefined) return false;
  return auth.outbox.commit(async (trx) => {
    const spent = trx.deleteFrom('recovery_codes').where('subject', '=', subject).where('code_hash', '=', found);
    if ((await spent.executeTakeFirst()).numDeletedRows !== 1n) return false;
    await recordNotice(trx, subject, 'recovery_code_used', auth.clock.nowMs(), await recoveryCodesLeft(trx, subject));
    return true;
  });
}

/** ABCDEF-GHIJKL-MNOPQR-STUVWX */
function newCode(random: Uint8Array): string {
  const bits = Array.from(random, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{5}/g)!.map((five) => alphabet[Number.parseInt(five, 2)]!);
  return letters
    .join('')
    .match(new RegExp(`.{${groupLength}}`, 'g'))!
    .join('-');
}

/** Takes a code as a person may type it: any case, any gaps. */
const hashOf = (code: string): string =>
  createHash('sha256').update(code.slice(0, 100).toUpperCase().replaceAll(/[\s-]/g, '')).digest('base64url');
