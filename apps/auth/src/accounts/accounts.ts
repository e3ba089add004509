/** The accounts. An e-mail has one normal form, so that no two accounts look alike. */
import type { Selectable, Transaction } from 'kysely';
import { emailLengthMax, nameLengthMax, passwordLengthMax, passwordLengthMin } from '@cloakroom/contracts';
import { z } from 'zod';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';
import { prepared } from '../database/prepared.ts';

export type Account = Selectable<AuthSchema['accounts']>;

/** Trimmed, NFKC, lower case. */
export const emailSchema = z
  .string()
  .max(1024)
  .transform((text) => text.trim().normalize('NFKC').toLowerCase())
  .pipe(z.email('must be an e-mail address').max(emailLengthMax));

/** Has no composition rules; weak-passwords.ts refuses passwords that others guess first. */
export const passwordSchema = z
  .string()
  .min(passwordLengthMin, `must have at least ${passwordLengthMin} characters`)
  .max(passwordLengthMax, `must have at most ${passwordLengthMax} characters`);

export const nameSchema = z
  .string()
  .max(1024)
  .transform((text) => text.trim().normalize('NFC'))
  .pipe(z.string().min(1, 'must not be empty').max(nameLengthMax, `must have at most ${nameLengthMax} characters`));

/** Joins the issues, as in "email: must be an e-mail address; password: ..." */
export function violations(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}

export const accountByEmail = (database: Database, email: string): Promise<Account | undefined> =>
  database.selectFrom('accounts').selectAll().where('email', '=', email).executeTakeFirst();

/**
 * Reads the account and the epoch for a session proved by its password. It is one statement, so a revoke-all (and the new password that comes with
 * it) falls before both reads or after both. If the epoch were read after the comparison, a sign-in by the old password would survive.
 */
export async function accountToProve(
  database: Database,
  email: string,
): Promise<{ readonly account: Account; readonly epoch: number } | undefined> {
  const row = await database
    .selectFrom('accounts')
    .leftJoin('epochs', 'epochs.subject', 'accounts.id')
    .selectAll('accounts')
    .select('epochs.epoch')
    .where('email', '=', email)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { epoch, ...account } = row;
  return { account, epoch: epoch ?? 0 };
}

/** The initial state of a new account. */
export const newAccount = { role: '', disabled: 0, proof_version: 0, home: '', told_email: '' } as const;

const byId = prepared((database) => database.selectFrom('accounts').selectAll().where('id', '=', ''));

export const accountById = (database: Database, id: string): Promise<Account | undefined> => byId(database, [id]);

/** @returns false when the e-mail is taken; the unique column decides, so that two registrations at once make one account */
export async function insertAccount(trx: Transaction<AuthSchema>, account: Account): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('accounts')
    .values(account)
    .onConflict((conflict) => conflict.column('email').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}
