import { create, toBinary } from '@bufbuild/protobuf';
import { mirroredTopic, problem, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { type EventLog, openEventLog } from '@cloakroom/event-log';
import type { VerifiedIdentity } from '@cloakroom/mesh';
import { systemClock } from '@cloakroom/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { accessTokenAudience, accessTokenClient, accessTokenIssuer, createAccessTokenVerifier, signAccessToken } from './access-token.ts';
import { signEvent } from './events-signature.ts';
import type { RevocationFeed } from './identity.ts';
import { openKeyRing } from './keys.ts';
import { openLateFeed } from './late-feed.ts';
import { emptyFeed, newSigner, passportOf, silent, type Signer } from './mesh/mesh.fixture.ts';
import { createPassportVerifier } from './passport.ts';
import { createVerifierOfRegions } from './regions.ts';

const clock = systemClock;
// Both auths may well name a key alike.
const signers: Readonly<Record<'eu' | 'us', Signer>> = { eu: newSigner('k1'), us: newSigner('k1') };
const of = (region: 'eu' | 'us', feed?: RevocationFeed) =>
  createPassportVerifier({ audience: 'cart', keys: signers[region].ring, feed, clock, accessTokens: true, region });
const passport = (signer: Signer, region: string) => passportOf(signer, 'cart', 'user', Date.now(), { region });
const access = (signer: Signer, region: string) => {
  const nowS = Date.now() / 1000;
  const who = { sub: 'u_1', sid: 'handle-1', gen: 0, epoch: 1, gepoch: 0, state: 'user', mode: 'jwt-denylist', acr: '1' } as const;
  const times = { auth_time: nowS, iat: nowS, exp: nowS + 60, created: nowS, idle_exp: nowS + 60, abs_exp: nowS + 60 };
  const made = { iss: accessTokenIssuer, aud: accessTokenAudience, client_id: accessTokenClient, jti: 'j' } as const;
  return signAccessToken({ ...made, ...who, ...times, amr: ['pwd'], region, name: 'Ada', email: 'ada@example.com', cart: '' }, signer);
};
const invalid = problem('invalid_passport');

describe('a credential with several regions', () => {
  const verifier = createVerifierOfRegions('cart', new Map([['eu', of('eu')] as const, ['us', of('us')] as const]));

  it.each(['eu', 'us'] as const)('of %s is judged by the keys of that region', async (region) => {
    expect(await verifier.verify(passport(signers[region], region))).toMatchObject({ region });
    expect(await verifier.verifyAccessToken(access(signers[region], region))).toMatchObject({ region });
  });

  it("that names us and is signed by eu's key opens nothing, whoever is asked", async () => {
    expect(await verifier.verify(passport(signers.eu, 'us'))).toEqual(invalid);
    expect(await verifier.verifyAccessToken(access(signers.eu, 'us'))).toEqual(invalid);
    // The verifier that has the right key for the signature refuses it too.
    expect(await of('eu').verify(passport(signers.eu, 'us'))).toEqual(invalid);
    expect(await createAccessTokenVerifier({ keys: signers.eu.ring, clock, region: 'eu' }).verify(access(signers.eu, 'us'))).toBe(
      'invalid',
    );
  });

  it('of a region that is not known here, or that cannot be read, opens nothing', async () => {
    for (const token of [passport(signers.eu, 'ap'), 'no.token.atall', 'x', `a.${Buffer.from('null').toString('base64url')}.c`])
      expect(await verifier.verify(token)).toEqual(invalid);
    expect(verifier.standing({ region: 'ap' } as VerifiedIdentity)).toEqual(invalid);
  });

  it('is ended by the feed of its own region alone', async () => {
    const feeds = { eu: emptyFeed(), us: emptyFeed() };
    const both = createVerifierOfRegions('cart', new Map([['eu', of('eu', feeds.eu)] as const, ['us', of('us', feeds.us)] as const]));
    const told = vi.fn<() => void>();
    both.onRevocation(told);
    feeds.us.revoke('handle-1');
    expect(told).toHaveBeenCalledOnce();
    expect(await both.verify(passport(signers.eu, 'eu'))).toMatchObject({ region: 'eu' });
    expect(await both.verify(passport(signers.us, 'us'))).toEqual(problem('session_ended'));
  });

  it('passes with any region where a shop has one', async () => {
    const alone = createPassportVerifier({ audience: 'cart', keys: signers.eu.ring, clock });
    expect(await alone.verify(passport(signers.eu, 'before'))).toMatchObject({ region: 'before' });
  });
});

it('keeps the keys of a region that cannot be reached any more', async () => {
  let cut = false;
  const fetchJwks = () => Promise.resolve(cut ? problem('unavailable') : JSON.stringify({ keys: [signers.us.jwk()] }));
  const ring = openKeyRing({ fetchJwks, log: silent });
  await ring.ready;
  cut = true;
  await expect(ring.refresh('unknown')).rejects.toThrow('unavailable');
  expect(ring.find('k1')).toBeDefined();
  ring.stop();
});

describe('the feeds of two regions', () => {
  const startedMs = performance.now();
  const beatMs = () => BigInt(Math.floor(performance.now() - startedMs));
  const copy = mirroredTopic(topics.sessionRevocations, 'us');
  let eventLog: EventLog;
  let feeds: Record<'eu' | 'us', RevocationFeed>;
  let asked: string[];

  beforeEach(async () => {
    eventLog = await openEventLog({ kind: 'embedded', log: silent, clock });
    asked = [];
    const open = (region: 'eu' | 'us', origin?: string) =>
      openLateFeed({
        eventLog,
        keys: signers[region].ring,
        askRelay: () => {
          asked.push(region);
          return Promise.resolve({ boot: `boot-${region}`, beatMs: Number(beatMs()) + 1 });
        },
        clock,
        log: silent,
        group: `test-${region}`,
        ...(origin !== undefined && { origin }),
      });
    feeds = { eu: open('eu'), us: open('us', 'us') };
    await Promise.all([feeds.eu.ready, feeds.us.ready]);
  });
  afterEach(async () => {
    await Promise.all([feeds.eu.stop(), feeds.us.stop()]);
    await eventLog.close();
  });

  /** Writes what `region` signed to its own log or, as a mirror or an attacker would, to the copy of us. */
  async function write(region: 'eu' | 'us', to: 'own' | 'copy', event: object): Promise<void> {
    const value = Buffer.from(
      toBinary(RevocationEventSchema, create(RevocationEventSchema, { atMs: BigInt(Date.now()), event: event as never })),
    );
    // Each auth signs for the log that it writes, which has the same name in both regions.
    const jws = signEvent(topics.sessionRevocations, value, signers[region]);
    await eventLog.publish(to === 'own' ? topics.sessionRevocations : copy, [{ key: 'x', value, headers: { jws } }]);
  }
  const beat = (region: 'eu' | 'us', globalEpoch = 0n) => ({
    case: 'heartbeat',
    value: { boot: `boot-${region}`, beatMs: beatMs(), globalEpoch },
  });
  const revoked = (handle: string) => ({
    case: 'sessionRevoked',
    value: { tokenHash: `t-${handle}`, handle, subject: 'u_1', ended: true, revokedAtMs: 1n, forgetAfterMs: 2n },
  });
  const identity = { subject: 'u_2', handle: 'h2', epoch: 5, globalEpoch: 0, issuedAtMs: 1_000 };
  const until = (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5_000 });

  it('have a lease each, by the clock of their own relay', async () => {
    await write('us', 'copy', beat('us'));
    await until(() => feeds.us.leaseValid());
    expect([feeds.eu.leaseValid(), asked]).toEqual([false, ['us']]);
    await write('eu', 'own', beat('eu'));
    await until(() => feeds.eu.leaseValid());
    expect(asked).toEqual(['us', 'eu']);
  });

  it('end the sessions of their own region, and raise its epoch alone', async () => {
    await write('us', 'copy', revoked('h1'));
    await write('us', 'copy', beat('us', 7n));
    await until(() => feeds.us.leaseValid());
    await write('eu', 'own', beat('eu', 1n));
    await until(() => feeds.eu.leaseValid());
    expect([feeds.us.isTokenRevoked('t-h1'), feeds.eu.isTokenRevoked('t-h1')]).toEqual([true, false]);
    expect([feeds.us.isRevoked({ ...identity, globalEpoch: 6 }), feeds.eu.isRevoked({ ...identity, globalEpoch: 6 })]).toEqual([
      true,
      false,
    ]);
  });

  it('take a record of the other log for forged: it ends nobody, renews nothing, and what was cached is distrusted', async () => {
    await write('us', 'copy', beat('us'));
    await until(() => feeds.us.leaseValid());
    const heard: string[] = [];
    feeds.us.onRevocation(({ kind }) => heard.push(kind));
    await write('eu', 'copy', revoked('h2'));
    await until(() => heard.length > 0);
    await write('eu', 'copy', beat('us', 9n));
    await until(() => heard.length > 1);
    expect(heard).toEqual(['distrust', 'distrust']);
    expect([feeds.us.leaseValid(), feeds.us.isRevoked(identity), feeds.eu.isRevoked(identity)]).toEqual([false, false, false]);
  });
});
