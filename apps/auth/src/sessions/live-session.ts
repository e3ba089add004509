/** From a token to the live session behind it. Forged, unknown, expired and revoked look the same from here on (RFC 7662 2.2). */
import { isSelfContained } from '@cloakroom/contracts';
import {
  judgeRefresh,
  keyOfHandle,
  limits,
  movedByProof,
  parseRefreshToken,
  parseToken,
  type SessionRecord,
  tagOf,
  type TokenKey,
} from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { globalEpoch } from '../revocation/epochs.ts';

/**
 * @param token a session token, an access token, or a refresh token that may still be traded
 * @param touch the person is doing something: the idle limit moves, at most once a minute
 */
export async function liveSession(auth: Auth, token: string, nowMs: number, touch = false): Promise<SessionRecord | undefined> {
  const session = await heldSession(auth, token, nowMs);
  if (session === undefined) return undefined;
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  if (refresh !== undefined && judgeRefresh(session, refresh.generation, 'now', nowMs) !== 'rotated') return undefined;
  if (refresh === undefined && isSelfContained(session.mode) && (await isOutdated(auth, token, session))) return undefined;
  if (!touch || nowMs - session.lastSeenAtMs < limits.touchIntervalMs) return session;
  // How far the idle limit moves depends on the state, which only the record tells. Undefined again when it was revoked in between.
  return auth.store.resolve(session, nowMs, { idleTimeoutMs: limits[session.state].idleTimeoutMs });
}

/** The same of any refresh token, whatever its number: for ending what the browser held, which needs no more than that it was ours. */
export async function heldSession(auth: Auth, token: string, nowMs: number): Promise<SessionRecord | undefined> {
  const key = await keyOf(auth, token);
  const session = key && (await auth.store.resolve(key, nowMs, undefined));
  return session === undefined || session.globalEpoch < (await globalEpoch(auth.database)) ? undefined : session;
}

/**
 * An access token from before a proof, or before a change that a proof allowed, is superseded as its refresh token is. The record that it leads
 * to has the newer proof: whoever copied the older token would share in it.
 */
async function isOutdated(auth: Auth, token: string, session: SessionRecord): Promise<boolean> {
  const access = await auth.accessTokens.verify(token);
  if (typeof access === 'string' || access.identity.authenticatedAtMs < session.authenticatedAtMs) return true;
  return movedByProof(session) && access.claims.gen < session.generation;
}

/** Whether auth made this session token or refresh token, alive or not: everything else that it says of a session is then true. */
export const isOwn = (auth: Auth, token: string): boolean =>
  parseToken(token, auth.macKeys) !== undefined || parseRefreshToken(token, auth.refreshKeys) !== undefined;

/** Its seal or signature is looked at before the store is. */
async function keyOf(auth: Auth, token: string): Promise<TokenKey | undefined> {
  const opaque = parseToken(token, auth.macKeys);
  if (opaque !== undefined) return opaque.key;
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  if (refresh !== undefined) return keyOfHandle(refresh.tag, refresh.handle);
  const access = await auth.accessTokens.verify(token);
  return typeof access === 'string' ? undefined : keyOfHandle(tagOf(access.identity.subject), access.identity.handle);
}
