/**
 * The cookie of a known device: this browser has once proved the password of this account. It is no session and proves no identity. It only
 * makes auth count a sign-in's failures apart from those of strangers. Strangers could otherwise use up the account's attempts and lock its
 * owner out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 *
 *   d1.<subject>.<secret>.<mac>
 *
 *   subject  "u_<uuid>": the account that this browser has been signed in to
 *   secret   32 random bytes, base64url: auth keeps its SHA-256, so a leaked key alone makes no known device
 *   mac      HMAC-SHA256 over everything before the last dot, base64url, by a key derived for this purpose. The key of session tokens
 *            can never make one of these, nor the other way round
 *
 * The MAC is checked first, at the gateway and at auth: a forged cookie costs one HMAC and reaches no database.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { hashOf, type MacKeys, secretBytes } from './token.ts';

export interface KnownDevice {
  readonly subject: string;
  /** The part that auth keeps. */
  readonly hash: string;
}

const pattern = /^d1\.u_[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/;
export const knownDeviceLengthMax = 2 + 38 + 43 + 43 + 3;

/** @param secret 32 bytes of a CSPRNG. @throws RangeError for parts that would not parse again */
export function makeKnownDevice(subject: string, secret: Uint8Array, keys: MacKeys): { readonly cookie: string; readonly hash: string } {
  if (secret.length !== secretBytes) throw new RangeError(`a secret has ${secretBytes} bytes`);
  const signed = `d1.${subject}.${Buffer.from(secret).toString('base64url')}`;
  const cookie = `${signed}.${macOf(keys[0], signed).toString('base64url')}`;
  if (!pattern.test(cookie)) throw new RangeError('only a user has known devices');
  return { cookie, hash: hashOf(secret) };
}

/** Undefined for a text that we never issued. */
export function parseKnownDevice(cookie: string | undefined, keys: MacKeys): KnownDevice | undefined {
  if (cookie === undefined || cookie.length > knownDeviceLengthMax || !pattern.test(cookie)) return undefined;
  const macAt = cookie.lastIndexOf('.');
  const given = Buffer.from(cookie.slice(macAt + 1), 'latin1');
  const signed = cookie.slice(0, macAt);
  let ours = false;
  for (const key of keys) ours = timingSafeEqual(Buffer.from(macOf(key, signed).toString('base64url'), 'latin1'), given) || ours;
  if (!ours) return undefined;
  const [, subject, secret] = signed.split('.') as [string, string, string];
  return { subject, hash: hashOf(Buffer.from(secret, 'base64url')) };
}

/** RFC 5869's expand step with one block: one key for each purpose. */
function macOf(key: KeyObject, signed: string): Buffer {
  const derived = createHmac('sha256', key).update('cloakroom known device v1\x01').digest();
  return createHmac('sha256', derived).update(signed).digest();
}
