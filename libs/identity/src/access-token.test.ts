import { describe, expect, it } from 'vitest';
import { Identity, type MethodPolicy, OperationClass, problem } from '@cloakroom/contracts';
import { type AccessTokenClaims, createAccessTokenVerifier, signAccessToken } from './access-token.ts';
import { judgeIdentity } from './admission.ts';
import { signJws } from './jws.ts';
import { emptyFeed, movableClock, newSigner, passportOf } from './mesh/mesh.fixture.ts';
import { createPassportVerifier } from './passport.ts';

function claims(nowMs: number, changes: Partial<AccessTokenClaims> = {}): AccessTokenClaims {
  const nowS = nowMs / 1000;
  return {
    iss: 'cloakroom-auth',
    aud: 'cloakroom-shop',
    client_id: 'cloakroom-web',
    jti: 'jti-1',
    sub: 'u_1',
    sid: 'handle-1',
    gen: 3,
    epoch: 1,
    gepoch: 0,
    state: 'user',
    mode: 'jwt-denylist',
    acr: 'aal1',
    amr: ['pwd'],
    auth_time: nowS,
    region: 'local',
    iat: nowS,
    exp: nowS + 300,
    name: 'Ada',
    email: 'ada@example.com',
    created: nowS,
    idle_exp: nowS + 86_400,
    abs_exp: nowS + 2_592_000,
    cart: '',
    ...changes,
  };
}

function setUp() {
  const signer = newSigner();
  const clock = movableClock();
  const feed = emptyFeed();
  const verifier = createAccessTokenVerifier({ keys: signer.ring, clock });
  const service = createPassportVerifier({ audience: 'cart', keys: signer.ring, feed, clock, accessTokens: true });
  const fresh = (changes: Partial<AccessTokenClaims> = {}) => signAccessToken(claims(clock.nowMs(), changes), signer);
  const forced = (changes: Record<string, unknown>, typ = 'at+jwt') =>
    signJws(signer, typ, Buffer.from(JSON.stringify({ ...claims(clock.nowMs()), ...changes })));
  return { signer, clock, feed, verifier, service, fresh, forced };
}

const nowS = () => Date.now() / 1000;

describe('an access token', () => {
  it('tells who it is of, how it is checked, and what a page shows', async () => {
    const { verifier, fresh } = setUp();
    expect(await verifier.verify(fresh())).toMatchObject({
      identity: { subject: 'u_1', handle: 'handle-1', accessMode: 'jwt-denylist', transaction: 'jti-1' },
      claims: { gen: 3, email: 'ada@example.com' },
    });
  });
  it.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'somebody' }],
    ['for one service, as a passport is', { aud: 'cart' }],
    ['for a list of audiences', { aud: ['cloakroom-shop'] }],
    ['of another client', { client_id: 'other' }],
    ['of a guest', { sub: 'g_1', state: 'guest' }],
    ['in an opaque mode', { mode: 'hybrid' }],
    ['that lives longer than five minutes', { iat: nowS(), exp: nowS() + 301 }],
    ['that ends before it begins', { iat: nowS(), exp: nowS() - 1 }],
    ['from the future', { iat: nowS() + 5, exp: nowS() + 60 }],
    ['authenticated in the future', { auth_time: nowS() + 100 }],
    ['without a generation', { gen: undefined }],
    ['with a generation below none', { gen: -1 }],
    ['with an end that is text', { exp: String(nowS() + 30) }],
    ['without an id', { jti: '' }],
  ])('%s is refused', async (_what, changes) => {
    const { verifier, forced } = setUp();
    expect(await verifier.verify(forced(changes))).toBe('invalid');
  });
  it.each(['passport+jwt', 'JWT', 'jwt', 'application/at+jwt', 'AT+JWT', 'event+jws'])('of the type %s is refused', async (typ) => {
    const { verifier, forced } = setUp();
    expect(await verifier.verify(forced({}, typ))).toBe('invalid');
  });
  it('that names a claim twice is refused', async () => {
    const { verifier, signer, clock } = setUp();
    const text = JSON.stringify(claims(clock.nowMs())).replace('{', '{"sub":"u_2",');
    expect(await verifier.verify(signJws(signer, 'at+jwt', Buffer.from(text)))).toBe('invalid');
  });
  it('is refused without a signature, with another algorithm, and with one changed letter', async () => {
    const { verifier, fresh } = setUp();
    const [header, payload, signature] = fresh().split('.') as [string, string, string];
    const none = Buffer.from('{"alg":"none","typ":"at+jwt","kid":"k1"}').toString('base64url');
    for (const forged of [`${none}.${payload}.`, `${none}.${payload}.${signature}`, `${header}.${payload}.`, `${header}.${payload}`])
      expect(await verifier.verify(forged)).toBe('invalid');
    const changed = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"u_1"', '"u_2"')).toString('base64url');
    expect(await verifier.verify(`${header}.${changed}.${signature}`)).toBe('invalid');
  });
  it('is never one that a key for passports alone has signed', async () => {
    const passports = newSigner('k1', 'Ed25519');
    const verifier = createAccessTokenVerifier({ keys: passports.ring, clock: movableClock() });
    expect(await verifier.verify(signAccessToken(claims(Date.now()), passports))).toBe('invalid');
  });

  it('expires to the millisecond although its signature is remembered', async () => {
    const { verifier, fresh, clock } = setUp();
    const token = fresh({ exp: Math.floor(nowS()) + 60 });
    expect(await verifier.verify(token)).toHaveProperty('identity');
    clock.aheadMs = 61_000;
    expect(await verifier.verify(token)).toBe('expired');
  });
  it('dies with its key at once, remembered or not', async () => {
    const { verifier, fresh, signer } = setUp();
    const token = fresh();
    expect(await verifier.verify(token)).toHaveProperty('identity');
    signer.ring.retire(signer.kid);
    expect(await verifier.verify(token)).toBe('invalid');
  });
  it('is not signed when nobody would accept it', () => {
    const { fresh } = setUp();
    expect(() => fresh({ exp: nowS() + 3_600 })).toThrow();
  });
});

