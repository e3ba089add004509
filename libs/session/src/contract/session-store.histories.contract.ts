/**
 * Random histories of several devices and two persons, held against a model that states the rules in the plainest way. In addition all orders of a
 * small set of operations, held against rules that know no order of execution at all.
 */
import type { LiveSession, NewSession, SessionStore } from '../index.ts';
import { decide, evolve, isLive, limits, newSession, sessionState } from '../index.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SessionStoreUnderTest, Under } from '../session-store.samples.ts';
import { day, hashNamed, hour, minute, t0, tombstoneOf, userSession } from '../session-store.samples.ts';

/** Small numbers, so that histories meet. */
const sessionCountMax = 3;
const devices = 5;
const persons = ['u_ada', 'u_grace'];

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'create' | 'touch' | 'look' | 'rotate' | 'revoke' | 'bury'; readonly device: number }
  | { readonly do: 'raise'; readonly person: number };

// A wait of a day and more expires the idle; 25 of the longest stay below the absolute limit, beyond which a store may forget.
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, minute - 1, minute, 10 * hour, 25 * hour) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('create', 'touch', 'look', 'rotate', 'revoke', 'bury'), device: fc.nat(devices - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('raise' as const), person: fc.nat(persons.length - 1) }) },
) as fc.Arbitrary<Step>;

interface Known {
  session: NewSession;
  /** The session by libs/session's pure rules; undefined when it is over. */
  state: LiveSession | undefined;
  hash: string;
  epoch: number;
}

class Model {
  now = t0;
  readonly known = new Map<string, Known>();
  readonly epochs = new Map<string, number>();
  readonly buried = new Set<string>();

  live(subject: string): Known[] {
    return [...this.known.values()].filter((k) => k.session.subject === subject && this.isLive(k));
  }
  isLive(known: Known): boolean {
    if (known.epoch < (this.epochs.get(known.session.subject) ?? 0)) known.state = undefined;
    const noticed = known.state && decide(known.state, { kind: 'stepUp', atMs: this.now }).events[0];
    if (noticed?.kind === 'Expired') known.state = undefined;
    return known.state !== undefined;
  }
  end(known: Known, name: string): void {
    known.state = undefined;
    this.buried.add(name);
  }
}

/** Plays one step on both and compares the answers. */
async function play(model: Model, store: SessionStore, next: Step, index: number): Promise<void> {
  if (next.do === 'wait') return void (model.now += next.ms);
  if (next.do === 'raise') {
    const subject = persons[next.person]!;
    const epoch = Math.max((model.epochs.get(subject) ?? 0) + 1, model.now);
    model.epochs.set(subject, epoch);
    return expect(await store.raiseEpoch('0abc', subject, undefined, model.now)).toBe(epoch);
  }
  const handle = `handle-${next.device}`;
  if (next.do === 'create') return create(model, store, next.device, index);
  const known = model.known.get(handle) ?? {
    session: userSession(`${next.device}`),
    state: undefined,
    hash: hashNamed(`${next.device}`),
    epoch: 0,
  };
  const key = { tag: known.session.tag, hash: known.hash };
  const wasLive = model.isLive(known);
  if (next.do === 'touch' || next.do === 'look') {
    const record = await store.resolve(key, model.now, next.do === 'touch' ? { idleTimeoutMs: limits.user.idleTimeoutMs } : undefined);
    if (wasLive && next.do === 'touch')
      known.state = decide(known.state!, { kind: 'touch', atMs: model.now }).events.reduce(evolveLive, known.state!);
    expect(record && sessionState(record)).toEqual(known.state);
  } else if (next.do === 'rotate') {
    const successor = hashNamed(`${next.device} at ${index}`);
    const record = await store.rotate(key, successor, model.now, model.now);
    if (wasLive) {
      model.buried.add(known.hash);
      known.hash = successor;
      known.state = decide(known.state!, { kind: 'reauthenticate', atMs: model.now }).events.reduce(evolveLive, known.state!);
    }
    expect(record && sessionState(record)).toEqual(known.state);
  } else {
    const name = next.do === 'revoke' ? handle : known.hash;
    const result =
      next.do === 'revoke'
        ? await store.revoke(tombstoneOf(known.session), model.now)
        : await store.buryToken(tombstoneOf(known.session, name), model.now);
    if (next.do === 'revoke') expect(result?.hash).toBe(wasLive ? known.hash : undefined);
    model.end(known, name);
  }
}

const evolveLive = (state: LiveSession, event: Parameters<typeof evolve>[1]): LiveSession => {
  const next = evolve(state, event);
  if (!isLive(next)) throw new Error('still live');
  return next;
};

