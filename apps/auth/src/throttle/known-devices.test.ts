import { create } from '@bufbuild/protobuf';
import { LoginRequestSchema } from '@cloakroom/contracts';
import { makeKnownDevice } from '@cloakroom/session';
import { expect, it } from 'vitest';
import { contextOf, type Harness, ok, openHarness, password, signUp } from '../auth.harness.ts';
import { forgetDevices, knownDeviceOf, pruneDevices } from './known-devices.ts';
import { login } from '../sign-in/login.ts';
import { noticesOf } from '../accounts/notices.ts';

const email = 'ada@example.com';
const day = 24 * 60 * 60 * 1000;
const from = ({ auth }: Harness, knownDevice: string, secret = password, who = email) =>
  login(auth, contextOf(), create(LoginRequestSchema, { email: who, password: secret, knownDevice, remoteAddress: '192.0.2.1' }));

async function withOwner() {
  const harness = await openHarness();
  const issued = ok(await signUp(harness, email));
  return { harness, cookie: issued.knownDevice!, subject: issued.session!.subject! };
}

/** Ten wrong passwords of this account and a hundred of this address. */
async function attack(harness: Harness) {
  for (let i = 0; i < 10; i += 1) await from(harness, '', 'wrong');
  for (let i = 0; i < 90; i += 1) await from(harness, '', 'wrong', `${i}@example.com`);
}

it('lets the owner in on a known device that is signed out, whatever a stranger has used up of account and address', async () => {
  const { harness, cookie } = await withOwner();
  await attack(harness);
  expect(await from(harness, '')).toMatchObject({ problem: 'too_many_attempts' });
  expect(ok(await from(harness, cookie)).session).toMatchObject({ email });
});

it('gives a known device ten failures of its own, and a stranger none of them', async () => {
  const { harness, cookie } = await withOwner();
  for (let i = 0; i < 10; i += 1) expect(await from(harness, cookie, 'wrong')).toEqual({ problem: 'invalid_credentials' });
  expect(await from(harness, cookie)).toMatchObject({ problem: 'too_many_attempts' });
  // The account's own count was not touched.
  const second = ok(await from(harness, '')).knownDevice!;
  expect(second).not.toBe(cookie);
  expect(ok(await from(harness, second)).session).toMatchObject({ email });
});

it('is of one account: it opens no other’s count, and one that was made up opens none', async () => {
  const { harness, cookie, subject } = await withOwner();
  const grace = ok(await signUp(harness, 'grace@example.com'));
  await attack(harness);
  const madeUp = makeKnownDevice(subject, Buffer.alloc(32, 3), harness.auth.macKeys).cookie;
  for (const false_ of [grace.knownDevice!, madeUp, `${cookie}x`, cookie.replace(subject, grace.session!.subject!), 'nonsense']) {
    expect(await from(harness, false_)).toMatchObject({ problem: 'too_many_attempts' });
  }
  expect(await knownDeviceOf(harness.auth, cookie, undefined)).toBeUndefined();
});

it('keeps its cookie from sign-in to sign-in, and is forgotten half a year after the last', async () => {
  const { harness, cookie, subject } = await withOwner();
  harness.clock.advance(179 * day);
  expect(ok(await from(harness, cookie)).knownDevice).toBe(cookie);
  harness.clock.advance(179 * day);
  expect(await knownDeviceOf(harness.auth, cookie, subject)).toBeDefined();
  harness.clock.advance(day);
  expect(await knownDeviceOf(harness.auth, cookie, subject)).toBeUndefined();
  expect(await pruneDevices(harness.auth.database, harness.clock.nowMs())).toBe(1);
  expect(ok(await from(harness, cookie)).knownDevice).not.toBe(cookie);
});

it('is one of twenty at most: the one used longest ago is forgotten', async () => {
  const { harness, cookie, subject } = await withOwner();
  for (let i = 0; i < 20; i += 1) {
    harness.clock.advance(1_000);
    ok(await from(harness, ''));
  }
  expect(await knownDeviceOf(harness.auth, cookie, subject)).toBeUndefined();
  expect(await harness.auth.database.selectFrom('known_devices').selectAll().execute()).toHaveLength(20);
});

it('is forgotten with the others when the account says so', async () => {
  const { harness, cookie, subject } = await withOwner();
  await harness.auth.outbox.commit((trx) => forgetDevices(trx, subject));
  expect(await knownDeviceOf(harness.auth, cookie, subject)).toBeUndefined();
});

it('tells the person of a sign-in on a new device, not of the one the account was made on', async () => {
  const { harness, cookie, subject } = await withOwner();
  ok(await from(harness, cookie));
  expect(await noticesOf(harness.auth.database, subject)).toEqual([]);
  ok(await from(harness, ''));
  expect(await noticesOf(harness.auth.database, subject)).toMatchObject([{ kind: 'new_device' }]);
});

it('is kept by a hash that opens nothing', async () => {
  const { harness, cookie } = await withOwner();
  const dump = JSON.stringify(await harness.auth.database.selectFrom('known_devices').selectAll().execute());
  for (const part of cookie.split('.').slice(2)) expect(dump).not.toContain(part);
});
