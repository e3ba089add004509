/**
 * The races of a session, without a sleep. One request of auth is a *flow* of store calls, and anything may happen between two of its calls. Each
 * race runs every interleaving of its flows, call by call, on a fresh session. The barrier is that the next call is simply not made yet. That is
 * complete, since one call is atomic. The last tests check that atomicity with two connections at once.
 */
import type { NewSession, SessionRecord, SessionStore } from '../index.ts';
import { describe, expect, it } from 'vitest';
import type { Under } from '../session-store.samples.ts';
import { day, hashNamed, hour, t0, tombstoneOf, userSession } from '../session-store.samples.ts';

/** One request's calls. Other flows may come in at each `yield`. Returns the person's answer. */
type Flow = (store: SessionStore, session: NewSession) => AsyncGenerator<void, unknown, void>;

const now = t0 + hour;
const touch = { idleTimeoutMs: day };

async function* touching(store: SessionStore, session: NewSession) {
  yield;
  return await store.resolve(session, now, touch);
}
async function* touchingTwice(store: SessionStore, session: NewSession) {
  yield;
  await store.resolve(session, now, touch);
  yield;
  return await store.resolve(session, now + hour, touch);
}
async function* loggingOut(store: SessionStore, session: NewSession) {
  yield;
  const record = await store.resolve(session, now, undefined);
  yield;
  await store.revoke(tombstoneOf(record ? { ...session, ...record } : session), now);
}
const rotatingTo = (name: string): Flow =>
  async function* (store, session) {
    yield;
    const record = await store.resolve(session, now, undefined);
    yield;
    return record && (await store.rotate(session, hashNamed(`${session.handle} ${name}`), now, now));
  };
/** A sign-in that was interrupted after its first create, and is resumed twice. */
async function* resuming(store: SessionStore, session: NewSession) {
  yield;
  await store.create(session, 10, now);
  yield;
  return await store.create({ ...session, hash: hashNamed(`${session.handle} resumed`) }, 10, now);
}
async function* raising(store: SessionStore, session: NewSession) {
  yield;
  return await store.raiseEpoch(session.tag, session.subject, undefined, now);
}
/** The relay's repeated work after a crash. */
async function* replaying(store: SessionStore, session: NewSession) {
  yield;
  await store.buryToken(tombstoneOf(session, session.hash), now);
  yield;
  await store.revoke(tombstoneOf(session), now);
}

const successors = ['first', 'second', 'resumed'];

/** Every token that the session may have had. */
const tokensOf = (session: NewSession) =>
  [session.hash, ...successors.map((name) => hashNamed(`${session.handle} ${name}`))].map((hash) => ({ tag: session.tag, hash }));

async function liveTokens(store: SessionStore, session: NewSession): Promise<SessionRecord[]> {
  const found = await Promise.all(tokensOf(session).map((key) => store.resolve(key, now, touch)));
  return found.filter((record) => record !== undefined);
}

/** All merges of sequences of these lengths: [2, 1] -> [0,0,1] [0,1,0] [1,0,0]. */
function interleavings(lengths: readonly number[]): number[][] {
  if (lengths.every((left) => left === 0)) return [[]];
  return lengths.flatMap((left, i) =>
    left === 0 ? [] : interleavings(lengths.map((n, j) => (j === i ? n - 1 : n))).map((rest) => [i, ...rest]),
  );
}

/** Runs the flows in every order of their calls, each on its own session; `check` sees what each flow returned. */
async function inEveryOrder(
  under: Under,
  flows: readonly Flow[],
  check: (session: NewSession, results: unknown[], order: string) => Promise<void>,
): Promise<void> {
  const { store, second } = under();
  const lengths = await Promise.all(flows.map((flow) => callCount(flow)));
  const orders = interleavings(lengths);
  expect(orders.length).toBeGreaterThan(1);
  for (const order of orders) {
    const name = order.join('');
    const session = userSession(name, { subject: `u_${name}` });
    await store.create(session, 10, t0);
    const results: unknown[] = flows.map(() => undefined);
    // Neighbouring flows use different connections.
    const running = flows.map((flow, i) => flow(i % 2 === 0 ? store : second, session));
    for (const flow of running) await flow.next();
    for (const i of order) {
      const step = await running[i]!.next();
      if (step.done === true) results[i] = step.value;
    }
    await check(session, results, name);
  }
}

/** Counts a flow's calls on an empty store. */
async function callCount(flow: Flow): Promise<number> {
  const nothing = {
    resolve: async () => undefined,
    rotate: async () => undefined,
    create: async () => 'tombstoned',
    revoke: async () => undefined,
  } as Partial<SessionStore>;
  const idle = { ...nothing, raiseEpoch: async () => 0, buryToken: async () => {} } as unknown as SessionStore;
  const running = flow(idle, userSession('count'));
  let calls = -1;
  for (let step = await running.next(); ; step = await running.next()) {
    calls += 1;
    if (step.done === true) return calls;
  }
}

