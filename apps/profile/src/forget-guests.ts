import type { Database } from './profiles.ts';

/** A guest session lives 30 days at most; a day later nobody can ask for its data. */
const guestRetentionMs = 31 * 24 * 60 * 60 * 1000;
/** A large shop's day of guests is cleared in a few runs; one run holds the writer for milliseconds. */
const guestCountMax = 500;

/** Deletes what is kept of guests who never came back. @returns how many */
export async function forgetGuests(db: Database, nowMs: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('profiles')
      .select('subject')
      // `_` stands for any one character here, which does no harm: users begin with u.
      .where('subject', 'like', 'g_%')
      .where('updated_at_ms', '<', nowMs - guestRetentionMs)
      .limit(guestCountMax)
      .execute();
    const subjects = rows.map((row) => row.subject);
    if (subjects.length === 0) return 0;
    for (const table of ['preferences', 'views', 'profiles'] as const)
      await trx.deleteFrom(table).where('subject', 'in', subjects).execute();
    return subjects.length;
  });
}
