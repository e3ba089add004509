/**
 * Accounts to try the shop with. Everybody knows their password, and one of them is an administrator: they must not outlive the demo. A database
 * that was tried with them may be deployed later, so a process that does not seed closes those whose password is still the published one.
 * config.ts refuses to seed a shop that others than this machine reach. NODE_ENV says nothing of it: every stack runs as production.
 */
import { isProblem } from '@cloakroom/contracts';
import { StoreUnavailable } from '@cloakroom/session';
import { accountByEmail } from './accounts.ts';
import type { Auth } from './auth.ts';
import { raiseEpoch } from './epochs.ts';
import { recordNotice } from './notices.ts';
import { raiseProofVersion } from './still-proven.ts';
import { insertAccount, newAccount } from './accounts.ts';
import { newEventId, newUuid } from './ids.ts';
import { announceIdentity } from './outbox.ts';

const people: readonly { readonly email: string; readonly name: string; readonly role?: string }[] = [
  { email: 'ada@example.com', name: 'Ada Lovelace' },
  { email: 'grace@example.com', name: 'Grace Hopper' },
  { email: 'admin@example.com', name: 'Admin', role: 'admin' },
];
const password = 'correct horse battery staple';

/** Repeating it changes nothing. */
export async function seedAccounts(auth: Auth): Promise<void> {
  for (const { email, name, role = '' } of people) {
    if ((await accountByEmail(auth.database, email)) !== undefined) continue;
    const passwordHash = await auth.passwords.hash(password);
    if (isProblem(passwordHash)) throw new Error('no room to hash a password at the start');
    const nowMs = auth.clock.nowMs();
    const account = { id: `u_${newUuid(auth)}`, email, name, password_hash: passwordHash, created_at_ms: nowMs, ...newAccount, role };
    await auth.outbox.commit(async (trx) => {
      if (!(await insertAccount(trx, account))) return;
      await announceIdentity(trx, undefined, account.id, {
        eventId: newEventId(auth, nowMs),
        atMs: BigInt(nowMs),
        event: { case: 'accountRegistered', value: { userId: account.id, name, email } },
      });
    });
  }
}

/**
 * Disables the demo accounts that are still as they were made, takes their role, and ends their sessions. Whoever gave one a password of their own
 * keeps it. Repeating it changes nothing.
 */
export async function closeDemoAccounts(auth: Auth): Promise<void> {
  for (const { email } of people) {
    const account = await accountByEmail(auth.database, email);
    if (account === undefined || account.disabled === 1) continue;
    const isPublished = await auth.passwords.matches(account.password_hash, password);
    if (isProblem(isPublished)) throw new Error('no room to compare a password at the start');
    if (!isPublished) continue;
    const closed = raiseEpoch(auth, undefined, account.id, async (trx) => {
      await trx.updateTable('accounts').set({ disabled: 1, role: '' }).where('id', '=', account.id).execute();
      await raiseProofVersion(trx, account.id);
      await recordNotice(trx, account.id, 'account_sessions_ended', auth.clock.nowMs());
    });
    await closed.catch((error: unknown) => {
      // The account is closed in the database, and the relay tells the store of its sessions.
      if (!(error instanceof StoreUnavailable)) throw error;
    });
    auth.log.error({ email }, 'a demo account with the published password was found where none is seeded: it was disabled');
  }
}
