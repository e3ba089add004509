/**
 * The texts that a browser carries in its cookies: the session token, the refresh token and the known device. Each ends in a MAC over everything before
 * it, which is checked before anything is looked up.
 *
 * The session token: an opaque reference (RFC 7662 calls its reading introspection) in the browser's cookie.
 *
 *   v1.<region>.<tag>.<secret>.<mac>
 *
 *   region  1-16 of [a-z0-9-]: where the session lives; `local` in a shop of one region
 *   tag     4 lower-case hex digits, one of 65,536 shard labels: the slot of the store that holds the record
 *   secret  32 random bytes, base64url without padding (RFC 4648 5): 256 bits, where ASVS 7.2.3 asks for 128
 *   mac     HMAC-SHA256 (RFC 2104) over everything before the last dot, base64url: 32 bytes
 *
 * The MAC proves nothing about the session; the store does that. It is checked first because the tag's writer chooses which shard does the work.
 * Without the key, a forged tag costs one HMAC in the process at the edge and reaches no shard. The MAC also tells "was ours once"
 * (401 session_ended) from "never was ours" (no cookie).
 *
 * The MAC is over the text, not over decoded bytes. Base64url leaves 2 unused bits in the last digit of 32 bytes (RFC 4648 3.5), so one secret
 * has 4 spellings. The other 3 fail, so one session never has two tokens. The store is given only SHA-256 of the secret, so a thief of the
 * store finds nothing to send. A plain hash is enough, because a 256-bit secret cannot be guessed.
 */
import { createHash, createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { regionPattern } from '@cloakroom/contracts';
import type { TokenKey } from './session.store.ts';

/** The first makes tokens, all are accepted: a new key is first added last everywhere, then moved to the front, then the old one is dropped. */
export type MacKeys = readonly [KeyObject, ...KeyObject[]];

/** RFC 2104 3: a key shorter than the hash's output weakens it. */
const macKeyBytesMin = 32;
/** One in use, one arriving, one leaving, one for an emergency. Each costs an HMAC on every forged token. */
const macKeyCountMax = 4;
export const secretBytes = 32;

const tokenPattern = /^v1\.[a-z0-9-]{1,16}\.[0-9a-f]{4}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/;
/** "v1" + region + tag + secret + mac + 4 dots: a longer text is refused before parsing. */
export const tokenLengthMax = 2 + 16 + 4 + 43 + 43 + 4;
const tagPattern = /^[0-9a-f]{4}$/;

/** @throws RangeError when a key is too short, or there are none or too many. The message never shows a key. */
export function macKeys(keys: readonly Buffer[]): MacKeys {
  const [first, ...others] = keys;
  if (first === undefined || keys.length > macKeyCountMax)
    throw new RangeError(`between 1 and ${macKeyCountMax} token keys are needed, not ${keys.length}`);
  if (keys.some((key) => key.length < macKeyBytesMin)) throw new RangeError(`a token key has at least ${macKeyBytesMin} bytes`);
  // Made into key objects once: from plain bytes Node makes one for each HMAC, which costs five times the HMAC itself.
  return [createSecretKey(first), ...others.map((key) => createSecretKey(key))];
}

/** Reads the keys from configuration: base64url, several separated by commas. The first one makes tokens. */
export function readMacKeys(text: string): MacKeys {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^[A-Za-z0-9_-]+$/.test(part))) throw new RangeError('a token key is base64url without padding');
  return macKeys(parts.map((part) => Buffer.from(part, 'base64url')));
}

export interface NewToken {
  readonly region: string;
  readonly tag: string;
  /** 32 bytes of a CSPRNG (RFC 4086), given by the caller so that tests can repeat themselves. */
  readonly secret: Uint8Array;
}

export interface MadeToken {
  /** For the cookie alone; never logged, never stored. */
  readonly token: string;
  /** The store's name for the token. */
  readonly key: TokenKey;
}

export interface ParsedToken {
  readonly region: string;
  readonly key: TokenKey;
}

/** @throws RangeError for a part that would not parse again */
export function makeToken(parts: NewToken, keys: MacKeys): MadeToken {
  if (!regionPattern.test(parts.region)) throw new RangeError('a region has 1-16 characters of a-z, 0-9 and "-"');
  if (!tagPattern.test(parts.tag)) throw new RangeError('a tag has 4 lower-case hex digits');
  if (parts.secret.length !== secretBytes) throw new RangeError(`a secret has ${secretBytes} bytes`);
  const signed = `v1.${parts.region}.${parts.tag}.${Buffer.from(parts.secret).toString('base64url')}`;
  return { token: `${signed}.${macOf(keys[0], signed).toString('base64url')}`, key: { tag: parts.tag, hash: hashOf(parts.secret) } };
}

/**
 * The location that a token points to, or undefined when it never was ours. Costs a length check for oversize input, one regular expression without
 * backtracking for malformed input, and one HMAC a key for the rest.
 */
