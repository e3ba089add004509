/**
 * Accounts to try the shop with. Everybody knows their password and one of them is an administrator, so they must not outlive the demo. A database
 * that was tried with them may be deployed later. So a process that does not seed closes those that still have the published password. config.ts
 * refuses to seed a shop that other machines can reach. NODE_ENV cannot tell the difference, since every stack runs as production.
 */
import { isProblem } from '@cloakroom/contracts';
import { StoreUnavailable } from '@cloakroom/session';
import { type Account, accountByEmail, insertAccount, newAccount } from './accounts.ts';
import type { Auth } from '../auth.ts';
import { raiseEpoch } from '../revocation/epochs.ts';
import { recordNotice } from './notices.ts';
import { raiseProofVersion } from './still-proven.ts';
import { newEventId, newUuid } from '../database/ids.ts';
import { announceIdentity } from '../database/outbox.ts';
import { decidesHere, givenTurn, toldColumns } from './addresses.ts';

/** `lives`: with two regions, in the one whose name is first or second in the alphabet. */
const people: readonly { readonly email: string; readonly name: string; readonly role?: string; readonly lives: 0 | 1 }[] = [
  { email: 'ada@example.com', name: 'Ada Lovelace', lives: 0 },
  { email: 'grace@example.com', name: 'Grace Hopper', lives: 1 },
  { email: 'admin@example.com', name: 'Admin', role: 'admin', lives: 0 },
];
const password = 'correct horse battery staple';

/** A comparison costs 30 ms, so more would delay a start by over 3 s. The oldest are checked: a demo's administrator precedes those it made. */
const administratorCountMax = 100;

const disabledHint =
  'a demo account is disabled and stays so: an administrator may enable it, or begin with empty data (npm start -- --fresh)';

/**
 * Repeating it changes nothing. With two regions each account lives in one. The other region may decide its address and not be up yet, so it hears of
 * it later, as of accounts from before (tell-deciders.ts).
 */
export async function seedAccounts(auth: Auth): Promise<void> {
  for (const { email, name, role = '', lives } of people) {
    if (auth.abroad !== undefined && [auth.region, auth.abroad.region].toSorted()[lives] !== auth.region) continue;
    const present = await accountByEmail(auth.database, email);
    // The account may have been closed on purpose, so a person must open it again.
    if (present?.disabled === 1) auth.log.warn({ email }, disabledHint);
    if (present !== undefined) continue;
    const passwordHash = await auth.passwords.hash(password);
    if (isProblem(passwordHash)) throw new Error('no room to hash a password at the start');
    const nowMs = auth.clock.nowMs();
    const made = { id: `u_${newUuid(auth)}`, email, name, password_hash: passwordHash, created_at_ms: nowMs };
    const account: Account = { ...newAccount, ...made, role, ...(decidesHere(auth, email) && toldColumns(auth, email)) };
    await auth.outbox.commit(async (trx) => {
      // Somebody of the other region may have signed up with it before.
      if ((await givenTurn(trx, email)) !== undefined || !(await insertAccount(trx, account))) return;
      await announceIdentity(trx, undefined, account.id, {
        eventId: newEventId(auth, nowMs),
        atMs: BigInt(nowMs),
        event: { case: 'accountRegistered', value: { userId: account.id, name, email } },
      });
    });
  }
}

/**
 * Disables the demo accounts that still have the published password, takes their role, and ends their sessions. It does the same to every
 * administrator with that password: an e-mail can be changed, and everybody still knows the password. Accounts with a new password stay. Repeating it
 * changes nothing.
 */
export async function closeDemoAccounts(auth: Auth): Promise<void> {
  for (const account of await suspects(auth)) {
    const isPublished = await auth.passwords.matches(account.password_hash, password);
    if (isProblem(isPublished)) throw new Error('no room to compare a password at the start');
    if (!isPublished) continue;
    const closed = raiseEpoch(auth, undefined, account.id, async (trx) => {
      await trx.updateTable('accounts').set({ disabled: 1, role: '' }).where('id', '=', account.id).execute();
      await raiseProofVersion(trx, account.id);
      await recordNotice(trx, account.id, 'account_sessions_ended', auth.clock.nowMs());
    });
    await closed.catch((error: unknown) => {
      // The database has closed the account, and the relay tells the store about its sessions.
      if (!(error instanceof StoreUnavailable)) throw error;
    });
    auth.log.error({ email: account.email }, 'an account with the published password was found where none is seeded: it was disabled');
  }
}

/** These accounts may have the published password: the demo's people, and administrators under any e-mail. */
async function suspects(auth: Auth): Promise<Account[]> {
  const open = () => auth.database.selectFrom('accounts').selectAll().where('disabled', '=', 0);
  const emails = people.map(({ email }) => email);
  const known = await open().where('email', 'in', emails).execute();
  const administrators = await open()
    .where('role', '=', 'admin')
    .where('email', 'not in', emails)
    .orderBy('created_at_ms')
    .limit(administratorCountMax + 1)
    .execute();
  if (administrators.length > administratorCountMax)
    auth.log.warn({ compared: administratorCountMax }, 'more administrators than a start compares with the published password');
  return [...known, ...administrators.slice(0, administratorCountMax)];
}
