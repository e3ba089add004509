import { createHmac, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseStrictObject, signJws, verifyJws } from './jws.ts';
import { newSigner } from './mesh/mesh.fixture.ts';

const signer = newSigner();
const payload = Buffer.from('{"a":1}');
const verify = (jws: string, extra: { header?: Record<string, string>; detachedPayload?: Buffer } = {}) =>
  verifyJws(jws, { typ: 'passport+jwt', find: (kid) => signer.ring.find(kid), ...extra });
const b64 = (value: string | Buffer): string => Buffer.from(value).toString('base64url');

/** A JWS with a right signature, whatever its header says. */
function signedWith(header: string, body: string | Buffer = payload): string {
  const input = `${b64(header)}.${b64(body)}`;
  return `${input}.${b64(sign('sha256', Buffer.from(input), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' }))}`;
}

const good = { alg: 'ES256', typ: 'passport+jwt', kid: 'k1' };

describe('verifyJws', () => {
  it('gives back what was signed', () => {
    expect(verify(signJws(signer, 'passport+jwt', payload))).toMatchObject({ ok: true, payload, header: good });
    expect(verify(signedWith(JSON.stringify(good)))).toMatchObject({ ok: true });
  });

  it('verifies a detached payload, and only that one', () => {
    const jws = signJws(signer, 'passport+jwt', payload, { detached: true, header: { topic: 't' } });
    expect(jws.split('.')[1]).toBe('');
    expect(verify(jws, { detachedPayload: payload, header: { topic: 't' } })).toMatchObject({ ok: true, payload });
    expect(verify(jws, { detachedPayload: Buffer.from('{"a":2}'), header: { topic: 't' } })).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
    expect(verify(jws, { detachedPayload: payload, header: { topic: 'other' } })).toEqual({ ok: false, reason: 'unexpected_header' });
    expect(verify(jws, { header: { topic: 't' } })).toEqual({ ok: false, reason: 'malformed' });
    expect(verify(signJws(signer, 'passport+jwt', payload), { detachedPayload: payload })).toEqual({ ok: false, reason: 'malformed' });
  });

  it.each([
    ['alg none without a signature', `${b64(JSON.stringify({ ...good, alg: 'none' }))}.${b64(payload)}.`, 'wrong_algorithm'],
    ['alg none in another case', signedWith(JSON.stringify({ ...good, alg: 'NoNe' })), 'wrong_algorithm'],
    ['alg in another case', signedWith(JSON.stringify({ ...good, alg: 'es256' })), 'wrong_algorithm'],
    ['alg missing', signedWith(JSON.stringify({ typ: good.typ, kid: 'k1' })), 'wrong_algorithm'],
    ['a typ of another kind', signedWith(JSON.stringify({ ...good, typ: 'event+jws' })), 'wrong_type'],
    ['typ missing', signedWith(JSON.stringify({ alg: 'ES256', kid: 'k1' })), 'wrong_type'],
    ['crit', signedWith(JSON.stringify({ ...good, crit: ['b64'] })), 'malformed'],
    ['jku', signedWith(JSON.stringify({ ...good, jku: 'https://evil.example/jwks' })), 'unexpected_header'],
    ['x5u', signedWith(JSON.stringify({ ...good, x5u: 'https://evil.example/x' })), 'unexpected_header'],
    ['jwk', signedWith(JSON.stringify({ ...good, jwk: signer.jwk() })), 'malformed'],
    ['x5c', signedWith(JSON.stringify({ ...good, x5c: ['MII'] })), 'malformed'],
    ['b64 false', signedWith(JSON.stringify({ ...good, b64: false })), 'malformed'],
    ['a repeated member', signedWith('{"alg":"none","typ":"passport+jwt","kid":"k1","alg":"ES256"}'), 'malformed'],
    ['a repeated member, escaped', signedWith('{"\\u0061lg":"none","typ":"passport+jwt","kid":"k1","alg":"ES256"}'), 'malformed'],
    ['a header that is no object', signedWith('["ES256"]'), 'malformed'],
    ['a header that is no JSON', signedWith('alg'), 'malformed'],
    ['an unknown kid', signedWith(JSON.stringify({ ...good, kid: 'k2' })), 'unknown_key'],
    ['a kid that is a path', signedWith(JSON.stringify({ ...good, kid: '../../dev/null' })), 'malformed'],
    ['a kid named like a prototype', signedWith(JSON.stringify({ ...good, kid: '__proto__' })), 'unknown_key'],
    ['kid missing', signedWith(JSON.stringify({ alg: 'ES256', typ: good.typ })), 'malformed'],
    ['an empty signature', `${b64(JSON.stringify(good))}.${b64(payload)}.`, 'malformed'],
    ['r = s = 0', `${b64(JSON.stringify(good))}.${b64(payload)}.${b64(Buffer.alloc(64))}`, 'bad_signature'],
    [
      'r = 0',
      `${b64(JSON.stringify(good))}.${b64(payload)}.${b64(Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)]))}`,
      'bad_signature',
    ],
    ['a DER signature', `${b64(JSON.stringify(good))}.${b64(payload)}.${b64(Buffer.alloc(70, 3))}`, 'bad_signature'],
    ['two parts', `${b64(JSON.stringify(good))}.${b64(payload)}`, 'malformed'],
    ['four parts', `${signJws(signer, 'passport+jwt', payload)}.x`, 'malformed'],
    ['nothing', '', 'malformed'],
    ['too much', 'a'.repeat(5_000), 'malformed'],
  ])('refuses %s', (_what, jws, reason) => {
    expect(verify(jws)).toEqual({ ok: false, reason });
  });

  it('refuses a MAC made with the public key', () => {
    const input = `${b64(JSON.stringify({ ...good, alg: 'HS256' }))}.${b64(payload)}`;
    const mac = createHmac('sha256', signer.ring.find('k1')!.export({ type: 'spki', format: 'pem' }))
      .update(input)
      .digest();
    expect(verify(`${input}.${b64(mac)}`)).toEqual({ ok: false, reason: 'wrong_algorithm' });
  });

  it('refuses the signature of another key under a known kid', () => {
    expect(verify(signJws({ kid: 'k1', privateKey: newSigner().privateKey }, 'passport+jwt', payload))).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
  });

  it('refuses every change of one character', () => {
    const jws = signJws(signer, 'passport+jwt', payload);
    const changed = Array.from(jws, (letter, at) => jws.slice(0, at) + (letter === 'A' ? 'B' : 'A') + jws.slice(at + 1)).filter(
      (other) => other !== jws,
    );
    expect(changed.length).toBe(jws.length);
    expect(changed.filter((other) => verify(other).ok)).toEqual([]);
  });

  it('refuses a second spelling of the same bytes', () => {
    const jws = signJws(signer, 'passport+jwt', Buffer.from('{"odd":1}'));
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // The last letter of a part has spare bits: 64 bytes of signature end with two bits that count, 9 or 10 bytes of payload likewise.
    const spellings = [1, 2].flatMap((part) =>
      Array.from(alphabet, (last) => jws.split('.').map((text, at) => (at === part ? text.slice(0, -1) + last : text))),
    );
    const bytesOf = (parts: readonly string[]) => parts.map((text) => Buffer.from(text, 'base64url').toString('hex')).join();
    const same = spellings
      .filter((parts) => bytesOf(parts) === bytesOf(jws.split('.')) && parts.join('.') !== jws)
      .map((parts) => parts.join('.'));
    expect(same.length).toBeGreaterThanOrEqual(15);
    expect([...same, `${jws}=`, `${jws}\n`, ` ${jws}`].filter((other) => verify(other).ok)).toEqual([]);
  });
});

describe('parseStrictObject', () => {
  it.each(['{"a":{"b":1},"b":{"a":2}}', '{"a":"\\"a\\":1","b":[{"a":1},{"a":2}]}', '{}'])('takes %s', (json) => {
    expect(parseStrictObject(Buffer.from(json))).toEqual(JSON.parse(json));
  });
  it.each([
    '{"a":1,"a":2}',
    '{"x":{"a":1,"a":1}}',
    '{"x":[{"a":1,"b":{},"a":1}]}',
    '{"a":1, "\\u0061" :2}',
    '[]',
    'null',
    '1',
    '{"a":1',
    '\ufeff{}',
  ])('refuses %s', (json) => {
    expect(parseStrictObject(Buffer.from(json))).toBeUndefined();
  });
  it('refuses bytes that are not UTF-8', () => {
    expect(parseStrictObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeUndefined();
  });
});