/** A device signs in with the handle it always has and a token it never had. */
async function create(model: Model, store: SessionStore, device: number, index: number): Promise<void> {
  const handle = `handle-${device}`;
  const subject = persons[device % persons.length]!;
  const state = evolve({ kind: 'none' }, { kind: 'SignedIn', handle, subject, claimedGuestCart: '', atMs: model.now });
  if (!isLive(state)) throw new Error('a sign-in makes a live session');
  const key = { tag: '0abc', hash: hashNamed(`${device} at ${index}`) };
  const session = newSession(state, { key, mode: 'hybrid', device: 'x', region: 'local', globalEpoch: 0 });
  const created = await store.create(session, sessionCountMax, model.now);
  if (model.buried.has(handle)) return expect(created).toBe('tombstoned');
  const before = model.known.get(handle);
  if (before !== undefined && model.isLive(before)) model.end(before, before.hash);
  const others = model
    .live(subject)
    .sort((a, b) => a.state!.lastSeenAtMs - b.state!.lastSeenAtMs || a.state!.createdAtMs - b.state!.createdAtMs);
  const surplus = Math.max(0, others.length - sessionCountMax + 1);
  if (created === 'tombstoned') return expect.fail('refused a sign-in that nothing forbids');
  // When several are equally idle, any of them may go.
  expect(created.ended.map((record) => record.lastSeenAtMs)).toEqual(others.slice(0, surplus).map((known) => known.state!.lastSeenAtMs));
  for (const record of created.ended) model.end(model.known.get(record.handle)!, record.handle);
  model.known.set(handle, { session, state, hash: key.hash, epoch: model.epochs.get(subject) ?? 0 });
}

/** |live| = |listed| = |indexed| = |records|, and no entry is kept for ever. */
async function agree(model: Model, { store, keys, indexed }: SessionStoreUnderTest): Promise<void> {
  for (const { key, ttlMs } of await keys(model.now)) expect(ttlMs, `TTL of ${key}`).toBeGreaterThan(0);
  for (const subject of persons) {
    const hashes = model
      .live(subject)
      .map((known) => known.hash)
      .sort();
    expect((await store.list('0abc', subject, model.now)).map((record) => record.hash).sort()).toEqual(hashes);
    expect((await indexed('0abc', subject)).sort()).toEqual(hashes);
  }
  const live = persons.flatMap((subject) => model.live(subject)).length;
  expect((await keys(model.now)).filter(({ key }) => key.includes(':s:'))).toHaveLength(live);
}

export function histories(under: Under): void {
  it(
    'agrees with the rules of a session and its index with what is live, after every step of any history',
    { timeout: 300_000 },
    async () => {
      const histories = fc.array(step, { minLength: 1, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(histories, async (steps) => {
          await under().wipe();
          const model = new Model();
          for (const [index, next] of steps.entries()) {
            await play(model, index % 2 === 0 ? under().store : under().second, next, index);
            await agree(model, under());
          }
        }),
        { numRuns: 150 },
      );
    },
  );
  it('ends in the same way in all 5,040 orders of seven operations', { timeout: 300_000 }, async () => allOrders(under));
}

const operations = ['create', 'touch', 'rotate to b', 'rotate to c', 'revoke', 'raise', 'bury a'] as const;
type Operation = (typeof operations)[number];

/** The number of orders under way at once. They share nothing, and one connection answers them in turn. */
const batchSize = 120;

async function allOrders(under: Under): Promise<void> {
  const orders = permutations(operations);
  expect(orders).toHaveLength(5_040);
  for (let from = 0; from < orders.length; from += batchSize) {
    await Promise.all(orders.slice(from, from + batchSize).map((order, i) => oneOrder(under().store, order, from + i)));
  }
}

async function oneOrder(store: SessionStore, order: readonly Operation[], number: number): Promise<void> {
  const a = userSession(`${number} a`, { handle: `handle-${number}`, subject: `u_${number}` });
  const key = (name: string) => ({ tag: a.tag, hash: hashNamed(`${number} ${name}`) });
  const answers = new Map<Operation, unknown>();
  const call: Record<Operation, () => Promise<unknown>> = {
    create: () => store.create(a, 10, t0),
    touch: () => store.resolve(key('a'), t0 + hour, { idleTimeoutMs: day }),
    'rotate to b': () => store.rotate(key('a'), key('b').hash, t0, t0),
    'rotate to c': () => store.rotate(key('a'), key('c').hash, t0, t0),
    revoke: () => store.revoke(tombstoneOf(a), t0),
    raise: () => store.raiseEpoch(a.tag, a.subject, undefined, t0),
    'bury a': () => store.buryToken(tombstoneOf(a, a.hash), t0),
  };
  for (const operation of order) answers.set(operation, await call[operation]());
  const name = order.join(', ');
  const [b, c] = [answers.get('rotate to b'), answers.get('rotate to c')];
  // The rules: a logout is a logout wherever it stands, and no token ever has two successors.
  expect([b, c].filter((record) => record !== undefined).length, `in the order ${name}`).toBeLessThanOrEqual(1);
  for (const token of ['a', 'b', 'c'])
    expect(await store.resolve(key(token), t0 + hour, undefined), `in the order ${name}`).toBeUndefined();
  expect(await store.list(a.tag, a.subject, t0 + hour), `in the order ${name}`).toEqual([]);
  const before = (first: Operation, second: Operation) => order.indexOf(first) < order.indexOf(second);
  const born = before('revoke', 'create') || before('bury a', 'create') ? 'tombstoned' : 'created';
  expect(answers.get('create') === 'tombstoned' ? 'tombstoned' : 'created', `in the order ${name}`).toBe(born);
  if (before('touch', 'create') || before('revoke', 'touch')) expect(answers.get('touch'), `in the order ${name}`).toBeUndefined();
  // It was rotated exactly when it was alive then: born, not ended, not raised above and not buried.
  const alive = (at: Operation) =>
    born === 'created' &&
    before('create', at) &&
    !['revoke', 'bury a'].some((o) => before(o as Operation, at)) &&
    !(before('create', 'raise') && before('raise', at));
  expect(
    [b, c].some((record) => record !== undefined),
    `in the order ${name}`,
  ).toBe(alive('rotate to b') || alive('rotate to c'));
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}
