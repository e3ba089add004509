/**
 * `node apps/auth/dist/admin.main.js grant EMAIL`, `revoke EMAIL`, `list`: for an operator who may run a command where auth runs, with auth's
 * settings (DATABASE_URL, DATABASE_PASSWORD). Such an operator holds every key of the shop anyway. No rpc offers these commands, so no other process
 * can use them.
 */
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { emailSchema } from '../accounts/accounts.ts';
import { administratorsOf, setAdministrator } from './administrators.ts';
import { readAdminConfig } from '../config.ts';
import { type AuthSchema, expansions, migrations } from '../database/migrations.ts';

const usage = 'grant EMAIL | revoke EMAIL | list';

/** @returns what to print, and the exit code */
export async function runAdmin(args: readonly string[], nowMs: number, env?: NodeJS.ProcessEnv): Promise<{ text: string; code: number }> {
  const [command = '', given = '', ...more] = args;
  const isChange = command === 'grant' || command === 'revoke';
  if (more.length > 0 || (!isChange && (command !== 'list' || given !== ''))) return { text: usage, code: 2 };
  const email = isChange ? emailSchema.safeParse(given) : undefined;
  if (email?.success === false) return { text: `${given || 'nothing'} is no e-mail address; ${usage}`, code: 2 };
  const config = readAdminConfig(env);
  const options = { name: 'auth-admin', log: createLogger('auth-admin', 'silent'), password: config.DATABASE_PASSWORD };
  const database = await openDatabase<AuthSchema>(config.DATABASE_URL, migrations, { ...options, expansions });
  try {
    if (email !== undefined && (await setAdministrator(database, email.data, command === 'grant', nowMs)) === undefined)
      return { text: `nobody who can sign in has the e-mail ${email.data}: make the account in the shop first`, code: 1 };
    const all = await administratorsOf(database);
    return { text: all.length === 0 ? 'There is no administrator.' : `Administrators: ${all.join(', ')}`, code: 0 };
  } finally {
    await database.destroy();
  }
}
