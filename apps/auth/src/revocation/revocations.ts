/**
 * Revocation that cannot be lost. One transaction writes the row and its announcement to the database (the truth). Then auth tells the session store
 * (the fast copy), and then answers the caller. After a crash past the commit, the relay repeats the rest until both the store and the event log
 * have it. The replay tells a store that forgot. Every step may be repeated.
 */
import type { Cause } from '@cloakroom/event-log';
import type { SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation, type Database } from '../database/outbox.ts';

export type Revocable = Pick<SessionRecord, 'tag' | 'hash' | 'handle' | 'subject' | 'expiresAtMs'>;

/** 'session': the session is over, whatever its token is by now. 'token': the session lives on under a new token. */
export async function recordRevocation(
  trx: Transaction<AuthSchema>,
  cause: Cause,
  session: Revocable,
  what: 'session' | 'token',
  nowMs: number,
): Promise<void> {
  const ended = what === 'session';
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('revocations')
    .values({
      name: ended ? session.handle : session.hash,
      tag: session.tag,
      subject: session.subject,
      handle: session.handle,
      token_hash: session.hash,
      ended: ended ? 1 : 0,
      revoked_at_ms: nowMs,
      forget_after_ms: session.expiresAtMs,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 1n) return;
  await announceRevocation(trx, cause, session.subject, session.tag, {
    atMs: BigInt(nowMs),
    event: {
      case: 'sessionRevoked',
      value: {
        tokenHash: session.hash,
        handle: session.handle,
        subject: session.subject,
        revokedAtMs: BigInt(nowMs),
        forgetAfterMs: BigInt(session.expiresAtMs),
        ended,
      },
    },
  });
}

/**
 * Ends a session for ever.
 * @param also more changes for the same transaction
 * @throws StoreUnavailable after the commit: the session will be dead, but is not yet dead everywhere
 */
export async function endSession(
  auth: Auth,
  cause: Cause,
  session: Revocable,
  also?: (trx: Transaction<AuthSchema>) => Promise<void>,
): Promise<void> {
  const nowMs = auth.clock.nowMs();
  await auth.outbox.commit(async (trx) => {
    await recordRevocation(trx, cause, session, 'session', nowMs);
    await also?.(trx);
  });
  await auth.store.revoke({ tag: session.tag, name: session.handle, subject: session.subject, untilMs: session.expiresAtMs }, nowMs);
}

/**
 * Deletes revocations whose sessions have passed their absolute limit: they have nothing left to end.
 * @returns how many were deleted
 */
export async function pruneRevocations(database: Database, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database.deleteFrom('revocations').where('forget_after_ms', '<=', nowMs).executeTakeFirst();
  return Number(numDeletedRows);
}
