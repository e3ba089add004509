import { describe, expect, it, vi } from 'vitest';
import { problem } from '@cloakroom/contracts';
import { signJws } from './jws.ts';
import { claims, emptyFeed, movableClock, newSigner, passportOf } from './mesh/mesh.fixture.ts';
import { createPassportVerifier, type PassportClaims } from './passport.ts';

function setUp() {
  const signer = newSigner();
  const clock = movableClock();
  const feed = emptyFeed();
  const verifier = createPassportVerifier({ audience: 'cart', keys: signer.ring, feed, clock });
  const fresh = (changes: Partial<PassportClaims> = {}) => passportOf(signer, 'cart', 'user', clock.nowMs(), changes);
  /** Signed although its claims are wrong. */
  const forced = (changes: Record<string, unknown>) =>
    signJws(signer, 'passport+jwt', Buffer.from(JSON.stringify({ ...claims('cart', 'user', clock.nowMs()), ...changes })));
  return { signer, clock, feed, verifier, fresh, forced };
}

const invalid = problem('invalid_passport');

describe('a passport', () => {
  it('tells who the call is for', async () => {
    const { verifier, fresh, clock } = setUp();
    const identity = await verifier.verify(fresh({ act: { sub: 'orders', act: { sub: 'profile' } }, scope: 'a.B/C a.B/D' }));
    expect(identity).toMatchObject({
      subject: 'u_1',
      handle: 'handle-1',
      state: 'user',
      epoch: 1,
      amr: ['pwd'],
      actors: ['orders', 'profile'],
      scope: ['a.B/C', 'a.B/D'],
    });
    expect(identity).toMatchObject({ expiresAtMs: expect.closeTo(clock.nowMs() + 60_000, -3) });
    expect(Object.isFrozen(identity)).toBe(true);
  });

  const nowS = () => Date.now() / 1000;
  it.each<[string, () => Record<string, unknown>]>([
    ['of another issuer', () => ({ iss: 'cloakroom-auth2' })],
    ['for another audience', () => ({ aud: 'profile' })],
    ['for a list of audiences', () => ({ aud: ['cart'] })],
    ['for everybody', () => ({ aud: '' })],
    ['that has expired', () => ({ iat: nowS() - 61, exp: nowS() - 1, auth_time: 0 })],
    ['that expires now', () => ({ iat: nowS() - 60, exp: nowS(), auth_time: 0 })],
    ['from the future', () => ({ iat: nowS() + 5, exp: nowS() + 20 })],
    ['that lives too long', () => ({ exp: nowS() + 3_600 })],
    ['that ends before it begins', () => ({ exp: nowS() - 5, iat: nowS() })],
    ['with an end that is text', () => ({ exp: String(nowS() + 30) })],
    ['without an end', () => ({ exp: undefined })],
    ['without a beginning', () => ({ iat: undefined })],
    ['with a huge end', () => ({ exp: 1e300 })],
    ['of a guest who calls himself a user', () => ({ sub: 'g_1' })],
    ['of a user with the state of a guest', () => ({ state: 'guest' })],
    ['of an unknown state', () => ({ state: 'admin' })],
    ['authenticated in the future', () => ({ auth_time: nowS() + 100 })],
    ['with too many actors', () => ({ scope: 'a.B/C', act: { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd' } } } } })],
    ['of an actor without a scope', () => ({ act: { sub: 'orders' } })],
    ['with a scope of nobody', () => ({ scope: 'a.B/C' })],
    ['with an empty scope', () => ({ act: { sub: 'orders' }, scope: '' })],
    ['with a list for a scope', () => ({ act: { sub: 'orders' }, scope: ['a.B/C'] })],
    ['with a scope of all', () => ({ act: { sub: 'orders' }, scope: '*' })],
    ['without a handle', () => ({ sid: '' })],
  ])('%s is refused', async (_what, changes) => {
    const { verifier, forced } = setUp();
    expect(await verifier.verify(forced(changes()))).toEqual(invalid);
  });

  it('is verified by ES256 and by Ed25519 at once, each by a key of its own', async () => {
    const signers = [newSigner('k1'), newSigner('k2', 'Ed25519')];
    const keys = { ...signers[0]!.ring, find: (kid: string) => signers.map(({ ring }) => ring.find(kid)).find(Boolean) };
    const verifier = createPassportVerifier({ audience: 'cart', keys, clock: movableClock() });
    for (const signer of [...signers, ...signers])
      expect(await verifier.verify(passportOf(signer, 'cart', 'user', Date.now()))).toMatchObject({ subject: 'u_1' });
    const crossed = signers.map((signer, at) => passportOf({ ...signer, kid: signers[1 - at]!.kid }, 'cart', 'user', Date.now()));
    for (const passport of crossed) expect(await verifier.verify(passport)).toEqual(invalid);
  });

  it('in which a member is repeated is refused', async () => {
    const { verifier, signer, clock } = setUp();
    const json = JSON.stringify(claims('cart', 'user', clock.nowMs()));
    expect(await verifier.verify(signJws(signer, 'passport+jwt', Buffer.from(json.replace('{', '{"sub":"u_2",'))))).toEqual(invalid);
  });

  it('signed as an event is refused', async () => {
    const { verifier, signer, clock } = setUp();
    const json = Buffer.from(JSON.stringify(claims('cart', 'user', clock.nowMs())));
    expect(await verifier.verify(signJws(signer, 'event+jws', json))).toEqual(invalid);
  });
});

describe('a remembered passport', () => {
  it('is checked once and recognised by its bytes', async () => {
    const { verifier, fresh, signer } = setUp();
    const find = vi.spyOn(signer.ring, 'find');
    const passport = fresh();
    const first = await verifier.verify(passport);
    const looked = find.mock.calls.length;
    expect(await verifier.verify(passport)).toBe(first);
    expect(find.mock.calls.length).toBe(looked + 1);
  });

  it('ends at its own time', async () => {
    const { verifier, fresh, clock } = setUp();
    const passport = fresh();
    expect(await verifier.verify(passport)).toHaveProperty('subject');
    clock.aheadMs = 59_000;
    expect(await verifier.verify(passport)).toHaveProperty('subject');
    clock.aheadMs = 60_001;
    expect(await verifier.verify(passport)).toEqual(invalid);
  });

  it('ends with the revocation of its session', async () => {
    const { verifier, fresh, feed } = setUp();
    const passport = fresh();
    expect(await verifier.verify(passport)).toHaveProperty('subject');
    feed.revoke('handle-1');
    expect(await verifier.verify(passport)).toEqual(problem('session_ended'));
  });

  it('ends when its key is retired', async () => {
    const { verifier, fresh, signer } = setUp();
    const passport = fresh();
    expect(await verifier.verify(passport)).toHaveProperty('subject');
    signer.ring.retire('k1');
    expect(await verifier.verify(passport)).toEqual(invalid);
  });
});

describe('a passport of an unknown key', () => {
  it('is looked up once more after the keys were fetched again', async () => {
    const clock = movableClock();
    const [old, next] = [newSigner('k1'), newSigner('k2')];
    let known = old.ring.find;
    const keys = { ...old.ring, find: (kid: string) => known(kid), refresh: () => Promise.resolve(void (known = next.ring.find)) };
    const verifier = createPassportVerifier({ audience: 'cart', keys, clock });
    expect(await verifier.verify(passportOf(next, 'cart', 'guest', clock.nowMs()))).toMatchObject({ subject: 'g_1' });
  });

  it('is refused when auth does not know it either, after one look', async () => {
    const { verifier, signer, clock } = setUp();
    expect(await verifier.verify(passportOf(newSigner('k9'), 'cart', 'user', clock.nowMs()))).toEqual(invalid);
    expect(signer.ring.refreshed).toBe(1);
  });

  it('is no verdict while auth cannot be asked', async () => {
    const { signer, clock } = setUp();
    const keys = { ...signer.ring, refresh: () => Promise.reject(new Error('no answer')) };
    const verifier = createPassportVerifier({ audience: 'cart', keys, clock });
    expect(await verifier.verify(passportOf(newSigner('k9'), 'cart', 'user', clock.nowMs()))).toEqual(problem('identity_unavailable'));
  });
});

describe('the standing of an identity whose passport has expired', () => {
  it('lasts while the feed is heard, and no longer', async () => {
    const { verifier, fresh, feed, clock } = setUp();
    const identity = await verifier.verify(fresh());
    if ('problem' in identity) throw new Error(identity.problem);
    clock.aheadMs = 120_000;
    expect(verifier.standing(identity)).toBeUndefined();
    feed.lease = false;
    expect(verifier.standing(identity)).toEqual(invalid);
    feed.revoke('handle-1');
    expect(verifier.standing(identity)).toEqual(problem('session_ended'));
  });
});
