/** Whether a verified identity's session has been ended, asked of the database: every revocation is a row there before anybody hears of it. */
import type { VerifiedIdentity } from '@cloakroom/mesh';
import { globalEpoch, userEpoch } from './epochs.ts';
import type { Database } from '../database/outbox.ts';

/** The same judgement as that of the feed (libs/identity, revocation-feed.ts), on what is true instead of what was heard. */
export async function isRevokedAtFirstHand(
  database: Database,
  { subject, handle, epoch, globalEpoch: issuedUnder, issuedAtMs }: VerifiedIdentity,
): Promise<boolean> {
  if (issuedUnder < (await globalEpoch(database)) || epoch < (await userEpoch(database, subject))) return true;
  const row = await database
    .selectFrom('revocations')
    .select('name')
    .where('handle', '=', handle)
    // Ended for ever, or rotated away since: a rotation ends what was issued before it.
    .where((where) => where.or([where('ended', '=', 1), where('revoked_at_ms', '>', issuedAtMs)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
