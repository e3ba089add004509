import { create } from '@bufbuild/protobuf';
import { ChangePasswordRequestSchema, RegisterRequestSchema } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { contextOf, ok, openHarness, personWith, signIn, signUp } from '../auth.harness.ts';
import { changePassword } from '../sign-in/change-password.ts';
import { commonPasswordsText } from './common-passwords.list.ts';
import { register } from '../sign-in/register.ts';
import { weakPassword } from './weak-passwords.ts';

const weak = { problem: 'weak_password' };
const ada = { email: 'ada.lovelace@example.com', name: 'Ada King' };

it('the list has ten thousand common passwords that are long enough to be set', () => {
  const all = commonPasswordsText.trim().split(/\s+/);
  expect(new Set(all).size).toBe(10_000);
  for (const one of all) expect(one.length).toBeGreaterThanOrEqual(8);
  for (const one of all) expect(weakPassword(one, ada)).toEqual(weak);
});

it.each(['password', '12345678', 'PassWord', 'qwertyuiop', 'iloveyou', '\uff50\uff41\uff53\uff53word'])(
  'the common password %j is refused',
  (text) => {
    expect(weakPassword(text, ada)).toEqual(weak);
  },
);

it.each([
  'cloakroom',
  'Cloakroom1',
  'cloakroomshop',
  'cloakroompassword',
  'ada.lovelace',
  'adalovelace99',
  'Lovelace2026',
  'adaking1',
  'king ada!!',
])('%j, which is little more than public facts about Ada, is refused', (text) => {
  expect(weakPassword(text, ada)).toEqual(weak);
});

it.each([
  'correct horse battery staple',
  'seven purple lighthouses',
  'my coat hangs in the cloakroom',
  'Ada and eleven herons',
  'xK9#vw2q',
  'breaking bread',
])('%j is accepted', (text) => {
  expect(weakPassword(text, ada)).toBeUndefined();
});

it('words of another account are accepted', () => {
  expect(weakPassword('lovelace2026', { email: 'grace@example.com', name: 'Grace' })).toBeUndefined();
});

it('a weak password neither makes an account nor becomes a new password', async () => {
  const harness = await openHarness();
  const request = { email: 'ada@example.com', name: 'Ada', remoteAddress: '127.0.0.1' };
  for (const password of ['password', '12345678', 'cloakroom-ada'])
    expect(await register(harness.auth, contextOf(), create(RegisterRequestSchema, { ...request, password }))).toEqual(weak);
  const { token } = ok(await signUp(harness, 'ada@example.com'));
  const set = async (password: string) =>
    changePassword(harness.auth, await personWith(harness, token!), create(ChangePasswordRequestSchema, { password, token: token! }));
  for (const password of ['password', '12345678', 'cloakroom-ada']) expect(await set(password)).toEqual(weak);
  ok(await set('seven purple lighthouses'));
});

it('a person with an old weak password can still sign in', async () => {
  const harness = await openHarness();
  ok(await signUp(harness, 'ada@example.com'));
  const hash = await harness.auth.passwords.hash('12345678');
  await harness.auth.database
    .updateTable('accounts')
    .set({ password_hash: hash as string })
    .execute();
  expect(ok(await signIn(harness, 'ada@example.com', '', '12345678')).session).toMatchObject({ email: 'ada@example.com' });
});
