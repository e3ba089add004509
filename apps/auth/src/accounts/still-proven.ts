/**
 * A sign-in reads the account, hashes for a while, and creates a session. The password, a factor or the account may change in between. Each such
 * change raises `proof_version` and then looks for sessions to end. Each sign-in creates its session and then looks at the version. So in every order
 * of the four steps, either the change finds the session or the sign-in finds the change. Before that, nobody gets the session's token.
 */
import type { Transaction } from 'kysely';
import type { Account } from './accounts.ts';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

/** @param account as read when it was proved */
export async function isStillProven(database: Database, account: Account): Promise<boolean> {
  const now = await database.selectFrom('accounts').select(['proof_version', 'disabled']).where('id', '=', account.id).executeTakeFirst();
  return now !== undefined && now.disabled === 0 && now.proof_version === account.proof_version;
}

/** Makes every sign-in under way end without a session. */
export async function raiseProofVersion(trx: Transaction<AuthSchema>, subject: string): Promise<void> {
  await trx
    .updateTable('accounts')
    .set((row) => ({ proof_version: row('proof_version', '+', 1) }))
    .where('id', '=', subject)
    .execute();
}
