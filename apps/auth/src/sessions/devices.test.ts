import { create } from '@bufbuild/protobuf';
import {
  EndDeviceRequestSchema,
  LoginRequestSchema,
  LogoutRequestSchema,
  ReauthenticateRequestSchema,
  TokenMode,
  topics,
} from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { contextOf, type Harness, look, ok, openHarness, outboxOf, password, personWith, signIn, signUp } from '../auth.harness.ts';
import { endDevice } from './end-device.ts';
import { endOtherDevices } from './end-other-devices.ts';
import { listDevices } from './list-devices.ts';
import { login } from '../sign-in/login.ts';
import { logout } from './logout.ts';
import { reauthenticate } from '../sign-in/reauthenticate.ts';

const email = 'ada@example.com';

async function twoDevices() {
  const harness = await openHarness();
  const laptop = ok(await signUp(harness, email)).token!;
  harness.clock.advance(1_000);
  const phone = ok(await signIn(harness, email)).token!;
  return { harness, laptop, phone };
}

const revocations = async (harness: Harness) =>
  (await outboxOf(harness, topics.sessionRevocations)).map((row) => (JSON.parse(row.event) as { sessionRevoked: object }).sessionRevoked);
const logoutWith = ({ auth }: Harness, token: string) => logout(auth, contextOf(), create(LogoutRequestSchema, { token }));
const alive = async (harness: Harness, token: string) => (await look(harness, token)).session !== undefined;
const prove = async (harness: Harness, token: string, secret = password) =>
  reauthenticate(harness.auth, await personWith(harness, token), create(ReauthenticateRequestSchema, { token, password: secret }));

it('ends the session for ever at logout, and a repeated logout changes nothing', async () => {
  const { harness, laptop, phone } = await twoDevices();
  await logoutWith(harness, laptop);
  await logoutWith(harness, laptop);
  await logoutWith(harness, 'never ours');
  expect([await alive(harness, laptop), await alive(harness, phone)]).toEqual([false, true]);
  expect(await revocations(harness)).toEqual([
    expect.objectContaining({ ended: true, handle: expect.any(String), tokenHash: expect.any(String) }),
  ]);
});

it('says whether a token that is signed out, or signed in over, was its own: alive, dead and of either kind, and never a forged one', async () => {
  const { harness, laptop } = await twoDevices();
  const mode = TokenMode.JWT_DENYLIST;
  const selfContained = ok(await login(harness.auth, contextOf(), create(LoginRequestSchema, { email, password, mode }))).refreshToken!;
  const isOwn = async (token: string) => {
    const { currentTokenOwn } = ok(await signIn(harness, email, token));
    const { own } = await logoutWith(harness, token);
    return [currentTokenOwn, own];
  };
  for (const token of [laptop, selfContained]) {
    expect(await isOwn(token)).toEqual([true, true]);
    expect(await isOwn(token), 'dead').toEqual([true, true]);
    expect(await isOwn(token.replace(/[^.]+$/, 'A'.repeat(43))), 'forged').toEqual([false, false]);
  }
  expect(await isOwn('')).toEqual([false, false]);
});

it('lists the devices, names the one that asks, and shows no token', async () => {
  const { harness, laptop, phone } = await twoDevices();
  const { devices } = ok(await listDevices(harness.auth, await personWith(harness, laptop)));
  expect(devices!.map(({ current }) => current)).toEqual([false, true]);
  expect(JSON.stringify(devices, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))).not.toContain(
    phone.split('.')[3],
  );
});

it('ends another device by its handle', async () => {
  const { harness, laptop, phone } = await twoDevices();
  const { session } = await look(harness, phone);
  ok(await endDevice(harness.auth, await personWith(harness, laptop), create(EndDeviceRequestSchema, { handle: session!.handle! })));
  expect([await alive(harness, laptop), await alive(harness, phone)]).toEqual([true, false]);
});

it('does not know the device of another person', async () => {
  const { harness, laptop } = await twoDevices();
  const other = ok(await signUp(harness, 'grace@example.com'));
  const request = create(EndDeviceRequestSchema, { handle: other.session!.handle! });
  expect(await endDevice(harness.auth, await personWith(harness, laptop), request)).toEqual({ problem: 'not_found' });
  expect(await alive(harness, other.token!)).toBe(true);
});

it('ends all other devices and counts them', async () => {
  const { harness, laptop, phone } = await twoDevices();
  expect(await endOtherDevices(harness.auth, await personWith(harness, laptop))).toEqual({ ended: 1 });
  expect([await alive(harness, laptop), await alive(harness, phone)]).toEqual([true, false]);
});

it('refuses a passport whose session has ended meanwhile', async () => {
  const { harness, laptop } = await twoDevices();
  const late = await personWith(harness, laptop);
  await logoutWith(harness, laptop);
  expect(await listDevices(harness.auth, late)).toEqual({ problem: 'session_ended' });
  expect(await endOtherDevices(harness.auth, late)).toEqual({ problem: 'session_ended' });
});

it('rotates the token when the password is proved again, and kills the old one only', async () => {
  const { harness, laptop } = await twoDevices();
  const before = (await look(harness, laptop)).session!;
  harness.clock.advance(1_000);
  const { token, session } = ok(await prove(harness, laptop));
  expect(session).toMatchObject({ handle: before.handle, authenticatedAtMs: BigInt(harness.clock.nowMs()) });
  expect([await alive(harness, laptop), await alive(harness, token!)]).toEqual([false, true]);
  // A rotation does not end the session; protobuf JSON leaves out false.
  expect(await revocations(harness)).toEqual([expect.not.objectContaining({ ended: true })]);
});

it('ends the session at a logout that comes with the token from before the rotation', async () => {
  const { harness, laptop, phone } = await twoDevices();
  const successor = ok(await prove(harness, laptop)).token!;
  await logoutWith(harness, laptop);
  expect([await alive(harness, successor), await alive(harness, phone)]).toEqual([false, true]);
  await logoutWith(harness, laptop);
  expect(await revocations(harness)).toEqual([
    expect.not.objectContaining({ ended: true }),
    expect.objectContaining({ ended: true, handle: expect.any(String) }),
  ]);
});

it('rotates nothing for a wrong password', async () => {
  const { harness, laptop } = await twoDevices();
  expect(await prove(harness, laptop, 'wrong')).toEqual({ problem: 'invalid_credentials' });
  expect(await alive(harness, laptop)).toBe(true);
});

it('does not trade a passport of one session for the token of another', async () => {
  const { harness, laptop, phone } = await twoDevices();
  const person = await personWith(harness, laptop);
  const request = create(ReauthenticateRequestSchema, { token: phone, password });
  expect(await reauthenticate(harness.auth, person, request)).toEqual({ problem: 'session_ended' });
  expect(await alive(harness, phone)).toBe(true);
});

it('gives out no new token when the store cannot rotate, and the old one lives', async () => {
  const { harness, laptop } = await twoDevices();
  harness.broken.add('rotate');
  await expect(prove(harness, laptop)).rejects.toThrow('away');
  expect(await alive(harness, laptop)).toBe(true);
});
