import type { Database } from './profiles.ts';

/** A guest session lives 30 days at most. A day later no request can ask for its data. */
const guestRetentionMs = 31 * 24 * 60 * 60 * 1000;
/** One step holds the writer for milliseconds. Other writers run between two steps. */
const stepGuestCount = 500;

/** Deletes the data of guests that never came back. @returns the number of guests */
export async function forgetGuests(db: Database, nowMs: number): Promise<number> {
  for (let forgotten = 0; ;) {
    const count = await forgetSome(db, nowMs - guestRetentionMs);
    forgotten += count;
    if (count < stepGuestCount) return forgotten;
  }
}

function forgetSome(db: Database, beforeMs: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('profiles')
      .select('subject')
      // `_` stands for any one character here, which does no harm: users begin with u.
      .where('subject', 'like', 'g_%')
      .where('updated_at_ms', '<', beforeMs)
      .limit(stepGuestCount)
      .execute();
    const subjects = rows.map((row) => row.subject);
    if (subjects.length === 0) return 0;
    for (const table of ['preferences', 'views', 'profiles'] as const)
      await trx.deleteFrom(table).where('subject', 'in', subjects).execute();
    return subjects.length;
  });
}
