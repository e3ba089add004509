import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/platform';
import { limits, parseToken } from '@cloakroom/session';
import type { Auth } from './auth.ts';
import { heldSession } from './live-session.ts';
import { endSession, recordRevocation, type Revocable } from './revocations.ts';

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
    // Not one that `endUnknown` wrote.
    .where('handle', '!=', '')
    .executeTakeFirst();
  return row && { tag: row.tag, hash: row.token_hash, handle: row.handle, subject: row.subject, expiresAtMs: row.forget_after_ms };
}

/** Once a token: to write down what has ended already would let anybody who keeps an old token fill the table. */
async function endUnknown(auth: Auth, ctx: RequestContext, token: string): Promise<void> {
  const parsed = parseToken(token, auth.macKeys);
  if (parsed === undefined) return;
  const { tag, hash } = parsed.key;
  const known = await auth.database.selectFrom('revocations').select('name').where('token_hash', '=', hash).limit(1).executeTakeFirst();
  if (known !== undefined) return;
  const nowMs = auth.clock.nowMs();
  // Whose it was and when it would have ended nobody knows: no session lives longer.
  const untilMs = nowMs + Math.max(limits.guest.absoluteTimeoutMs, limits.user.absoluteTimeoutMs);
  const lost: Revocable = { tag, hash, handle: '', subject: '', expiresAtMs: untilMs };
  await auth.outbox.commit((trx) => recordRevocation(trx, ctx, lost, 'token', nowMs));
  await auth.store.buryToken({ tag, name: hash, subject: '', untilMs }, nowMs);
}
