/** Asks the database whether a verified identity's session has been ended. Every revocation is a row there before any process hears of it. */
import type { VerifiedIdentity } from '@cloakroom/mesh';
import { globalEpoch, userEpoch } from './epochs.ts';
import type { Database } from '../database/outbox.ts';

/** Judges as the feed does (libs/identity, revocation-feed.ts), but by the database instead of by received messages. */
export async function isRevokedAtFirstHand(
  database: Database,
  { subject, handle, epoch, globalEpoch: issuedUnder, issuedAtMs }: VerifiedIdentity,
): Promise<boolean> {
  if (issuedUnder < (await globalEpoch(database)) || epoch < (await userEpoch(database, subject))) return true;
  const row = await database
    .selectFrom('revocations')
    .select('name')
    .where('handle', '=', handle)
    // The session was ended for ever, or rotated since: a rotation ends the tokens issued before it.
    .where((where) => where.or([where('ended', '=', 1), where('revoked_at_ms', '>', issuedAtMs)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
