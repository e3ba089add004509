import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/platform';
import { parseToken } from '@cloakroom/session';
import type { Auth } from './auth.ts';
import { heldSession } from './live-session.ts';
import { endSession, type Revocable } from './revocations.ts';

/**
 * Ends the session by its handle: a rotation that races it cannot carry it over, and one that came first cannot hide it (another tab proved
 * the password a moment ago: the cookie goes, so the session behind it must go too). A token of no session is signed out already.
 */
export async function logout(
  auth: Auth,
  ctx: RequestContext,
  request: LogoutRequest,
): Promise<MessageInitShape<typeof LogoutResponseSchema>> {
  const session = (await heldSession(auth, request.token, auth.clock.nowMs())) ?? (await rotatedSession(auth, request.token));
  if (session !== undefined) await endSession(auth, ctx, session);
  return {};
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
    .executeTakeFirst();
  return row && { tag: row.tag, hash: row.token_hash, handle: row.handle, subject: row.subject, expiresAtMs: row.forget_after_ms };
}
