/** The shop's operator names its administrators. There is no other way to become one (admin.main.ts). */
import type { Kysely } from 'kysely';
import type { AuthSchema } from '../database/migrations.ts';
import { recordNotice } from '../accounts/notices.ts';

/** @returns undefined where no account has this e-mail, or the account is disabled */
export async function setAdministrator(database: Kysely<AuthSchema>, email: string, is: boolean, nowMs: number): Promise<true | undefined> {
  return database.transaction().execute(async (trx) => {
    const account = await trx.selectFrom('accounts').select(['id', 'role', 'disabled']).where('email', '=', email).executeTakeFirst();
    // A disabled administrator would be one again as soon as the account is enabled.
    if (account === undefined || (is && account.disabled === 1)) return undefined;
    const role = is ? 'admin' : '';
    if (account.role === role) return true;
    await trx.updateTable('accounts').set({ role }).where('id', '=', account.id).execute();
    await recordNotice(trx, account.id, is ? 'administrator_granted' : 'administrator_revoked', nowMs);
    return true;
  });
}

export async function administratorsOf(database: Kysely<AuthSchema>): Promise<string[]> {
  const rows = await database.selectFrom('accounts').select('email').where('role', '=', 'admin').orderBy('email').execute();
  return rows.map(({ email }) => email);
}
