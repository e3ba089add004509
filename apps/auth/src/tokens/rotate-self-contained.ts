/**
 * The new token after a proof, or a change that one allowed (ASVS 5.0 7.2.4), of a session in the modes jwt and jwt-denylist: the counter moves and the predecessor is refused,
 * within the grace too, since the successor is worth more than it. What it bought already is told to the feed by its date: in jwt-denylist
 * older access tokens are dead where that was heard, in jwt they live to their end. The order is that of an opaque token: the store decides, then
 * it is announced, then the token is given out.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import { keyOfHandle, limits, type SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceRevocation } from '../database/outbox.ts';

/**
 * @param session as it was found by a refresh token that may still be traded (live-session.ts)
 * @param also what else belongs into the transaction that announces it
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
    // Not for the store: its counter has moved.
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
