/** Refresh by a counter: each rule of session.refresh.ts once in words, then any history against the pure rules, then races. */
import { judgeRefresh, limits, afterRefresh } from '../index.ts';
import type { RefreshRequest, SessionRecord, SessionStore } from '../index.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Under } from '../session-store.samples.ts';
import { day, hashNamed, hour, minute, t0, tombstoneOf, userSession } from '../session-store.samples.ts';

const session = (name = 'a') => userSession(name, { mode: 'jwt-denylist', subject: `u_${name}` });
const asked = (generation: number, changes: Partial<RefreshRequest> = {}): RefreshRequest => ({
  key: session(),
  generation,
  proof: 'none',
  touch: undefined,
  ...changes,
});
const grace = limits.refreshGraceMs;

export function refreshes(under: Under): void {
  const begin = async () => void (await under().store.create(session(), 10, t0));
  const refresh = (generation: number, nowMs: number, changes: Partial<RefreshRequest> = {}) =>
    under().store.refresh(asked(generation, changes), nowMs);

  it('moves the counter by one for the newest token, and keeps all else', async () => {
    await begin();
    expect(await refresh(0, t0 + hour)).toEqual({
      verdict: 'rotated',
      session: { ...session(), epoch: 0, generation: 1, rotatedAtMs: t0 + hour },
    });
    expect(await under().second.resolve(session(), t0 + hour, undefined)).toMatchObject({ generation: 1, rotatedAtMs: t0 + hour });
    expect(await refresh(1, t0 + 2 * hour)).toMatchObject({ verdict: 'rotated', session: { generation: 2 } });
  });
  it('tells the predecessor the same successor within the grace, and not a millisecond longer', async () => {
    await begin();
    await refresh(0, t0 + hour);
    expect(await refresh(0, t0 + hour + grace - 1)).toMatchObject({
      verdict: 'repeated',
      session: { generation: 1, rotatedAtMs: t0 + hour },
    });
    expect(await refresh(0, t0 + hour + grace)).toMatchObject({ verdict: 'reused', session: { generation: 1 } });
  });
  it('takes an older one for a copy, grace or not, and changes nothing', async () => {
    await begin();
    await refresh(0, t0);
    await refresh(1, t0);
    expect(await refresh(0, t0)).toMatchObject({ verdict: 'reused', session: { generation: 2 } });
    expect(await refresh(2, t0)).toMatchObject({ verdict: 'rotated', session: { generation: 3 } });
  });
  proofs(under, begin, refresh);
  ends(under, begin, refresh);
  anyHistory(under);
  races(under);
}

type Begin = () => Promise<void>;
type Refresh = (generation: number, nowMs: number, changes?: Partial<RefreshRequest>) => ReturnType<SessionStore['refresh']>;

function proofs(under: Under, begin: Begin, refresh: Refresh): void {
  it('goes on from a token that is newer than a store that lost writes', async () => {
    await begin();
    const back = await under().snapshot();
    for (let n = 0; n < 3; n++) await refresh(n, t0 + n * hour);
    await back();
    expect(await refresh(3, t0 + 4 * hour)).toMatchObject({ verdict: 'rotated', session: { generation: 4 } });
    expect(await refresh(0, t0 + 5 * hour)).toMatchObject({ verdict: 'reused' });
  });
  it('renews the authentication with a proof, and keeps that successor from the predecessor without ending anybody', async () => {
    await begin();
    const proved = await refresh(0, t0 + hour, { proof: 'now' });
    expect(proved).toMatchObject({ verdict: 'rotated', session: { generation: 1, authenticatedAtMs: t0 + hour } });
    expect(await refresh(0, t0 + hour + 1)).toMatchObject({ verdict: 'superseded' });
    expect(await refresh(0, t0 + hour + grace)).toMatchObject({ verdict: 'reused' });
    expect(await refresh(1, t0 + hour + grace)).toMatchObject({ verdict: 'rotated', session: { authenticatedAtMs: t0 + hour } });
  });
  it('keeps the successor of a change from the predecessor too, and the authentication as old as it was', async () => {
    await begin();
    const changed = await refresh(0, t0 + hour, { proof: 'earlier' });
    expect(changed).toMatchObject({ verdict: 'rotated', session: { generation: 1, authenticatedAtMs: session().authenticatedAtMs } });
    expect(await refresh(0, t0 + hour + 1)).toMatchObject({ verdict: 'superseded' });
    expect(await refresh(0, t0 + hour + grace)).toMatchObject({ verdict: 'reused' });
  });
  it('gives a proof by the loser of a race a successor of its own', async () => {
    await begin();
    await refresh(0, t0 + hour);
    expect(await refresh(0, t0 + hour + 5, { proof: 'now' })).toMatchObject({
      verdict: 'rotated',
      session: { generation: 2, authenticatedAtMs: t0 + hour + 5 },
    });
  });
}

