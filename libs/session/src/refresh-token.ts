/**
 * The refresh token of the modes `jwt` and `jwt-denylist`, in the browser's cookie:
 *
 *   r1.<region>.<tag>.<handle>.<n>.<mac>
 *
 *   tag, handle  where the session's record is: its key is SHA-256 of the handle
 *   n            the session's counter: 0 at the sign-in, one more at each refresh
 *   mac          HMAC-SHA256 (RFC 2104) over everything before the last dot, by a key that auth alone has
 *
 * It holds no random secret: the MAC is the secret. So auth can make token n again without having kept it, and a thief of the store finds
 * nothing that opens a session. The gateway has no key and reads the form alone. A forged token costs auth one HMAC and reaches no shard.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { TokenKey } from './session.store.ts';
import { hashOf, type MacKeys } from './token.ts';

const tokenPattern = /^r1\.([a-z0-9-]{1,16})\.([0-9a-f]{4})\.([A-Za-z0-9-]{1,64})\.(0|[1-9]\d{0,9})\.([A-Za-z0-9_-]{43})$/;
export const refreshTokenLengthMax = 2 + 16 + 4 + 64 + 10 + 43 + 5;

export interface RefreshParts {
  readonly region: string;
  readonly tag: string;
  readonly handle: string;
  /** Which refresh of the session made it. */
  readonly generation: number;
}

/** The store's key for a session in the modes jwt and jwt-denylist. Its handle alone finds it, so the token is not needed. */
export const keyOfHandle = (tag: string, handle: string): TokenKey => ({ tag, hash: hashOf(Buffer.from(handle)) });

/** @throws RangeError for a part that would not parse again */
export function makeRefreshToken({ region, tag, handle, generation }: RefreshParts, keys: MacKeys): string {
  const signed = `r1.${region}.${tag}.${handle}.${generation}`;
  const token = `${signed}.${mac(keys[0], signed)}`;
  if (!tokenPattern.test(token)) throw new RangeError('a part of this refresh token would not parse again');
  return token;
}

/** The token's parts, unverified. The gateway has no key and cannot know more. */
export function readRefreshToken(token: string | undefined): RefreshParts | undefined {
  if (token === undefined || token.length > refreshTokenLengthMax) return undefined;
  const match = tokenPattern.exec(token);
  if (match === null) return undefined;
  const [, region, tag, handle, generation] = match as unknown as [string, string, string, string, string];
  return { region, tag, handle, generation: Number(generation) };
}

/** The token's parts, when auth made it. */
export function parseRefreshToken(token: string | undefined, keys: MacKeys): RefreshParts | undefined {
  const parts = readRefreshToken(token);
  if (parts === undefined) return undefined;
  const at = token!.lastIndexOf('.');
  const [signed, given] = [token!.slice(0, at), Buffer.from(token!.slice(at + 1), 'latin1')];
  // Compared in constant time and by every key, as for session tokens.
  let ours = false;
  for (const key of keys) ours = timingSafeEqual(Buffer.from(mac(key, signed), 'latin1'), given) || ours;
  return ours ? parts : undefined;
}

function mac(key: KeyObject, signed: string): string {
  return createHmac('sha256', key).update(signed).digest('base64url');
}
