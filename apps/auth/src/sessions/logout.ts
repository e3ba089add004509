import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import { keyOfHandle, limits, parseRefreshToken, parseToken } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { heldSession, isOwn } from './live-session.ts';
import { endSession, recordRevocation, type Revocable } from '../revocation/revocations.ts';

/**
 * Ends the session by its handle: a rotation that races it cannot carry it over, and one that came first cannot hide it (another tab proved
 * the password a moment ago: the cookie goes, so the session behind it must go too).
 *
 * A token that is ours but that the store does not know may be of a session that the store has lost, while another gateway still holds a
 * passport for it: its hash is revoked, so that every gateway drops what it had, and that the record stays dead should the store find it.
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

/** The session that went on under a newer token, whether or not it still lives. */
async function rotatedSession(auth: Auth, token: string): Promise<Revocable | undefined> {
  const parsed = parseToken(token, auth.macKeys);
  if (parsed === undefined) return undefined;
  const row = await auth.database
    .selectFrom('revocations')
    .selectAll()
    .where('name', '=', parsed.key.hash)
    .where('ended', '=', 0)
    // Not one that `endUnknown` wrote.
    .where('handle', '!=', '')
    .executeTakeFirst();
  return row && { tag: row.tag, hash: row.token_hash, handle: row.handle, subject: row.subject, expiresAtMs: row.forget_after_ms };
}

/** Once a token: to write down what has ended already would let anybody who keeps an old token fill the table. */
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

/** What the token alone tells: of an opaque one its hash, of a refresh token also the handle, which is the session's name everywhere. */
function lostSession(auth: Auth, token: string, nowMs: number): Revocable | undefined {
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  const key = refresh === undefined ? parseToken(token, auth.macKeys)?.key : keyOfHandle(refresh.tag, refresh.handle);
  if (key === undefined) return undefined;
  // Whose it was and when it would have ended nobody knows: no session lives longer.
  const expiresAtMs = nowMs + Math.max(limits.guest.absoluteTimeoutMs, limits.user.absoluteTimeoutMs);
  return { tag: key.tag, hash: key.hash, handle: refresh?.handle ?? '', subject: '', expiresAtMs };
}