function ends(under: Under, begin: Begin, refresh: Refresh): void {
  it('moves the idle limit when a person did it, once a minute at most and never past the absolute limit', async () => {
    await begin();
    const touch = { idleTimeoutMs: day };
    expect(await refresh(0, t0 + hour)).toMatchObject({ session: { idleExpiresAtMs: t0 + day, lastSeenAtMs: t0 } });
    expect(await refresh(1, t0 + hour, { touch })).toMatchObject({ session: { idleExpiresAtMs: t0 + hour + day } });
    expect(await refresh(2, t0 + hour + minute - 1, { touch })).toMatchObject({ session: { idleExpiresAtMs: t0 + hour + day } });
    const end = session().expiresAtMs;
    for (let now = t0 + 20 * hour, n = 3; now < end; now += 20 * hour, n++) await refresh(n, now, { touch });
    expect(await under().store.resolve(session(), end - 1, undefined)).toMatchObject({ idleExpiresAtMs: end });
    expect(await refresh(9, end, { touch })).toBeUndefined();
  });
  it('is undefined once the session is revoked, expired, raised above or unknown', async () => {
    expect(await refresh(0, t0)).toBeUndefined();
    await begin();
    expect(await refresh(0, t0 + day)).toBeUndefined();
    await under().store.revoke(tombstoneOf(session()), t0);
    expect(await refresh(0, t0)).toBeUndefined();
    await under().store.create(session('b'), 10, t0);
    await under().store.raiseEpoch(session('b').tag, session('b').subject, undefined, t0);
    expect(await refresh(0, t0, { key: session('b') })).toBeUndefined();
    expect((await under().keys(t0)).filter(({ key }) => key.includes(':s:'))).toEqual([]);
  });
  it('keeps nothing for sessions that never refresh', async () => {
    const opaque = userSession('opaque');
    await under().store.create(opaque, 10, t0);
    expect(await under().store.resolve(opaque, t0, undefined)).toMatchObject({ generation: 0, rotatedAtMs: 0 });
    expect(await under().store.rotate(opaque, hashNamed('next'), t0, t0)).toMatchObject({ generation: 0, rotatedAtMs: 0 });
  });
}

function anyHistory(under: Under): void {
  const step = fc.record({
    waitMs: fc.constantFrom(0, 1, grace - 1, grace, minute),
    /** Below or above the newest. */
    offset: fc.integer({ min: -3, max: 2 }),
    proof: fc.constantFrom('none', 'now', 'earlier'),
  });
  it('agrees with the pure rules after every step of any history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        await under().wipe();
        await under().store.create(session(), 10, t0);
        let model: SessionRecord = { ...session(), epoch: 0 };
        let now = t0;
        for (const [i, { waitMs, offset, proof }] of steps.entries()) {
          now += waitMs;
          const shown = Math.max(0, model.generation + offset);
          const verdict = judgeRefresh(model, shown, proof, now);
          model = { ...model, ...afterRefresh(model, shown, proof, now) };
          const store = i % 2 === 0 ? under().store : under().second;
          expect(await store.refresh(asked(shown, { proof }), now)).toEqual({ verdict, session: model });
        }
      }),
      { numRuns: 100 },
    );
  });
}

const rounds = 20;

function races(under: Under): void {
  const both = (i: number) => (i % 2 === 0 ? under().store : under().second);
  it('gives 20 refreshes at once one lineage, and signs nobody out', async () => {
    await under().store.create(session(), 10, t0);
    for (let generation = 0; generation < rounds; generation++) {
      const now = t0 + generation * minute;
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => both(i).refresh(asked(generation), now + i)));
      expect(answers.filter((answer) => answer?.verdict === 'rotated')).toHaveLength(1);
      expect(answers.filter((answer) => answer?.verdict === 'repeated')).toHaveLength(19);
      expect(new Set(answers.map((answer) => answer?.session.generation))).toEqual(new Set([generation + 1]));
    }
  });
  it('never brings back a session that is revoked while it is refreshed', async () => {
    for (let round = 0; round < rounds; round++) {
      const one = session(`${round}`);
      await under().store.create(one, 10, t0);
      await Promise.all([
        under().second.refresh(asked(0, { key: one }), t0),
        under().store.revoke(tombstoneOf(one), t0),
        under().second.refresh(asked(1, { key: one, touch: { idleTimeoutMs: day } }), t0 + hour),
      ]);
      expect(await under().store.refresh(asked(2, { key: one }), t0)).toBeUndefined();
      expect(await under().store.resolve(one, t0, undefined)).toBeUndefined();
      expect(await under().indexed(one.tag, one.subject)).toEqual([]);
    }
  });
}
