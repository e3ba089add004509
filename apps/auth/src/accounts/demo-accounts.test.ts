import { isProblem } from '@cloakroom/contracts';
import { expect, it, vi } from 'vitest';
import { alive } from '../account.harness.ts';
import { accountByEmail } from './accounts.ts';
import { type Harness, ok, openHarness, signIn, signUp } from '../auth.harness.ts';
import { readConfig } from '../config.ts';
import { closeDemoAccounts, seedAccounts } from './seed-accounts.ts';

const admin = 'admin@example.com';
const env = {
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  DATABASE_URL: 'sqlite::memory:',
  SESSION_STORE: 'memory',
  EVENT_LOG: 'embedded',
  MESH_TLS: 'off',
  SESSION_MAC_KEY: Buffer.alloc(32, 1).toString('base64url'),
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64url'),
  REFRESH_TOKEN_KEY: Buffer.alloc(32, 3).toString('base64url'),
  SEED_ACCOUNTS: 'true',
};

const roleOf = async ({ auth }: Harness, email: string) => (await accountByEmail(auth.database, email))?.role;

it.each(['https://shop.example.com', 'http://localhost:4000,https://shop.example.com', 'http://localhost:4000,http://192.0.2.7:4000'])(
  'demo accounts are refused for a shop that other machines reach, at %s',
  (PUBLIC_ORIGINS) => {
    expect(() => readConfig({ ...env, PUBLIC_ORIGINS })).toThrow(/SEED_ACCOUNTS: .*this machine/);
    expect(() => readConfig({ ...env, PUBLIC_ORIGINS, SEED_ACCOUNTS: 'false' })).not.toThrow();
  },
);

it.each(['http://localhost:4000,http://127.0.0.1:4000', 'http://shop.localhost:4000', 'http://localhost:4000,http://[::1]:4000'])(
  'demo accounts are allowed where only this machine reaches the shop, at %s',
  (PUBLIC_ORIGINS) => {
    expect(readConfig({ ...env, PUBLIC_ORIGINS }).SEED_ACCOUNTS).toBe(true);
  },
);

it('a start that does not seed closes the demo accounts, with their sessions, and their password signs in no more', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  const token = ok(await signIn(harness, admin)).token!;
  expect(await roleOf(harness, admin)).toBe('admin');
  for (const _ of [1, 2]) await closeDemoAccounts(harness.auth);
  expect(await alive(harness, token)).toBe(false);
  for (const email of [admin, 'ada@example.com', 'grace@example.com'])
    expect(await signIn(harness, email)).toEqual({ problem: 'invalid_credentials' });
  expect(await roleOf(harness, admin)).toBe('');
});

it('demo accounts are closed in the database while the session store is away', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  harness.broken.add('raiseEpoch');
  await closeDemoAccounts(harness.auth);
  expect((await accountByEmail(harness.auth.database, admin))?.disabled).toBe(1);
});

it('a demo account with a new password stays open, and so does every other account', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  const passwordHash = await harness.auth.passwords.hash('a password of my own');
  if (isProblem(passwordHash)) throw new Error('no room');
  await harness.auth.database.updateTable('accounts').set({ password_hash: passwordHash }).where('email', '=', admin).execute();
  ok(await signUp(harness, 'mary@example.com'));
  await closeDemoAccounts(harness.auth);
  expect(ok(await signIn(harness, admin, '', 'a password of my own')).session).toMatchObject({ role: 'admin' });
  expect(ok(await signIn(harness, 'mary@example.com')).session).toMatchObject({ email: 'mary@example.com' });
});

it('a demo administrator under a new e-mail is closed too', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  const own = 'owner@shop.example';
  await harness.auth.database.updateTable('accounts').set({ email: own }).where('email', '=', admin).execute();
  const token = ok(await signIn(harness, own)).token!;
  await closeDemoAccounts(harness.auth);
  expect(await alive(harness, token)).toBe(false);
  expect(await signIn(harness, own)).toEqual({ problem: 'invalid_credentials' });
  expect(await roleOf(harness, own)).toBe('');
});

it('closed demo accounts stay closed when they are seeded again, and the log says what to do', async () => {
  const harness = await openHarness();
  await seedAccounts(harness.auth);
  await closeDemoAccounts(harness.auth);
  const warn = vi.spyOn(harness.auth.log, 'warn');
  await seedAccounts(harness.auth);
  expect(await signIn(harness, admin)).toEqual({ problem: 'invalid_credentials' });
  expect(warn).toHaveBeenCalledWith({ email: admin }, expect.stringContaining('--fresh'));
});
