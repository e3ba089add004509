/** The durability part of the contract: what a session store keeps, for how long, and what it must not believe after it lost writes. */
import type { Tombstone } from '../index.ts';
import { expect, it, vi } from 'vitest';
import type { MakeSessionStore, Under } from '../session-store.samples.ts';
import { day, hashNamed, hour, t0, tombstoneOf, userSession } from '../session-store.samples.ts';

export function rolledBack(under: Under): void {
  it('stays dead after the store was rolled back to before a revocation and the revocation was replayed', async () => {
    const [a, b, c] = [userSession('a'), userSession('b'), userSession('c', { subject: 'u_other' })];
    for (const session of [a, b, c]) await under().store.create(session, 10, t0);
    const rollBack = await under().snapshot();
    const successor = hashNamed('b2');
    await under().store.rotate(b, successor, t0, t0);
    await under().store.revoke(tombstoneOf(a), t0);
    const epoch = await under().store.raiseEpoch(c.tag, c.subject, undefined, t0);
    await rollBack();
    expect(await under().store.resolve(a, t0, undefined), 'the roll-back brought it back').toBeDefined();

    await under().store.buryToken(tombstoneOf(b, b.hash), t0);
    await under().store.revoke(tombstoneOf(a), t0);
    await under().store.raiseEpoch(c.tag, c.subject, epoch, t0);
    for (const dead of [a, b, c]) expect(await under().store.resolve(dead, t0, { idleTimeoutMs: day })).toBeUndefined();
    for (const subject of [a.subject, c.subject]) expect(await under().store.list(a.tag, subject, t0)).toEqual([]);
  });
  it('refuses a resumed sign-in after the store was wiped and its logout was replayed', async () => {
    const dead: Tombstone = tombstoneOf(userSession('a'));
    await under().store.create(userSession('a'), 10, t0);
    await under().store.revoke(dead, t0);
    await under().wipe();
    await under().store.revoke(dead, t0);
    expect(await under().store.create(userSession('a'), 10, t0)).toBe('tombstoned');
    expect(await under().store.create(userSession('a', { hash: hashNamed('a2') }), 10, t0)).toBe('tombstoned');
  });
  it('lets nothing be trusted before the replay has run, and replays once an incarnation', async () => {
    const order: string[] = [];
    await under().store.create(userSession('a'), 10, t0);
    under().store.onIncarnationChange(async (incarnation) => {
      order.push(`replay ${incarnation === (await under().store.incarnation())}`);
      await under().store.revoke(tombstoneOf(userSession('a')), t0);
    });
    const asked = [1, 2, 3].map(() => under().store.resolve(userSession('a'), t0, undefined));
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined]);
    expect(order).toEqual(['replay true']);
  });
  it('refuses to be trusted while the replay fails, and tries it again', async () => {
    let fail = true;
    under().store.onIncarnationChange(async () => {
      if (fail) throw new Error('the database is away');
    });
    await expect(under().store.create(userSession('a'), 10, t0)).rejects.toMatchObject({ name: 'StoreUnavailable' });
    await under().store.revoke(tombstoneOf(userSession('z')), t0);
    fail = false;
    expect(await under().store.create(userSession('a'), 10, t0)).toMatchObject({ ended: [] });
  });
}

/** The number that the contract promises. */
const cycleCount = 10_000;
const batchSize = 250;

export function kept(under: Under, make: MakeSessionStore): void {
  it('holds nothing from which a token could be made', async () => {
    await under().store.create(userSession('a'), 10, t0);
    for (const { key } of await under().keys(t0)) expect(key).toMatch(/^\{[0-9a-f]{4}\}:(s:[\w-]{43}|u:[gu]_[\w-]+|t:[\w-]+)$/);
  });
  it(
    `returns to the number of keys it had after ${cycleCount.toLocaleString('en')} sign-ins and expiries`,
    { timeout: 60_000 },
    async () => {
      const short = await make({ epochLifetimeMs: 60 });
      const before = (await short.keys(t0)).length;
      const cycle = async (i: number) => {
        const session = userSession(`${i}`, { subject: `u_${i % 500}`, idleExpiresAtMs: t0 + 30, expiresAtMs: t0 + 50 });
        await short.store.create(session, 10, t0);
        if (i % 3 === 0) await short.store.rotate(session, hashNamed(`${i} next`), t0, t0);
        if (i % 5 === 0) await short.store.revoke(tombstoneOf(session), t0);
        if (i % 50 === 0) await short.store.raiseEpoch(session.tag, session.subject, undefined, t0);
      };
      let most = 0;
      for (let done = 0; done < cycleCount; done += batchSize) {
        await Promise.all(Array.from({ length: batchSize }, (_, i) => cycle(done + i)));
        if (done % (10 * batchSize) === 0) most = Math.max(most, (await short.keys(t0)).length);
      }
      expect(most).toBeGreaterThan(before);
      await vi.waitFor(async () => expect((await short.keys(t0 + hour)).length).toBe(before), { timeout: 20_000, interval: 100 });
      await short.close();
    },
  );
}
