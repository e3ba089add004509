import { fromBinary } from '@bufbuild/protobuf';
import { RevocationEventSchema, topics } from '@cloakroom/contracts';
import { createPassportVerifier, parseJwks, verifyEvent } from '@cloakroom/identity';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { expect, it } from 'vitest';
import { guest, type Harness, look, ok, openHarness } from '../auth.harness.ts';
import { publishRows } from '../operations/relay.ts';
import { openSealer } from './sealed.ts';
import { openSigningKeys } from './signing-keys.ts';

const keyRing = ({ auth }: Harness) => ({ find: auth.keys.find, refresh: () => Promise.resolve(), retire: () => undefined });
const passport = async (harness: Harness) => (await look(harness, (await guest(harness)).token, 'cart')).passport!;
const keyText = (fill: number) => Buffer.alloc(32, fill).toString('base64url');
const kidOf = (jws: string) => (JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;

it('publishes public keys only, by which another library verifies a passport', async () => {
  const harness = await openHarness();
  const jwks = harness.auth.keys.jwks();
  expect(jwks).not.toContain('"d"');
  const { payload } = await jwtVerify(await passport(harness), createLocalJWKSet(JSON.parse(jwks) as never), {
    audience: 'cart',
    issuer: 'cloakroom-auth',
    typ: 'passport+jwt',
    currentDate: new Date(harness.clock.nowMs()),
  });
  expect(payload).toMatchObject({ aud: 'cart', state: 'guest' });
});

it('signs by the new key after a planned rotation, and the old one still verifies', async () => {
  const harness = await openHarness();
  const old = await passport(harness);
  const { activeKid, retiredKids } = ok(await harness.auth.keys.rotate(false, undefined));
  expect(kidOf(await passport(harness))).toBe(activeKid);
  expect(retiredKids).toEqual([]);
  expect([...parseJwks(harness.auth.keys.jwks()).keys()]).toEqual([activeKid, kidOf(old)]);
  const verifier = createPassportVerifier({ audience: 'cart', keys: keyRing(harness), clock: harness.clock });
  expect(await verifier.verify(old)).toMatchObject({ state: 'guest' });
});

it('refuses the old keys at once in an emergency, and tells everyone by the new key', async () => {
  const harness = await openHarness();
  const old = await passport(harness);
  ok(await harness.auth.keys.rotate(false, undefined));
  const { activeKid, retiredKids } = ok(await harness.auth.keys.rotate(true, undefined));
  expect(retiredKids).toHaveLength(2);
  expect([...parseJwks(harness.auth.keys.jwks()).keys()]).toEqual([activeKid]);
  const verifier = createPassportVerifier({ audience: 'cart', keys: keyRing(harness), clock: harness.clock });
  expect(await verifier.verify(old)).toEqual({ problem: 'invalid_passport' });

  await publishRows(harness.relay, topics.sessionRevocations);
  const told = harness.eventLog.of(topics.sessionRevocations);
  expect(told.map(({ value }) => fromBinary(RevocationEventSchema, value!).event)).toMatchObject(
    retiredKids.map((kid) => ({ case: 'keyRetired', value: { kid } })),
  );
  const record = { topic: topics.sessionRevocations.name, value: told[0]!.value, headers: told[0]!.headers! };
  expect(await verifyEvent(record, keyRing(harness))).toBe(true);
});

it('leaves one active key when two rotate at once', async () => {
  const harness = await openHarness();
  const rotated = await Promise.all([harness.auth.keys.rotate(false, undefined), harness.auth.keys.rotate(false, undefined)]);
  const active = await harness.auth.database.selectFrom('signing_keys').select('kid').where('state', '=', 'active').execute();
  expect(active).toEqual([{ kid: ok(rotated[1]).activeKid }]);
});

it('has the same keys after a restart', async () => {
  const url = await freshDatabaseUrl('lasting');
  const first = await openHarness({ url });
  ok(await first.auth.keys.rotate(false, undefined));
  const jwks = first.auth.keys.jwks();
  await first.auth.database.destroy();
  const second = await openHarness({ url });
  expect(second.auth.keys.jwks()).toBe(jwks);
  await second.auth.database.destroy();
});

it('keeps no private key in the database that could be read without the sealing key', async () => {
  const { auth } = await openHarness();
  const [row] = await auth.database.selectFrom('signing_keys').selectAll().execute();
  expect(row!.private_jwk).toMatch(/^s1\./);
  expect(() => openSealer(Buffer.alloc(32, 8).toString('base64url')).open(row!.private_jwk, `signing-key:${row!.kid}`)).toThrow(/opens/);
});

it('does not start on keys that it cannot open, rather than sign by others', async () => {
  const { auth } = await openHarness();
  const sealer = openSealer(Buffer.alloc(32, 8).toString('base64url'));
  await expect(openSigningKeys({ ...auth, sealer, nowMs: () => 0 })).rejects.toThrow(/KEY_ENCRYPTION_KEY/);
});

it('seals what an earlier version left plain, and seals again under a new sealing key', async () => {
  const { auth } = await openHarness();
  const jwks = auth.keys.jwks();
  const [row] = await auth.database.selectFrom('signing_keys').selectAll().execute();
  const plain = auth.sealer.open(row!.private_jwk, `signing-key:${row!.kid}`);
  await auth.database.updateTable('signing_keys').set({ private_jwk: plain }).execute();
  for (const text of [keyText(9), `${keyText(10)},${keyText(9)}`, keyText(10)]) {
    expect((await openSigningKeys({ ...auth, sealer: openSealer(text), nowMs: () => 0 })).jwks()).toBe(jwks);
    const [sealed] = await auth.database.selectFrom('signing_keys').selectAll().execute();
    expect(sealed!.private_jwk).toMatch(/^s1\./);
  }
});
