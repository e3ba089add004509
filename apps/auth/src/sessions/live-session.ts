/** Finds the live session behind a token. Forged, unknown, expired and revoked tokens look the same from here on (RFC 7662 2.2). */
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
 * @param touch whether the person is doing something: the idle limit then moves, at most once a minute
 */
export async function liveSession(auth: Auth, token: string, nowMs: number, touch = false): Promise<SessionRecord | undefined> {
  const session = await heldSession(auth, token, nowMs);
  if (session === undefined) return undefined;
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  if (refresh !== undefined && judgeRefresh(session, refresh.generation, 'now', nowMs) !== 'rotated') return undefined;
  if (refresh === undefined && isSelfContained(session.mode) && (await isOutdated(auth, token, session))) return undefined;
  if (!touch || nowMs - session.lastSeenAtMs < limits.touchIntervalMs) return session;
  // Only the record tells the state, which decides how far the idle limit moves. Undefined if the session was revoked in between.
  return auth.store.resolve(session, nowMs, { idleTimeoutMs: limits[session.state].idleTimeoutMs });
}

/** Takes any refresh token, whatever its number. Ending the browser's session needs only a token that auth made. */
export async function heldSession(auth: Auth, token: string, nowMs: number): Promise<SessionRecord | undefined> {
  const key = await keyOf(auth, token);
  return key && sessionOfKey(auth, key, nowMs);
}

/** @param key of a session of this region */
export async function sessionOfKey(auth: Auth, key: TokenKey, nowMs: number): Promise<SessionRecord | undefined> {
  const session = await auth.store.resolve(key, nowMs, undefined);
  return session === undefined || session.globalEpoch < (await globalEpoch(auth.database)) ? undefined : session;
}

/**
 * A newer proof, or a change that it allowed, supersedes older access tokens, as it does refresh tokens. The record behind an older token has the
 * newer proof, so anyone who copied that token would share in it.
 */
async function isOutdated(auth: Auth, token: string, session: SessionRecord): Promise<boolean> {
  const access = await auth.accessTokens.verify(token);
  if (typeof access === 'string' || access.identity.authenticatedAtMs < session.authenticatedAtMs) return true;
  return movedByProof(session) && access.claims.gen < session.generation;
}

/** Whether auth made this session token or refresh token, alive or not. If so, everything else that the token says of a session is true. */
export const isOwn = (auth: Auth, token: string): boolean =>
  parseToken(token, auth.macKeys) !== undefined || parseRefreshToken(token, auth.refreshKeys) !== undefined;

/** Checks the token's seal or signature before any look into the store. */
async function keyOf(auth: Auth, token: string): Promise<TokenKey | undefined> {
  const opaque = parseToken(token, auth.macKeys);
  if (opaque !== undefined) return opaque.key;
  const refresh = parseRefreshToken(token, auth.refreshKeys);
  if (refresh !== undefined) return keyOfHandle(refresh.tag, refresh.handle);
  const access = await auth.accessTokens.verify(token);
  return typeof access === 'string' ? undefined : keyOfHandle(tagOf(access.identity.subject), access.identity.handle);
}
