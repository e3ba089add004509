/**
 * Compact JWS (RFC 7515) by ES256 or Ed25519, attached or detached, by synchronous node:crypto. A promise-based signer would share libuv's thread
 * pool with password hashing and wait behind it. The key says its algorithm; the header never chooses one (RFC 8725 3.1). A header that names another
 * algorithm than its key's is refused. A protected header with any unexpected member is refused too, which leaves no room for crit, b64, jku, jwk,
 * x5u or x5c.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { signedTokenLengthMax } from '@cloakroom/contracts';
import { bytesOf, derOf } from './ecdsa-signature.ts';

/**
 * RFC 7518 3.4 and RFC 9864 2.2. The older name EdDSA (RFC 8037) is refused: it means Ed448 too, so it leaves a choice to the token. RFC 9864
 * deprecates it.
 */
export type JwsAlgorithm = 'ES256' | 'Ed25519';

/** The one algorithm that a key is good for; undefined for a key that signs nothing here. */
export function algorithmOf(key: KeyObject): JwsAlgorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
}

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
  /** The algorithms that tokens of this kind may have. A key of another one verifies none of them. */
  readonly algorithms: readonly JwsAlgorithm[];
  readonly find: (kid: string) => KeyObject | undefined;
  /** Further members of the protected header, each with its one accepted value. */
  readonly header?: Readonly<Record<string, string>>;
  /** The signed bytes of a detached JWS (RFC 7515 appendix F), whose middle part must then be empty. */
  readonly detachedPayload?: Uint8Array;
}

/** Both algorithms have signatures of two halves of 32 bytes. */
const signatureLength = 64;

/**
 * @param header further members of the protected header
 * @throws RangeError for a key that signs nothing here
 */
export function signJws(
  key: SigningKey,
  typ: string,
  payload: Uint8Array,
  options: { readonly detached?: boolean; readonly header?: Readonly<Record<string, string>> } = {},
): string {
  const alg = algorithmOf(key.privateKey);
  if (alg === undefined) throw new RangeError('not a signing key');
  const protectedHeader = base64url(Buffer.from(JSON.stringify({ alg, typ, kid: key.kid, ...options.header })));
  const body = base64url(payload);
  const signed = Buffer.from(`${protectedHeader}.${body}`);
  const signature = alg === 'Ed25519' ? sign(null, signed, key.privateKey) : bytesOf(sign('sha256', signed, key.privateKey));
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
  const algorithm = algorithmOf(key);
  if (algorithm === undefined || header['alg'] !== algorithm) return refuse('wrong_algorithm');
  const signed = Buffer.from(`${protectedPart}.${base64url(payload)}`);
  if (!isSigned(algorithm, key, signed, signature)) return refuse('bad_signature');
  return { ok: true, header, payload };
}

const refuse = (reason: JwsFailure): JwsVerdict => ({ ok: false, reason });

/** The key is given bare: ecdsa-signature.ts says why. */
function isSigned(algorithm: JwsAlgorithm, key: KeyObject, signed: Buffer, signature: Buffer): boolean {
  return algorithm === 'Ed25519' ? verify(null, signed, key, signature) : verify('sha256', signed, key, derOf(signature));
}

function judgeHeader(header: Readonly<Record<string, string>>, expected: JwsExpectation): JwsFailure | undefined {
  const extra = expected.header ?? {};
  const known = new Set(['alg', 'typ', 'kid', ...Object.keys(extra)]);
  // Only a first look, which costs no key: the key that `kid` names decides (verifyJws).
  if (!expected.algorithms.some((algorithm) => header['alg'] === algorithm)) return 'wrong_algorithm';
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
