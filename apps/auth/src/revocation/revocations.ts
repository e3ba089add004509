/**
 * Revocation that cannot be lost: the row and its announcement are one transaction in the database (the truth), then the session store (the
 * fast copy) is told, then the caller gets his answer. A crash after the commit leaves the rest to the relay, which repeats it until both
 * the store and the event log have it; a store that forgot is told again by the replay. Everything here may be repeated.
 */
import type { Cause } from '@cloakroom/event-log';
import type { SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation, type Database } from '../database/outbox.ts';

export type Revocable = Pick<SessionRecord, 'tag' | 'hash' | 'handle' | 'subject' | 'expiresAtMs'>;

/** 'session': it is over, whatever its token is by now. 'token': it lives on under a new one. */
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
 * @param also what else belongs into the same transaction
 * @throws StoreUnavailable after the commit: it will be dead, but not yet everywhere
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

/** Past the absolute limit of what they killed, revocations have nothing left to kill. Returns how many were forgotten. */
export async function pruneRevocations(database: Database, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database.deleteFrom('revocations').where('forget_after_ms', '<=', nowMs).executeTakeFirst();
  return Number(numDeletedRows);
}
