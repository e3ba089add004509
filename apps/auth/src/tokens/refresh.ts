/**
 * Trades a refresh token for the next one and a new access token. The store judges and counts in one step (libs/session session.refresh.ts). When
 * several requests come at once, one moves the counter. The others get what that one got.
 *
 * A token that is used again after that has two holders, and auth cannot tell which is the thief. So the session ends as in a logout (row and
 * announcement, then the store), and the person gets a notice. A crash in between leaves the session alive and the copy refused. Auth notices the
 * copy again at its next use.
 */
import { problem, type Problem, type RefreshRequest } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import type { RequestContext } from '@cloakroom/mesh';
import { keyOfHandle, limits, parseRefreshToken, type SessionRecord } from '@cloakroom/session';
import { accountById } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { globalEpoch } from '../revocation/epochs.ts';
import { type Issued, issueTokens } from './issue-tokens.ts';
import { refreshes } from '../metrics.ts';
import { recordNotice } from '../accounts/notices.ts';
import { endSession } from '../revocation/revocations.ts';

export async function refresh(auth: Auth, ctx: RequestContext, request: RefreshRequest): Promise<Issued | Problem> {
  const answer = await judged(auth, ctx, request);
  refreshes.inc({ outcome: answer.outcome });
  return answer.issued;
}

async function judged(auth: Auth, cause: Cause, request: RefreshRequest): Promise<{ outcome: string; issued: Issued | Problem }> {
  const shown = parseRefreshToken(request.refreshToken, auth.refreshKeys);
  if (shown === undefined) return { outcome: 'unknown', issued: problem('session_required') };
  const ended = (outcome: string) => ({ outcome, issued: problem('session_ended') });
  const nowMs = auth.clock.nowMs();
  const lowest = await globalEpoch(auth.database);
  const answer = await auth.store.refresh(
    {
      key: keyOfHandle(shown.tag, shown.handle),
      generation: shown.generation,
      proof: 'none',
      touch: request.touch ? { idleTimeoutMs: limits.user.idleTimeoutMs } : undefined,
    },
    nowMs,
  );
  if (answer === undefined || answer.session.globalEpoch < lowest) return ended('ended');
  const { verdict, session } = answer;
  if (verdict === 'reused') await endReused(auth, cause, session);
  if (verdict === 'reused' || verdict === 'superseded') return ended(verdict);
  const account = await accountById(auth.database, session.subject);
  const gone = account === undefined || account.disabled === 1;
  return gone ? ended('ended') : { outcome: verdict, issued: issueTokens(auth, session, account, '', nowMs) };
}

export async function endReused(auth: Auth, cause: Cause, session: SessionRecord): Promise<void> {
  auth.log.warn({ handle: session.handle, generation: session.generation }, 'a refresh token was used twice: its session ends');
  await endSession(auth, cause, session, (trx) => recordNotice(trx, session.subject, 'refresh_reused', auth.clock.nowMs()));
}
