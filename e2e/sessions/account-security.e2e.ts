/** Changes to an account by a person or an administrator, and their effect on its sessions at every gateway. */
import type { PasskeyOptions } from '@cloakroom/contracts/http';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Device, expect, newPerson, type Person, test } from '../kit/device.ts';
import { oneTimeCodeOf } from '../kit/one-time-code.ts';
import { gateways, portBase } from '../kit/stack.ts';

/** The bound of docs/sessions.md is 2 s; the rest is room for a busy machine. */
const boundMs = 4_000;

const operate = async (...args: string[]): Promise<string> => {
  const cli = join(import.meta.dirname, '../../infra/cli.ts');
  return (await promisify(execFile)(process.execPath, [cli, ...args, '--port-base', String(portBase)])).stdout;
};

async function ok(device: Device, method: string, path: string, body?: unknown) {
  const answer = await device.call(method, path, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}

/** Every gateway refuses the session. */
async function expectEnded(device: Device): Promise<void> {
  await expect
    .poll(() => Promise.all(gateways.map(async (gateway) => (await device.call('GET', '/api/cart', undefined, { gateway })).status)), {
      timeout: boundMs,
    })
    .toEqual(gateways.map(() => 401));
}

async function expectSignedIn(device: Device): Promise<void> {
  for (const gateway of gateways) expect((await device.call('GET', '/api/cart', undefined, { gateway })).status).toBe(200);
}

async function signedIn(newDevice: () => Promise<Device>, person: Person): Promise<Device> {
  const device = await newDevice();
  const answer = await device.signIn(person);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return device;
}

const kinds = async (device: Device): Promise<string[]> =>
  ((await ok(device, 'GET', '/api/session/notices')).items as { kind: string }[]).map(({ kind }) => kind);

test('a new password ends the other device at once when asked, and the old password no longer signs in', async ({ newDevice }) => {
  const person = newPerson();
  const laptop = await newDevice();
  await laptop.register(person);
  const phone = await signedIn(newDevice, person);
  await expectSignedIn(phone);
  await ok(laptop, 'PUT', '/api/session/password', { password: 'an entirely new one', endOthers: true });
  await expectEnded(phone);
  await expectSignedIn(laptop);
  expect((await phone.signIn(person)).body).toMatchObject({ code: 'invalid_credentials' });
  expect((await phone.signIn({ ...person, password: 'an entirely new one' })).status).toBe(200);
  expect(await kinds(laptop)).toContain('password_changed');
});

test('a person signs in with the new e-mail, and the profile shows it', async ({ newDevice }) => {
  const person = newPerson();
  const laptop = await newDevice();
  await laptop.register(person);
  const email = `new-${person.email}`;
  expect((await ok(laptop, 'PUT', '/api/session/email', { email })).user).toMatchObject({ email });
  await expect.poll(async () => (await laptop.insist('GET', '/api/profile')).body.email, { timeout: 10_000 }).toBe(email);
  expect((await (await newDevice()).signIn(person)).body).toMatchObject({ code: 'invalid_credentials' });
  await signedIn(newDevice, { ...person, email });
});

test('an administrator disables a person, who is refused everywhere and told no more than after a wrong password', async ({
  newDevice,
}) => {
  const person = newPerson();
  const laptop = await newDevice();
  await laptop.register(person);
  const phone = await signedIn(newDevice, person);
  const admin = await signedIn(newDevice, { email: 'admin@example.com', password: 'correct horse battery staple', name: 'Admin' });
  expect((await laptop.call('GET', '/api/admin/users')).body).toMatchObject({ code: 'forbidden' });
  const { items } = await ok(admin, 'GET', `/api/admin/users?query=${encodeURIComponent(person.email)}`);
  expect(items).toEqual([expect.objectContaining({ email: person.email, disabled: false, sessions: 2, role: 'customer' })]);
  const user = `/api/admin/users/${(items as [{ userId: string }])[0].userId}`;
  await ok(admin, 'POST', `${user}/disable`);
  await Promise.all([expectEnded(laptop), expectEnded(phone)]);
  const refused = (await phone.signIn(person)).body as Record<string, unknown>;
  const wrong = (await phone.signIn({ ...person, password: 'not the password' })).body as Record<string, unknown>;
  expect({ ...refused, traceId: '' }).toEqual({ ...wrong, traceId: '' });
  await ok(admin, 'POST', `${user}/enable`);
  await expectEnded(laptop);
  const back = await signedIn(newDevice, person);
  await ok(admin, 'POST', `${user}/revoke`);
  await expectEnded(back);
});

test('an operator’s command makes an administrator or takes the role away, at once', async ({ newDevice }) => {
  // Each of the two commands starts Node twice.
  test.setTimeout(120_000);
  const person = newPerson();
  const laptop = await newDevice();
  await laptop.register(person);
  const users = async () => (await laptop.call('GET', '/api/admin/users')).status;
  expect(await users()).toBe(403);
  expect(await operate('admin', 'grant', person.email)).toContain(person.email);
  expect(await users()).toBe(200);
  expect(await operate('admin', 'revoke', person.email)).not.toContain(person.email);
  expect(await users()).toBe(403);
});

test('the next sign-in asks for the authenticator app, a code counts once, and a recovery code signs in once', async ({ newDevice }) => {
  const person = newPerson();
  const laptop = await newDevice();
  await laptop.register(person);
  const { secret } = await ok(laptop, 'POST', '/api/session/factors/totp');
  const { recoveryCodes } = await ok(laptop, 'PUT', '/api/session/factors/totp', { code: oneTimeCodeOf(secret) });
  expect(recoveryCodes).toHaveLength(10);

  const phone = await newDevice();
  const half = async () => {
    const answer = await phone.signIn(person);
    expect(answer.body).toMatchObject({ status: 401, code: 'second_factor_required', methods: ['totp', 'recovery_code'] });
    return (answer.body as PasskeyOptions).challenge;
  };
  const finish = (challenge: string, proof: object) => phone.call('POST', '/api/session/login/second-factor', { challenge, ...proof });
  // The code that confirmed the app is used up; the next one is valid already.
  const code = oneTimeCodeOf(secret, 1);
  const challenge = await half();
  expect(await phone.state(), 'half a sign-in is none').toBe('none');
  expect((await finish(challenge, { code: '000000' })).body).toMatchObject({ code: 'invalid_second_factor' });
  expect((await finish(challenge, { code })).status).toBe(200);
  await expectSignedIn(phone);
  expect((await finish(challenge, { code })).body).toMatchObject({ code: 'challenge_expired' });
  expect((await finish(await half(), { code })).body, 'the code again').toMatchObject({ code: 'invalid_second_factor' });
  expect((await finish(await half(), { recoveryCode: recoveryCodes[0] })).status).toBe(200);
  expect((await finish(await half(), { recoveryCode: recoveryCodes[0] })).body).toMatchObject({ code: 'invalid_second_factor' });
  expect(await ok(phone, 'GET', '/api/session/factors')).toMatchObject({ totp: { active: true }, recoveryCodesLeft: 9 });

  expect((await phone.call('POST', '/api/session/reauthenticate', { password: person.password })).body).toMatchObject({
    code: 'second_factor_required',
  });
  await ok(phone, 'POST', '/api/session/reauthenticate', { password: person.password, recoveryCode: recoveryCodes[1] });
  expect(await ok(phone, 'DELETE', '/api/session/factors/totp')).toMatchObject({ otherSessions: expect.any(Number) });
  await signedIn(newDevice, person);
  expect(await kinds(phone)).toEqual(expect.arrayContaining(['factor_added', 'factor_removed']));
});

test('the eleventh session ends the one that was idle longest, and the person is told', async ({ newDevice }) => {
  const person = newPerson();
  const first = await newDevice();
  await first.register(person);
  const devices: Device[] = [];
  for (let i = 0; i < 9; i++) devices.push(await signedIn(newDevice, person));
  await expectSignedIn(first);
  const eleventh = await newDevice();
  expect((await eleventh.signIn(person)).body).toMatchObject({ state: 'user', endedOldest: true });
  await expectEnded(first);
  await expectSignedIn(devices[0]!);
  expect(await kinds(eleventh)).toContain('oldest_ended');
});