export function races(under: Under): void {
  const dead = async (session: NewSession, _results: unknown[], order: string) => {
    expect(await liveTokens(under().store, session), `order ${order}`).toEqual([]);
    expect(await under().store.list(session.tag, session.subject, now), `order ${order}`).toEqual([]);
    expect(await under().indexed(session.tag, session.subject), `order ${order}`).toEqual([]);
    const records = (await under().keys(now)).filter(({ key }) => key.includes(':s:'));
    expect(records, `order ${order}`).toEqual([]);
  };
  describe('a logout stays a logout', () => {
    it.each<[string, Flow[]]>([
      ['against a touch', [loggingOut, touching]],
      ['against touches before and after', [loggingOut, touchingTwice]],
      ['against a rotation', [loggingOut, rotatingTo('first')]],
      ['against a rotation and a touch', [loggingOut, rotatingTo('first'), touching]],
      ['against the create of a resumed sign-in', [loggingOut, resuming]],
      ['against a resumed sign-in and a rotation', [loggingOut, resuming, rotatingTo('first')]],
      ['against its own replay and a rotation', [loggingOut, replaying, rotatingTo('first')]],
      ['against an epoch and a touch', [loggingOut, raising, touching]],
    ])('%s', async (_name, flows) => inEveryOrder(under, flows, dead));
  });
  it('lets exactly one of two rotations win', async () => {
    await inEveryOrder(under, [rotatingTo('first'), rotatingTo('second')], async (session, results, order) => {
      const winners = results.filter((result) => result !== undefined) as SessionRecord[];
      expect(winners, `order ${order}`).toHaveLength(1);
      const live = await liveTokens(under().store, session);
      expect(
        live.map((record) => record.hash),
        `order ${order}`,
      ).toEqual(winners.map((record) => record.hash));
    });
  });
  it('keeps a session created before an epoch raise dead, whatever touches or rotates it', async () => {
    await inEveryOrder(under, [raising, rotatingTo('first'), touchingTwice], dead);
  });
  atOnce(under);
}

const rounds = 50;

/** The same through two connections at the same time. Any order is possible in the store, so the outcome must be one of the allowed. */
function atOnce(under: Under): void {
  it('never resurrects a session that is revoked while it is touched, rotated and resumed at once', async () => {
    for (let round = 0; round < rounds; round++) {
      const session = userSession(`${round}`, { subject: `u_${round}` });
      const { store, second } = under();
      await store.create(session, 10, t0);
      const others = [
        second.resolve(session, now, touch),
        second.rotate(session, hashNamed(`${session.handle} first`), now, now),
        second.create(session, 10, now),
      ];
      await Promise.all([...others, store.revoke(tombstoneOf(session), now), second.resolve(session, now + hour, touch)]);
      expect(await liveTokens(store, session), `round ${round}`).toEqual([]);
      expect(await under().indexed(session.tag, session.subject), `round ${round}`).toEqual([]);
    }
  });
  it('lets exactly one of eight rotations at once win', async () => {
    for (let round = 0; round < rounds; round++) {
      const session = userSession(`${round}`, { subject: `u_${round}` });
      await under().store.create(session, 10, t0);
      const rotate = (i: number) => (i % 2 === 0 ? under().store : under().second).rotate(session, hashNamed(`${round} ${i}`), now, now);
      const won = (await Promise.all(Array.from({ length: 8 }, (_, i) => rotate(i)))).filter((record) => record !== undefined);
      expect(won, `round ${round}`).toHaveLength(1);
      expect(await under().store.list(session.tag, session.subject, now), `round ${round}`).toEqual(won);
    }
  });
  it('lets a sign-in that overlaps a revoke-all either be dead or carry the new epoch', async () => {
    for (let round = 0; round < rounds; round++) {
      const session = userSession(`${round}`, { subject: `u_${round}` });
      const [created, epoch] = await Promise.all([
        under().store.create(session, 10, now),
        under().second.raiseEpoch(session.tag, session.subject, undefined, now),
      ]);
      const live = await under().store.resolve(session, now, undefined);
      expect(created === 'tombstoned' ? undefined : created.session.epoch === epoch, `round ${round}`).toBe(live !== undefined);
      expect(live?.epoch ?? epoch, `round ${round}`).toBe(epoch);
    }
  });
  it('never holds more than the limit, however many sign in at once', async () => {
    const all = Array.from({ length: 30 }, (_, i) => userSession(`${i}`));
    const created = await Promise.all(all.map((session, i) => (i % 2 === 0 ? under().store : under().second).create(session, 10, now)));
    const ended = created.flatMap((result) => (result === 'tombstoned' ? [] : result.ended));
    expect(await under().store.list(all[0]!.tag, all[0]!.subject, now)).toHaveLength(10);
    expect(new Set(ended.map((record) => record.handle)).size).toBe(20);
  });
}
