/**
 * ES256 compact JWS (RFC 7515, RFC 7518 3.4), attached or detached, by synchronous node:crypto. A promise-based signer would share libuv's thread
 * pool with password hashing and wait behind it. The one algorithm is fixed here and never read from the token (RFC 8725 3.1). A protected header
 * with any unexpected member is refused, which leaves no room for crit, b64, jku, jwk, x5u or x5c.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { signedTokenLengthMax } from '@cloakroom/contracts';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export type JwsFailure = 'malformed' | 'unexpected_header' | 'wrong_algorithm' | 'wrong_type' | 'unknown_key' | 'bad_signature';

export type JwsVerdict =
  | { readonly ok: true; readonly header: Readonly<Record<string, string>>; readonly payload: Buffer }
  | { readonly ok: false; readonly reason: JwsFailure };

export interface JwsExpectation {
  /** Compared exactly (RFC 8725 3.11: a token of one kind is never taken for another). */
  readonly typ: string;
  readonly find: (kid: string) => KeyObject | undefined;
  /** Further members of the protected header, each with its one accepted value. */
  readonly header?: Readonly<Record<string, string>>;
  /** The signed bytes of a detached JWS (RFC 7515 appendix F), whose middle part must then be empty. */
  readonly detachedPayload?: Uint8Array;
}

const signatureLength = 64;

/** @param header further members of the protected header */
export function signJws(
  key: SigningKey,
  typ: string,
  payload: Uint8Array,
  options: { readonly detached?: boolean; readonly header?: Readonly<Record<string, string>> } = {},
): string {
  const protectedHeader = base64url(Buffer.from(JSON.stringify({ alg: 'ES256', typ, kid: key.kid, ...options.header })));
  const body = base64url(payload);
  const signature = sign('sha256', Buffer.from(`${protectedHeader}.${body}`), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${protectedHeader}.${options.detached === true ? '' : body}.${base64url(signature)}`;
}

export function verifyJws(jws: string, expected: JwsExpectation): JwsVerdict {
  if (jws.length > signedTokenLengthMax) return refuse('malformed');
  const [protectedPart, payloadPart, signaturePart, ...rest] = jws.split('.');
  if (protectedPart === undefined || payloadPart === undefined || signaturePart === undefined || rest.length > 0)
    return refuse('malformed');

  const header = readHeader(protectedPart);
  if (header === undefined) return refuse('malformed');
  const wrong = judgeHeader(header, expected);
  if (wrong !== undefined) return refuse(wrong);

  const signature = fromBase64url(signaturePart);
  const payload = readPayload(payloadPart, expected.detachedPayload);
  if (signature === undefined || payload === undefined) return refuse('malformed');
  if (signature.length !== signatureLength || hasZeroHalf(signature)) return refuse('bad_signature');
  const key = expected.find(header['kid']!);
  if (key === undefined) return refuse('unknown_key');
  const signed = Buffer.from(`${protectedPart}.${base64url(payload)}`);
  if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)) return refuse('bad_signature');
  return { ok: true, header, payload };
}

const refuse = (reason: JwsFailure): JwsVerdict => ({ ok: false, reason });

function judgeHeader(header: Readonly<Record<string, string>>, expected: JwsExpectation): JwsFailure | undefined {
  const extra = expected.header ?? {};
  const known = new Set(['alg', 'typ', 'kid', ...Object.keys(extra)]);
  if (header['alg'] !== 'ES256') return 'wrong_algorithm';
  if (header['typ'] !== expected.typ) return 'wrong_type';
  if (!Object.keys(header).every((name) => known.has(name))) return 'unexpected_header';
  if (!Object.entries(extra).every(([name, value]) => header[name] === value)) return 'unexpected_header';
  return /^[A-Za-z0-9_-]{1,64}$/.test(header['kid'] ?? '') ? undefined : 'malformed';
}

function readHeader(part: string): Readonly<Record<string, string>> | undefined {
  const bytes = fromBase64url(part);
  const header = bytes && parseStrictObject(bytes);
  return header && Object.values(header).every((value) => typeof value === 'string') ? (header as Record<string, string>) : undefined;
}

function readPayload(part: string, detached: Uint8Array | undefined): Buffer | undefined {
  if (detached === undefined) return fromBase64url(part);
  return part === '' ? Buffer.from(detached.buffer, detached.byteOffset, detached.byteLength) : undefined;
}

/** Some libraries accepted any message for an r or s of zero (CVE-2022-21449). OpenSSL refuses it. This check refuses it whatever runs below. */
function hasZeroHalf(signature: Buffer): boolean {
  return [signature.subarray(0, 32), signature.subarray(32)].some((half) => half.every((byte) => byte === 0));
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');

/** Node decodes leniently. A second spelling of the same bytes would be a second token, so only the canonical one passes. */
function fromBase64url(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** A JSON object in UTF-8 in which no object names a member twice. JSON.parse keeps the last one, other parsers the first (RFC 8725 2.4). */
export function parseStrictObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || repeatsMember(text)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** @param json must be valid JSON: a string before a colon is then a member's name */
function repeatsMember(json: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (name !== undefined) {
      const members = open.at(-1)!;
      const member = JSON.parse(name) as string;
      if (members.has(member)) return true;
      members.add(member);
    }
  }
  return false;
}
