import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runAdmin } from './admin.ts';
import { ok, openHarness, personWith, signUp } from '../auth.harness.ts';
import { administrator } from './admins.ts';
import { noticesOf } from '../accounts/notices.ts';

const folder = mkdtempSync(join(tmpdir(), 'cloakroom-admin-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('makes an administrator of an account while auth runs, tells its owner, and takes it away again', async () => {
  const url = `sqlite:${join(folder, 'auth.sqlite')}`;
  const harness = await openHarness({ url });
  const { token, session } = ok(await signUp(harness, 'ada@example.com'));
  const person = await personWith(harness, token!);
  const run = (...args: string[]) => runAdmin(args, harness.clock.nowMs(), { DATABASE_URL: url });
  expect(await administrator(harness.auth, person)).toEqual({ problem: 'forbidden' });
  expect(await run('list')).toEqual({ text: 'There is no administrator.', code: 0 });
  for (const _ of [1, 2]) expect(await run('grant', ' Ada@Example.com ')).toEqual({ text: 'Administrators: ada@example.com', code: 0 });
  expect(await administrator(harness.auth, person)).toMatchObject({ role: 'admin' });
  expect(await run('revoke', 'ada@example.com')).toEqual({ text: 'There is no administrator.', code: 0 });
  expect(await administrator(harness.auth, person)).toEqual({ problem: 'forbidden' });
  const kinds = (await noticesOf(harness.auth.database, session!.subject!)).map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual(['administrator_granted', 'administrator_revoked']);
  await harness.auth.database.destroy();
});

it('makes nobody of an account that is not there or is disabled, and says how it is used', async () => {
  const url = `sqlite:${join(folder, 'other.sqlite')}`;
  const harness = await openHarness({ url });
  ok(await signUp(harness, 'ada@example.com'));
  await harness.auth.database.updateTable('accounts').set({ disabled: 1 }).execute();
  const run = (...args: string[]) => runAdmin(args, 0, { DATABASE_URL: url });
  for (const email of ['nobody@example.com', 'ada@example.com']) expect(await run('grant', email)).toMatchObject({ code: 1 });
  expect(await run('list')).toEqual({ text: 'There is no administrator.', code: 0 });
  for (const args of [[], ['grant'], ['grant', 'no e-mail'], ['list', 'ada@example.com'], ['promote', 'ada@example.com']])
    expect(await run(...args)).toMatchObject({ code: 2, text: expect.stringContaining('grant EMAIL') });
  await harness.auth.database.destroy();
});
