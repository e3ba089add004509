/** Accounts to try the shop with. Never in production: everyone knows their password. */
import { isProblem } from '@cloakroom/contracts';
import { accountByEmail } from './accounts.ts';
import type { Auth } from './auth.ts';
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
