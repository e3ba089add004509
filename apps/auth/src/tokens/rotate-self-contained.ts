/**
 * Rotates a session in the modes jwt and jwt-denylist after a proof, or after a change that a proof allowed (ASVS 5.0 7.2.4). The counter moves and
 * auth refuses the old refresh token, even within the grace: the new token is worth more.
 *
 * The feed carries the date of the rotation. In jwt-denylist, older access tokens are dead wherever that was heard. In jwt they live to their end.
 * The order is that of an opaque token: the store decides, auth announces, then the caller gets the token.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import { keyOfHandle, limits, type SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation } from '../database/outbox.ts';

/**
 * @param session found by a refresh token that may still be traded (live-session.ts)
 * @param also more changes for the transaction that announces the rotation
 */
export async function rotateSelfContained(
  auth: Auth,
  cause: Cause,
  session: SessionRecord,
  proof: 'now' | 'earlier',
  also?: (trx: Transaction<AuthSchema>) => Promise<void>,
): Promise<{ readonly token: ''; readonly session: SessionRecord; readonly atMs: number } | Problem> {
  const nowMs = auth.clock.nowMs();
  const key = keyOfHandle(session.tag, session.handle);
  const touch = { idleTimeoutMs: limits.user.idleTimeoutMs };
  const answer = await auth.store.refresh({ key, generation: session.generation, proof, touch }, nowMs);
  if (answer?.verdict !== 'rotated') return problem('session_ended');
  await auth.outbox.commit(async (trx) => {
    // Without a tag the relay does not tell the store, whose counter has already moved.
    await announceRevocation(trx, cause, session.subject, '', {
      atMs: BigInt(nowMs),
      event: {
        case: 'sessionRevoked',
        value: {
          tokenHash: '',
          handle: session.handle,
          subject: session.subject,
          revokedAtMs: BigInt(nowMs),
          forgetAfterMs: BigInt(session.expiresAtMs),
          ended: false,
        },
      },
    });
    await also?.(trx);
  });
  return { token: '', session: answer.session, atMs: nowMs };
}
