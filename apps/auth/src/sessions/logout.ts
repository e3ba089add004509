import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import { keyOfHandle, limits, parseRefreshToken, parseToken } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { heldSession, isOwn } from './live-session.ts';
import { endSession, recordRevocation, type Revocable } from '../revocation/revocations.ts';

/**
 * Ends the session by its handle. A rotation that races the logout cannot save the session, and one that came first cannot hide it. For example,
 * another tab proved the password a moment ago: the cookie goes, so the session behind it must go too.
 *
 * The store may not know a token that auth made. It may have lost the session, while another gateway still holds a passport for it. Then auth revokes
 * the token's hash, so that every gateway drops its passport. The record also stays dead if the store finds it again.
 */
export async function logout(
  auth: Auth,
  ctx: RequestContext,
  request: LogoutRequest,
): Promise<MessageInitShape<typeof LogoutResponseSchema>> {
  const session = (await heldSession(auth, request.token, auth.clock.nowMs())) ?? (await rotatedSession(auth, request.token));
  if (session !== undefined) await endSession(auth, ctx, session);
  else await endUnknown(auth, ctx, request.token);
  return { own: isOwn(auth, request.token) };
}

/** Finds the session that went on under a newer token, whether or not it still lives. */
async function rotatedSession(auth: Auth, token: string): Promise<Revocable | undefined> {
  const parsed = parseToken(token, auth.macKeys);
  if (parsed === undefined) return undefined;
  const row = await auth.database
    .selectFrom('revocations')
    .selectAll()
    .where('name', '=', parsed.key.hash)
    .where('ended', '=', 0)
    // Skips rows that `endUnknown` wrote.
    .where('handle', '!=', '')
    .executeTakeFirst();
  return row && { tag: row.tag, hash: row.token_hash, handle: row.handle, subject: row.subject, expiresAtMs: row.forget_after_ms };
}

/** Writes once per token. Otherwise anyone who keeps an old token could fill the table with it. */
async function endUnknown(auth: Auth, ctx: RequestContext, token: string): Promise<void> {
  const nowMs = auth.clock.nowMs();
  const lost = lostSession(auth, token, nowMs);
  if (lost === undefined) return;
  const known = await auth.database
    .selectFrom('revocations')
    .select('name')
    .where('token_hash', '=', lost.hash)
    .limit(1)
    .executeTakeFirst();
  if (known !== undefined) return;
  if (lost.handle !== '') return endSession(auth, ctx, lost);
  await auth.outbox.commit((trx) => recordRevocation(trx, ctx, lost, 'token', nowMs));
  await auth.store.buryToken({ tag: lost.tag, name: lost.hash, subject: '', untilMs: lost.expiresAtMs }, nowMs);
}

/** Reads what the token alone tells. An opaque token gives its hash. A refresh token also gives the handle, which names the session everywhere. */
function lostSession(auth: Auth, token: string, nowMs: number): Revocable | undefined {
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  const key = refresh === undefined ? parseToken(token, auth.macKeys)?.key : keyOfHandle(refresh.tag, refresh.handle);
  if (key === undefined) return undefined;
  // The subject and the end of the session are unknown, so this takes the longest life of any session.
  const expiresAtMs = nowMs + Math.max(limits.guest.absoluteTimeoutMs, limits.user.absoluteTimeoutMs);
  return { tag: key.tag, hash: key.hash, handle: refresh?.handle ?? '', subject: '', expiresAtMs };
}