describe('at a service', () => {
  it('in mode jwt it is not compared with what was revoked, in mode jwt-denylist it is', async () => {
    const { service, fresh, feed } = setUp();
    feed.revoke('handle-1');
    expect(await service.verifyAccessToken(fresh({ mode: 'jwt' }))).toMatchObject({ subject: 'u_1' });
    expect(await service.verifyAccessToken(fresh({ mode: 'jwt-denylist' }))).toEqual(problem('session_ended'));
  });
  it('is never taken for a passport, nor a passport for it', async () => {
    const { service, fresh, signer, clock } = setUp();
    expect(await service.verify(fresh())).toEqual(problem('invalid_passport'));
    expect(await service.verifyAccessToken(passportOf(signer, 'cart', 'user', clock.nowMs()))).toEqual(problem('invalid_passport'));
  });
  it('is refused where nobody said that it is taken', async () => {
    const { signer, clock, fresh } = setUp();
    const strict = createPassportVerifier({ audience: 'auth', keys: signer.ring, clock });
    expect(await strict.verifyAccessToken(fresh())).toEqual(problem('invalid_passport'));
  });
  it('ends a stream in mode jwt at its end, and in mode jwt-denylist when it is revoked', async () => {
    const { service, fresh, feed, clock } = setUp();
    const open = async (mode: 'jwt' | 'jwt-denylist') => {
      const identity = await service.verifyAccessToken(fresh({ mode, exp: nowS() + 60 }));
      if ('problem' in identity) throw new Error(identity.problem);
      return identity;
    };
    const [jwt, denylist] = [await open('jwt'), await open('jwt-denylist')];
    feed.revoke('handle-1');
    expect(service.standing(jwt)).toBeUndefined();
    expect(service.standing(denylist)).toEqual(problem('session_ended'));
    clock.aheadMs = 61_000;
    expect(service.standing(jwt)).toEqual(problem('invalid_passport'));
  });
  it('opens no sensitive method, however young it is', async () => {
    const { service, fresh, clock } = setUp();
    const method = (operationClass: OperationClass) => ({
      name: 'a.B/C',
      policy: { identity: Identity.USER, operationClass, authenticationAgeMaxS: 0, callers: ['gateway'] } as unknown as MethodPolicy,
    });
    const gateway = { name: 'gateway', proven: true, audience: 'cart' };
    const shown = { passport: undefined, accessToken: fresh() };
    expect(await judgeIdentity(method(OperationClass.SENSITIVE), gateway, shown, service, clock)).toEqual(problem('invalid_passport'));
    expect(await judgeIdentity(method(OperationClass.CART), gateway, shown, service, clock)).toHaveProperty('identity');
  });
});
