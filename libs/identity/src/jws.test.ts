import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { algorithmOf, type JwsAlgorithm, parseStrictObject, signJws, verifyJws } from './jws.ts';
import { newSigner, type Signer } from './mesh/mesh.fixture.ts';

const algorithms: readonly JwsAlgorithm[] = ['ES256', 'Ed25519'];
const payload = Buffer.from('{"a":1}');
const rfc8037 = {
  publicJwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
};
const b64 = (value: string | Buffer): string => Buffer.from(value).toString('base64url');
const verifierOf =
  (signer: Signer) =>
  (jws: string, extra: { header?: Record<string, string>; detachedPayload?: Buffer; algorithms?: readonly JwsAlgorithm[] } = {}) =>
    verifyJws(jws, { typ: 'passport+jwt', algorithms, find: (kid) => signer.ring.find(kid), ...extra });

/** A JWS with a right signature, whatever its header says. */
function signedBy(key: KeyObject, header: string, body: string | Buffer = payload): string {
  const input = `${b64(header)}.${b64(body)}`;
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return `${input}.${b64(sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }))}`;
}

// oxlint-disable-next-line max-lines-per-function -- Longer because one list of forgeries is tried on keys of both algorithms.
describe.each(algorithms)('verifyJws by %s', (algorithm) => {
  const signer = newSigner('k1', algorithm);
  const verify = verifierOf(signer);
  const signedWith = (header: string, body?: string | Buffer) => signedBy(signer.privateKey, header, body);
  const good = { alg: algorithm, typ: 'passport+jwt', kid: 'k1' };

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
    ['alg in another case', signedWith(JSON.stringify({ ...good, alg: algorithm.toLowerCase() })), 'wrong_algorithm'],
    ['alg missing', signedWith(JSON.stringify({ typ: good.typ, kid: 'k1' })), 'wrong_algorithm'],
    ['a typ of another kind', signedWith(JSON.stringify({ ...good, typ: 'event+jws' })), 'wrong_type'],
    ['typ missing', signedWith(JSON.stringify({ alg: algorithm, kid: 'k1' })), 'wrong_type'],
    ['crit', signedWith(JSON.stringify({ ...good, crit: ['b64'] })), 'malformed'],
    ['jku', signedWith(JSON.stringify({ ...good, jku: 'https://evil.example/jwks' })), 'unexpected_header'],
    ['x5u', signedWith(JSON.stringify({ ...good, x5u: 'https://evil.example/x' })), 'unexpected_header'],
    ['jwk', signedWith(JSON.stringify({ ...good, jwk: signer.jwk() })), 'malformed'],
    ['x5c', signedWith(JSON.stringify({ ...good, x5c: ['MII'] })), 'malformed'],
    ['b64 false', signedWith(JSON.stringify({ ...good, b64: false })), 'malformed'],
    ['a repeated member', signedWith(`{"alg":"none","typ":"passport+jwt","kid":"k1","alg":"${algorithm}"}`), 'malformed'],
    ['a repeated member, escaped', signedWith(`{"\\u0061lg":"none","typ":"passport+jwt","kid":"k1","alg":"${algorithm}"}`), 'malformed'],
    ['a header that is no object', signedWith('["ES256"]'), 'malformed'],
    ['a header that is no JSON', signedWith('alg'), 'malformed'],
    ['an unknown kid', signedWith(JSON.stringify({ ...good, kid: 'k2' })), 'unknown_key'],
    ['a kid that is a path', signedWith(JSON.stringify({ ...good, kid: '../../dev/null' })), 'malformed'],
    ['a kid named like a prototype', signedWith(JSON.stringify({ ...good, kid: '__proto__' })), 'unknown_key'],
    ['kid missing', signedWith(JSON.stringify({ alg: algorithm, typ: good.typ })), 'malformed'],
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
    expect(verify(signJws({ kid: 'k1', privateKey: newSigner('k1', algorithm).privateKey }, 'passport+jwt', payload))).toEqual({
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

describe('the algorithm of a JWS', () => {
  const headerOf = (alg: unknown) => JSON.stringify({ alg, typ: 'passport+jwt', kid: 'k1' });
  // Each signature is right for the key, so that only the name in the header can be wrong.
  const names = ['none', 'HS256', 'ES256', 'ES384', 'RS256', 'Ed25519', 'EdDSA', 'Ed448', 'ED25519', 'ES256 ', '', 1, null];
  it.each(algorithms.flatMap((own) => names.filter((name) => name !== own).map((name) => [own, name] as const)))(
    'is that of its key: a key for %s verifies none that says %j',
    (own, name) => {
      const signer = newSigner('k1', own);
      expect(verifierOf(signer)(signedBy(signer.privateKey, headerOf(own)))).toMatchObject({ ok: true });
      const reason = typeof name === 'string' ? 'wrong_algorithm' : 'malformed';
      expect(verifierOf(signer)(signedBy(signer.privateKey, headerOf(name)))).toEqual({ ok: false, reason });
    },
  );

  it.each(algorithms)('is no MAC, whichever form of a public key for %s is its secret', (own) => {
    const signer = newSigner('k1', own);
    const key = signer.ring.find('k1')!;
    const secrets = [
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(key.export({ format: 'jwk' })),
      Buffer.from(key.export({ format: 'jwk' })['x']!, 'base64url'),
    ];
    const forged = ['HS256', 'HS512', ...algorithms].flatMap((alg) => {
      const input = `${b64(headerOf(alg))}.${b64(payload)}`;
      return secrets.flatMap((secret) =>
        ['sha256', 'sha512'].map((hash) => `${input}.${b64(createHmac(hash, secret).update(input).digest())}`),
      );
    });
    expect(forged.filter((one) => verifierOf(signer)(one).ok)).toEqual([]);
  });

  it('is one of those that its kind of token may have', () => {
    const signer = newSigner('k1', 'Ed25519');
    const jws = signJws(signer, 'passport+jwt', payload);
    expect(verifierOf(signer)(jws, { algorithms: ['ES256'] })).toEqual({ ok: false, reason: 'wrong_algorithm' });
  });

  it('is neither chosen by a key of another kind nor signed with one', () => {
    const others = [
      generateKeyPairSync('ed448'),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('x25519'),
    ];
    for (const { publicKey, privateKey } of others) {
      expect(algorithmOf(publicKey)).toBeUndefined();
      expect(() => signJws({ kid: 'k1', privateKey }, 'passport+jwt', payload)).toThrow(RangeError);
      const jws = signJws(newSigner('k1'), 'passport+jwt', payload);
      expect(verifyJws(jws, { typ: 'passport+jwt', algorithms, find: () => publicKey })).toEqual({ ok: false, reason: 'wrong_algorithm' });
    }
  });

  it('is not EdDSA: the example of RFC 8037 A.4 is refused for its name, although its signature is right', () => {
    const jws = `eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.${rfc8037.signature}`;
    const key = createPublicKey({ key: rfc8037.publicJwk, format: 'jwk' });
    expect(verify(null, Buffer.from(jws.slice(0, jws.lastIndexOf('.'))), key, Buffer.from(rfc8037.signature, 'base64url'))).toBe(true);
    expect(algorithmOf(key)).toBe('Ed25519');
    expect(verifyJws(jws, { typ: 'passport+jwt', algorithms, find: () => key })).toEqual({ ok: false, reason: 'wrong_algorithm' });
  });

  it('has one Ed25519 signature a message: S plus the order of the group is refused (RFC 8032 8.4)', () => {
    const signer = newSigner('k1', 'Ed25519');
    const [header, body, signature] = signJws(signer, 'passport+jwt', payload).split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order;
    const moved = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    expect(verifierOf(signer)(`${header}.${body}.${b64(Buffer.concat([bytes.subarray(0, 32), moved]))}`)).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
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
