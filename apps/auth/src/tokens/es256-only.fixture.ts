/**
 * How the builds before Ed25519 read auth's keys and signatures (libs/identity keys.ts and jws.ts of November 2026, shortened). They run beside this
 * build during an update, so auth must not publish what they cannot live with.
 */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';

/** @throws Error when the answer holds no key that such a build can use: it then keeps what it had, or has none */
export function keysOfOlderBuild(jwks: string): ReadonlyMap<string, KeyObject> {
  const set = JSON.parse(jwks) as { keys?: unknown };
  if (!Array.isArray(set.keys)) throw new Error('keys: not a JWK Set');
  const keys = new Map<string, KeyObject>();
  for (const jwk of set.keys as Record<string, unknown>[]) {
    if (jwk['kty'] !== 'EC' || jwk['crv'] !== 'P-256' || typeof jwk['kid'] !== 'string') continue;
    if ((jwk['alg'] ?? 'ES256') !== 'ES256' || (jwk['use'] ?? 'sig') !== 'sig') continue;
    const { kty, crv, x, y } = jwk;
    keys.set(jwk['kid'], createPublicKey({ key: { kty, crv, x, y } as JsonWebKey, format: 'jwk' }));
  }
  if (keys.size === 0 || keys.size > 64) throw new Error(`keys: ${keys.size} usable keys`);
  return keys;
}

/** @param detached the signed bytes of a detached JWS. @returns 'valid', or the reason why not */
export function judgedByOlderBuild(jws: string, keys: ReadonlyMap<string, KeyObject>, detached?: Uint8Array): string {
  const [protectedPart, payloadPart, signaturePart] = jws.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(protectedPart, 'base64url').toString()) as { alg: string; kid: string };
  if (header.alg !== 'ES256') return 'wrong_algorithm';
  const key = keys.get(header.kid);
  if (key === undefined) return 'unknown_key';
  const payload = detached === undefined ? payloadPart : Buffer.from(detached).toString('base64url');
  const signed = Buffer.from(`${protectedPart}.${payload}`);
  const good = verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signaturePart, 'base64url'));
  return good ? 'valid' : 'bad_signature';
}
