/** The operator's switch of the algorithm of passports: what it changes, what it leaves alone, and how builds that do not know Ed25519 live beside it. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { LoginRequestSchema, PassportAlgorithm, RotateKeysRequestSchema, TokenMode, topics } from '@cloakroom/contracts';
import { createPassportVerifier, parseJwks, passportAlgorithms, verifyEvent } from '@cloakroom/identity';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { contextOf, guest, type Harness, look, ok, openHarness, password, signUp } from '../auth.harness.ts';
import { type AuthSchema, migrations } from '../database/migrations.ts';
import { beatOnce, publishRows } from '../operations/relay.ts';
import { login } from '../sign-in/login.ts';
import { judgedByOlderBuild, keysOfOlderBuild } from './es256-only.fixture.ts';
import { openSealer } from './sealed.ts';
import { openSigningKeys } from './signing-keys.ts';
import { rotateKeys } from './rotate-keys.ts';

interface Jwk extends Record<string, string> {
  readonly kid: string;
}
const headerOf = (jws: string) => JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString()) as { alg: string; kid: string };
const published = ({ auth }: Harness) => (JSON.parse(auth.keys.jwks()) as { keys: Jwk[] }).keys;
const passportOf = async (harness: Harness, token: string) => (await look(harness, token, 'cart')).passport!;
const switchTo = async ({ auth }: Harness, algorithm: 'ES256' | 'Ed25519') => ok(await auth.keys.rotate(false, undefined, algorithm));
const lasting = () => freshDatabaseUrl('lasting');
const verifierOf = ({ auth, clock }: Harness) =>
  createPassportVerifier({
    audience: 'cart',
    clock,
    keys: { find: auth.keys.find, refresh: () => Promise.resolve(), retire: () => undefined },
  });
async function accessTokenOf(harness: Harness, email: string): Promise<string> {
  const request = create(LoginRequestSchema, { email, password, mode: TokenMode.JWT, remoteAddress: '127.0.0.1' });
  return ok(await login(harness.auth, contextOf(), request)).accessToken!;
}

it('a new database signs passports by ES256, and a planned rotation leaves it so', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  expect(headerOf(await passportOf(harness, token)).alg).toBe('ES256');
  ok(await harness.auth.keys.rotate(false, undefined));
  expect(headerOf(await passportOf(harness, token)).alg).toBe('ES256');
  expect(published(harness).map(({ kty }) => kty)).toEqual(['EC', 'EC']);
});

it('the switch changes passports alone: access tokens and events stay ES256', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com'));
  const switched = await switchTo(harness, 'Ed25519');
  expect(headerOf(await passportOf(harness, (await guest(harness)).token))).toMatchObject({ alg: 'Ed25519', kid: switched.passportKid });
  expect(headerOf(await accessTokenOf(harness, 'ada@example.com'))).toMatchObject({ alg: 'ES256', kid: switched.activeKid });
  await beatOnce(harness.relay);
  await publishRows(harness.relay, topics.identityEvents);
  const events = [topics.identityEvents, topics.sessionRevocations].flatMap((topic) => harness.eventLog.of(topic));
  expect(events.length).toBeGreaterThan(1);
  for (const { headers } of events) expect(headerOf(headers!['jws']!.toString())).toMatchObject({ alg: 'ES256', kid: switched.activeKid });
});

it('another library verifies such a passport by the published key, whose kid is its thumbprint (RFC 7638, RFC 8037 2)', async () => {
  const harness = await openHarness();
  const { passportKid } = await switchTo(harness, 'Ed25519');
  const jwk = published(harness).find(({ kid }) => kid === passportKid)!;
  expect(jwk).toEqual({
    kty: 'OKP',
    crv: 'Ed25519',
    x: expect.stringMatching(/^[\w-]{43}$/),
    kid: passportKid,
    alg: 'Ed25519',
    use: 'sig',
  });
  const thumbprint = (x: string) =>
    createHash('sha256')
      .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
      .digest('base64url');
  // The example of RFC 8037 A.3, then ours.
  expect(thumbprint('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  expect(thumbprint(jwk['x']!)).toBe(passportKid);
  const checks = { audience: 'cart', issuer: 'cloakroom-auth', typ: 'passport+jwt', currentDate: new Date(harness.clock.nowMs()) };
  const passport = await passportOf(harness, (await guest(harness)).token);
  const { payload } = await jwtVerify(passport, createLocalJWKSet({ keys: published(harness) } as never), checks);
  expect(payload).toMatchObject({ aud: 'cart', state: 'guest' });
});

it('nobody is signed out: a session goes on, and passports of before verify, through the switch and back', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com'));
  const { token } = await guest(harness);
  const access = await accessTokenOf(harness, 'ada@example.com');
  const passports = [await passportOf(harness, token)];
  for (const algorithm of ['Ed25519', 'ES256', 'Ed25519'] as const) {
    await switchTo(harness, algorithm);
    passports.push(await passportOf(harness, token));
    expect(headerOf(passports.at(-1)!).alg).toBe(algorithm);
    for (const passport of passports) expect(await verifierOf(harness).verify(passport)).toMatchObject({ state: 'guest' });
    expect(await harness.auth.accessTokens.verify(access)).toMatchObject({ claims: { email: 'ada@example.com' } });
  }
  expect(new Set(passports.map((passport) => headerOf(passport).kid)).size).toBe(4);
});

it('the choice outlives a rotation and a restart, and every replica follows it there and back', async () => {
  const url = await lasting();
  const first = await openHarness({ url });
  await switchTo(first, 'Ed25519');
  const { passportKid } = ok(await first.auth.keys.rotate(false, undefined));
  const second = await openHarness({ url });
  expect(second.auth.keys.forPassports().kid).toBe(passportKid);
  expect(second.auth.keys.jwks()).toBe(first.auth.keys.jwks());
  const { activeKid } = await switchTo(first, 'ES256');
  await second.auth.keys.reload();
  expect(second.auth.keys.forPassports().kid).toBe(activeKid);
  expect(second.auth.keys.find(passportKid)).toBeDefined();
  await first.auth.database.destroy();
  await second.auth.database.destroy();
});

it('follows a switch that changes no key, only which one is active', async () => {
  const { auth } = await openHarness();
  const { passportKid } = ok(await auth.keys.rotate(false, undefined, 'Ed25519'));
  await auth.database.updateTable('passport_keys').set({ state: 'previous' }).where('kid', '=', passportKid).execute();
  await auth.keys.reload();
  expect(auth.keys.forPassports().kid).toBe(auth.keys.active().kid);
});

it('an emergency retires the keys of both algorithms, tells of each by ES256, and keeps the choice', async () => {
  const harness = await openHarness();
  const { activeKid, passportKid } = await switchTo(harness, 'Ed25519');
  const old = await passportOf(harness, (await guest(harness)).token);
  const { retiredKids, passportAlgorithm } = ok(await harness.auth.keys.rotate(true, undefined));
  expect(retiredKids).toEqual(expect.arrayContaining([activeKid, passportKid]));
  expect(passportAlgorithm).toBe('Ed25519');
  expect(published(harness).map(({ kty }) => kty)).toEqual(['EC', 'OKP']);
  expect(await verifierOf(harness).verify(old)).toEqual({ problem: 'invalid_passport' });
  await publishRows(harness.relay, topics.sessionRevocations);
  const told = harness.eventLog.of(topics.sessionRevocations);
  expect(told).toHaveLength(retiredKids.length);
  const keys = { find: harness.auth.keys.find, refresh: () => Promise.resolve(), retire: () => undefined };
  for (const { value, headers } of told)
    expect(await verifyEvent({ topic: topics.sessionRevocations.name, value, headers: headers! }, keys)).toBe(true);
});

it('private Ed25519 keys lie sealed, and are sealed again under a new sealing key', async () => {
  const { auth } = await openHarness();
  ok(await auth.keys.rotate(false, undefined, 'Ed25519'));
  const jwks = auth.keys.jwks();
  const sealedNow = async () => (await auth.database.selectFrom('passport_keys').select('private_jwk').execute())[0]!.private_jwk;
  const before = await sealedNow();
  const [oldKey, newKey] = [9, 10].map((fill) => Buffer.alloc(32, fill).toString('base64url'));
  const again = await openSigningKeys({ ...auth, sealer: openSealer(`${newKey},${oldKey}`), nowMs: () => 0 });
  expect(again.jwks()).toBe(jwks);
  expect(await sealedNow()).toMatch(/^s1\./);
  expect(await sealedNow()).not.toBe(before);
});

it('the rpc switches to what it knows, and refuses an algorithm of a later build without a rotation', async () => {
  const { auth } = await openHarness();
  const ask = (passportAlgorithm: PassportAlgorithm) =>
    rotateKeys(auth, contextOf(), create(RotateKeysRequestSchema, { retireOldNow: false, passportAlgorithm }));
  expect(await ask(PassportAlgorithm.ED25519)).toMatchObject({ passportAlgorithm: PassportAlgorithm.ED25519 });
  expect(await ask(PassportAlgorithm.UNSPECIFIED)).toMatchObject({ passportAlgorithm: PassportAlgorithm.ED25519 });
  const jwks = auth.keys.jwks();
  expect(await ask(9 as PassportAlgorithm)).toMatchObject({ problem: 'invalid_request' });
  expect(auth.keys.jwks()).toBe(jwks);
  expect(await ask(PassportAlgorithm.ES256)).toMatchObject({ passportAlgorithm: PassportAlgorithm.ES256 });
});

it('an older build keeps its keys and its lease, and refuses Ed25519 passports rather than mistake them', async () => {
  const harness = await openHarness();
  const { token } = await guest(harness);
  const before = await passportOf(harness, token);
  await switchTo(harness, 'Ed25519');
  const keys = keysOfOlderBuild(harness.auth.keys.jwks());
  expect(keys.size).toBe(2);
  await beatOnce(harness.relay);
  const [beat] = harness.eventLog.of(topics.sessionRevocations);
  expect(judgedByOlderBuild(beat!.headers!['jws']!.toString(), keys, beat!.value!)).toBe('valid');
  expect(judgedByOlderBuild(before, keys)).toBe('valid');
  expect(judgedByOlderBuild(await passportOf(harness, token), keys)).toBe('wrong_algorithm');
  await switchTo(harness, 'ES256');
  expect(judgedByOlderBuild(await passportOf(harness, token), keysOfOlderBuild(harness.auth.keys.jwks()))).toBe('valid');
  const alone = JSON.stringify({ keys: published(harness).filter(({ kty }) => kty === 'OKP') });
  expect(() => keysOfOlderBuild(alone), 'which is why auth always publishes an ES256 key').toThrow(/0 usable/);
});

it('an older replica of auth starts on the same database, and finds one active key, of ES256', async () => {
  const url = await lasting();
  const harness = await openHarness({ url });
  const { activeKid } = await switchTo(harness, 'Ed25519');
  const older = await openDatabase<AuthSchema>(url, migrations, { name: 'auth', log: createLogger('auth-test', 'silent') });
  const rows = await older.selectFrom('signing_keys').selectAll().where('state', '!=', 'retired').execute();
  expect(rows.filter(({ state }) => state === 'active').map(({ kid }) => kid)).toEqual([activeKid]);
  for (const { kid, private_jwk } of rows)
    expect(JSON.parse(harness.auth.sealer.open(private_jwk, `signing-key:${kid}`))).toMatchObject({ kty: 'EC', crv: 'P-256' });
  await older.destroy();
  await harness.auth.database.destroy();
});

it('a verifier takes each algorithm that auth may be told to sign with', async () => {
  const harness = await openHarness();
  for (const algorithm of passportAlgorithms) {
    await switchTo(harness, algorithm as 'ES256' | 'Ed25519');
    expect(parseJwks(harness.auth.keys.jwks()).has(harness.auth.keys.forPassports().kid)).toBe(true);
    expect(await verifierOf(harness).verify(await passportOf(harness, (await guest(harness)).token))).toMatchObject({ state: 'guest' });
  }
});
