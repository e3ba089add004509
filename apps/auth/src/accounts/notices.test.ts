import { expect, it } from 'vitest';
import { openHarness } from '../auth.harness.ts';
import { noticeCountMax, noticesOf, recordNotice } from './notices.ts';

it('a person reads their own notices, newest first, each once', async () => {
  const { auth } = await openHarness();
  await auth.outbox.commit(async (trx) => {
    await recordNotice(trx, 'u_ada', 'oldest_ended', 1_000);
    await recordNotice(trx, 'u_ada', 'password_changed', 2_000);
    await recordNotice(trx, 'u_ada', 'password_changed', 2_000);
    await recordNotice(trx, 'u_grace', 'factor_added', 3_000);
  });
  expect(await noticesOf(auth.database, 'u_ada')).toEqual([
    { atMs: 2_000, kind: 'password_changed', text: 'Your password was changed.' },
    { atMs: 1_000, kind: 'oldest_ended', text: expect.stringContaining('idle longest') },
  ]);
});

it('only the newest notices of a person are kept, and a change that failed removes none', async () => {
  const { auth } = await openHarness();
  await auth.outbox.commit(async (trx) => {
    for (let i = 1; i <= noticeCountMax + 5; i++) await recordNotice(trx, 'u_ada', 'new_device', i);
  });
  await auth.outbox
    .commit(async (trx) => {
      await recordNotice(trx, 'u_ada', 'factor_removed', 999);
      throw new Error('the change failed');
    })
    .catch(() => undefined);
  const kept = await noticesOf(auth.database, 'u_ada');
  expect(kept.map(({ atMs }) => atMs)).toEqual(Array.from({ length: noticeCountMax }, (_, i) => noticeCountMax + 5 - i));
  expect(await auth.database.selectFrom('notices').selectAll().execute()).toHaveLength(noticeCountMax);
});
