/** From a token to the live session behind it. Forged, unknown, expired and revoked look the same from here on (RFC 7662 2.2). */
import { limits, parseToken, type SessionRecord } from '@cloakroom/session';
import type { Auth } from './auth.ts';
import { globalEpoch } from './epochs.ts';

/** @param touch the person is doing something: the idle limit moves, at most once a minute */
export async function liveSession(auth: Auth, token: string, nowMs: number, touch = false): Promise<SessionRecord | undefined> {
  const parsed = parseToken(token, auth.macKeys);
  if (parsed === undefined) return undefined;
  const session = await auth.store.resolve(parsed.key, nowMs, undefined);
  if (session === undefined || session.globalEpoch < (await globalEpoch(auth.database))) return undefined;
  if (!touch || nowMs - session.lastSeenAtMs < limits.touchIntervalMs) return session;
  // How far the idle limit moves depends on the state, which only the record tells. Undefined again when it was revoked in between.
  return auth.store.resolve(parsed.key, nowMs, { idleTimeoutMs: limits[session.state].idleTimeoutMs });
}
