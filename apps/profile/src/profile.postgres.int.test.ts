/** Everything that profile asks of its database, on a real PostgreSQL, and the faults that need two transactions at once. */
import { type PersonContext } from '@cloakroom/mesh';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { create } from '@bufbuild/protobuf';
import { GuestClaimedSchema, isProblem, UpdateProfileRequestSchema } from '@cloakroom/contracts';
import { asAdmin, dropFreshDatabases, freshDatabaseUrl, useFreshPostgres } from '@cloakroom/testing';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { getProfile } from './get-profile.ts';
import { joinGuest } from './join-guest.ts';
import { lockProfile, migrations, type Database, type ProfileTables, viewCountMax } from './profiles.ts';
import { recordView } from './record-view.ts';
import { updateProfile } from './update-profile.ts';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
const withPostgres = adminUrl === undefined ? describe.skip : describe;
const nowMs = 1_790_000_000_000;
const person = (subject: string) => ({ identity: { subject, state: subject.startsWith('u_') ? 'user' : 'guest' } }) as PersonContext;

withPostgres('on PostgreSQL', () => {
  // The service of profile.module.test.ts lives as long as the file.
  afterAll(dropFreshDatabases);
  describe('profile', async () => {
    await import('./profile.test.ts');
  });
  describe('profile.module', async () => {
    await import('./profile.module.test.ts');
  });
});

withPostgres('two replicas on one PostgreSQL', () => {
  const open: Database[] = [];
  afterEach(async () => {
    for (const db of open.splice(0)) await db.destroy();
    await dropFreshDatabases();
  });

  async function openReplicas(): Promise<[Database, Database]> {
    const url = await freshDatabaseUrl();
    const one = () => openDatabase<ProfileTables>(url, migrations, { name: 'profile', log: createLogger('test', 'silent') });
    open.push(...(await Promise.all([one(), one()])));
    return [open[0]!, open[1]!];
  }

  it('keep the limit of recently viewed products, whoever writes at once', async () => {
    const [one, other] = await openReplicas();
    const ids = Array.from({ length: viewCountMax * 2 }, (_, i) => `product-${i}`);
    await Promise.all(ids.map((productId, i) => recordView([one, other][i % 2]!, person('u_1'), { productId }, nowMs + i)));
    expect(await one.selectFrom('views').selectAll().execute()).toHaveLength(viewCountMax);
  });

  it('join one guest once when the same event is applied at both', async () => {
    const [one, other] = await openReplicas();
    await updateProfile(
      { db: one, nowMs: () => nowMs, newId: () => 'a' },
      person('g_1'),
      create(UpdateProfileRequestSchema, { preferences: { items: { size: 'M' } } }),
    );
    const claim = create(GuestClaimedSchema, { guestCartId: 'g_1', userId: 'u_1', loginId: 'l' });
    const joined = await Promise.all([joinGuest(one, claim, nowMs), joinGuest(other, claim, nowMs)]);
    expect(joined.filter((changed) => changed)).toHaveLength(1);
    expect((await getProfile(one, person('u_1'))).preferences).toEqual({ size: 'M' });
  });

  it('refuse a guest who writes while they are being joined, or bring it along: never lose it silently', async () => {
    const [one, other] = await openReplicas();
    for (let round = 0; round < 10; round += 1) {
      const [guest, user] = [`g_${round}`, `u_${round}`];
      const request = create(UpdateProfileRequestSchema, { preferences: { items: { size: 'L' } } });
      const [answer] = await Promise.all([
        updateProfile({ db: one, nowMs: () => nowMs, newId: () => 'a' }, person(guest), request),
        joinGuest(other, create(GuestClaimedSchema, { guestCartId: guest, userId: user, loginId: 'l' }), nowMs),
      ]);
      const { preferences } = await getProfile(one, person(user));
      expect(preferences).toEqual(isProblem(answer) ? {} : { size: 'L' });
    }
  });

  it('hold a person’s row to the end of the transaction', async () => {
    const [one, other] = await openReplicas();
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const first = one.transaction().execute(async (trx) => {
      await lockProfile(trx, 'u_1', nowMs);
      held.resolve();
      // The second transaction has begun, and waits.
      await vi.waitFor(async () => expect(await asAdmin('select 1 from pg_locks where not granted')).not.toEqual([]));
      order.push('first');
    });
    await held.promise;
    const second = other.transaction().execute(async (trx) => {
      await lockProfile(trx, 'u_1', nowMs);
      order.push('second');
    });
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });
});