export function parseToken(token: string | undefined, keys: MacKeys): ParsedToken | undefined {
  if (token === undefined || token.length > tokenLengthMax || !tokenPattern.test(token)) return undefined;
  const macAt = token.lastIndexOf('.');
  const signed = token.slice(0, macAt);
  if (!isOurs(signed, token.slice(macAt + 1), keys)) return undefined;
  const [, region, tag, secret] = signed.split('.') as [string, string, string, string];
  return { region, key: { tag, hash: hashOf(Buffer.from(secret, 'base64url')) } };
}

/** base64url SHA-256 of the secret's bytes: 43 characters. */
export function hashOf(secret: Uint8Array): string {
  return hash('sha256', secret, 'base64url');
}

/**
 * The shard label of a subject: all sessions of one user meet in one slot. It depends on no key, since it must survive key rotation. The server makes
 * random ids, so a client cannot choose many that meet in one shard.
 */
export function tagOf(subject: string): string {
  return createHash('sha256').update('cloakroom tag v1\0').update(subject).digest('hex').slice(0, 4);
}

/** A guest has one session, so any slot will do. @param random 2 bytes */
export function tagFrom(random: Uint8Array): string {
  if (random.length < 2) throw new RangeError('a tag needs 2 random bytes');
  return Buffer.from(random.subarray(0, 2)).toString('hex');
}

/**
 * Compared in constant time, or the time of the answer would give the MAC away digit by digit. Compared as text, whose spelling is canonical on our
 * side. Every key is tried, so that the time does not tell which one made the token.
 */
function isOurs(signed: string, given: string, keys: MacKeys, mac = macOf): boolean {
  const givenBytes = Buffer.from(given, 'latin1');
  let ours = false;
  for (const key of keys) {
    const expected = Buffer.from(mac(key, signed).toString('base64url'), 'latin1');
    ours = timingSafeEqual(expected, givenBytes) || ours;
  }
  return ours;
}

function macOf(key: KeyObject, signed: string): Buffer {
  return createHmac('sha256', key).update(signed).digest();
}

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
const refreshPattern = /^r1\.([a-z0-9-]{1,16})\.([0-9a-f]{4})\.([A-Za-z0-9-]{1,64})\.(0|[1-9]\d{0,9})\.([A-Za-z0-9_-]{43})$/;
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
  const token = `${signed}.${macOf(keys[0], signed).toString('base64url')}`;
  if (!refreshPattern.test(token)) throw new RangeError('a part of this refresh token would not parse again');
  return token;
}

/** The token's parts, unverified. The gateway has no key and cannot know more. */
export function readRefreshToken(token: string | undefined): RefreshParts | undefined {
  if (token === undefined || token.length > refreshTokenLengthMax) return undefined;
  const match = refreshPattern.exec(token);
  if (match === null) return undefined;
  const [, region, tag, handle, generation] = match as unknown as [string, string, string, string, string];
  return { region, tag, handle, generation: Number(generation) };
}

/** The token's parts, when auth made it. */
export function parseRefreshToken(token: string | undefined, keys: MacKeys): RefreshParts | undefined {
  const parts = readRefreshToken(token);
  if (parts === undefined) return undefined;
  const macAt = token!.lastIndexOf('.');
  return isOurs(token!.slice(0, macAt), token!.slice(macAt + 1), keys) ? parts : undefined;
}

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
export interface KnownDevice {
  readonly subject: string;
  /** The part that auth keeps. */
  readonly hash: string;
}

const devicePattern = /^d1\.u_[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/;
export const knownDeviceLengthMax = 2 + 38 + 43 + 43 + 3;

/** @param secret 32 bytes of a CSPRNG. @throws RangeError for parts that would not parse again */
export function makeKnownDevice(subject: string, secret: Uint8Array, keys: MacKeys): { readonly cookie: string; readonly hash: string } {
  if (secret.length !== secretBytes) throw new RangeError(`a secret has ${secretBytes} bytes`);
  const signed = `d1.${subject}.${Buffer.from(secret).toString('base64url')}`;
  const cookie = `${signed}.${deviceMacOf(keys[0], signed).toString('base64url')}`;
  if (!devicePattern.test(cookie)) throw new RangeError('only a user has known devices');
  return { cookie, hash: hashOf(secret) };
}

/** Undefined for a text that we never issued. */
export function parseKnownDevice(cookie: string | undefined, keys: MacKeys): KnownDevice | undefined {
  if (cookie === undefined || cookie.length > knownDeviceLengthMax || !devicePattern.test(cookie)) return undefined;
  const macAt = cookie.lastIndexOf('.');
  const signed = cookie.slice(0, macAt);
  if (!isOurs(signed, cookie.slice(macAt + 1), keys, deviceMacOf)) return undefined;
  const [, subject, secret] = signed.split('.') as [string, string, string];
  return { subject, hash: hashOf(Buffer.from(secret, 'base64url')) };
}

/** RFC 5869's expand step with one block: one key for each purpose. */
function deviceMacOf(key: KeyObject, signed: string): Buffer {
  const derived = createHmac('sha256', key).update('cloakroom known device v1\x01').digest();
  return createHmac('sha256', derived).update(signed).digest();
}
