/**
 * A guest who signs in keeps preferences and recently viewed products. auth's event about it is delivered at least once, and may be replayed years
 * later. The seal (`joined_to`, set in the same transaction) makes a second delivery change nothing.
 *
 * The guest's requests may still write before the event arrives, and those writes are joined too. Later requests are refused (session_ended), since
 * the guest's session is over.
 */
import { isGuestSubject, isUserSubject, type AccountRegistered, type EmailChanged, type GuestClaimed } from '@cloakroom/contracts';
import type { Transaction } from 'kysely';
import { lockProfile, preferenceCountMax, trimViews, type Database, type ProfileTables } from './profiles.ts';

/** @returns whether anything changed */
export async function joinGuest(db: Database, { guestCartId: guest, userId: user }: GuestClaimed, nowMs: number): Promise<boolean> {
  if (!isGuestSubject(guest) || !isUserSubject(user)) throw new Error('a claim joins a guest to a user and nothing else');
  return db.transaction().execute(async (trx) => {
    // Always guest first, then user: two joins of one user cannot deadlock.
    const { joinedTo } = await lockProfile(trx, guest, nowMs);
    if (joinedTo !== '') return false;
    await lockProfile(trx, user, nowMs);
    await trx.updateTable('profiles').set({ joined_to: user }).where('subject', '=', guest).execute();
    await joinPreferences(trx, guest, user);
    await joinViews(trx, guest, user);
    return true;
  });
}

/** The user's own earlier preferences stay. */
async function joinPreferences(trx: Transaction<ProfileTables>, guest: string, user: string): Promise<void> {
  const own = await trx.selectFrom('preferences').select('key').where('subject', '=', user).execute();
  const brought = await trx.deleteFrom('preferences').where('subject', '=', guest).returning(['key', 'value']).execute();
  const taken = new Set(own.map((row) => row.key));
  const rows = brought
    .filter(({ key }) => !taken.has(key))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, Math.max(0, preferenceCountMax - own.length))
    .map(({ key, value }) => ({ subject: user, key, value }));
  if (rows.length > 0) await trx.insertInto('preferences').values(rows).execute();
}

/** One list by time of viewing. A product that both have viewed keeps the later time. */
async function joinViews(trx: Transaction<ProfileTables>, guest: string, user: string): Promise<void> {
  const own = await trx.selectFrom('views').select(['product_id', 'viewed_at_ms']).where('subject', '=', user).execute();
  const brought = await trx.deleteFrom('views').where('subject', '=', guest).returning(['product_id', 'viewed_at_ms']).execute();
  const seen = new Map(own.map((row) => [row.product_id, Number(row.viewed_at_ms)]));
  for (const { product_id, viewed_at_ms } of brought) {
    const viewedAtMs = Math.max(Number(viewed_at_ms), seen.get(product_id) ?? 0);
    await trx
      .insertInto('views')
      .values({ subject: user, product_id, viewed_at_ms: viewedAtMs })
      .onConflict((conflict) => conflict.columns(['subject', 'product_id']).doUpdateSet({ viewed_at_ms: viewedAtMs }))
      .execute();
  }
  await trimViews(trx, user);
}

/** Sets name and e-mail as given at registration, once: a replay must not undo a name that was changed since. */
export async function registerAccount(db: Database, { userId, name, email }: AccountRegistered, nowMs: number): Promise<boolean> {
  if (!isUserSubject(userId)) throw new Error('an account is a user');
  return db.transaction().execute(async (trx) => {
    await lockProfile(trx, userId, nowMs);
    const { numUpdatedRows } = await trx
      .updateTable('profiles')
      .set((row) => ({
        // The person may have set a name before the event arrived.
        name: row.case().when('name', '=', '').then(name).else(row.ref('name')).end(),
        email,
        registered: 1,
      }))
      .where('subject', '=', userId)
      .where('registered', '=', 0)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  });
}

/**
 * Sets the address that auth knows. Events come in order for each person, so the last one holds, and a replay ends at the same address. The
 * registration usually came earlier. Where the topic has forgotten it, a later registration must not bring the first address back.
 */
export async function changeEmail(db: Database, { userId, email }: EmailChanged, nowMs: number): Promise<void> {
  if (!isUserSubject(userId)) throw new Error('an account is a user');
  await db.transaction().execute(async (trx) => {
    await lockProfile(trx, userId, nowMs);
    await trx.updateTable('profiles').set({ email, registered: 1 }).where('subject', '=', userId).execute();
  });
}
