import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MergeState, recordHeaders } from '@cloakroom/contracts';
import { EmbeddedEventLog, traceOfRecord, type LogRecord } from '@cloakroom/event-log';
import { startTrace, systemClock } from '@cloakroom/platform';
import { accepted, newAuthKey, newCommandId, newGuest, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import type { CartEvent } from '../model/cart.ts';
import { ViewUnavailable } from '../projection/cart.view.ts';
import { MemoryCartView } from '../projection/cart.view.memory.ts';
import { decodeEvent } from '../model/codec.ts';
import { claims } from '../metrics.ts';
import { partitionOfCart } from '../reads/consistency.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

/** Reads the whole log, independently of the service. */
async function recordsInLog(type: CartEvent['type']): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const ends = await cart.eventLog.bounds(cart.topics.events);
  let open = [...ends.values()].reduce((sum, { next }) => sum + Number(next), 0);
  const take = (record: LogRecord): void => {
    open--;
    if (decodeEvent(record).type === type) found.push(record);
  };
  const reader = await cart.eventLog.subscribe({
    group: newCommandId(),
    topics: [cart.topics.events],
    from: 'earliest',
    handler: ({ records }) => Promise.resolve(records.forEach(take)),
  });
  await vi.waitFor(() => expect(open).toBeLessThanOrEqual(0));
  await reader.stop();
  return found;
}
const eventsInLog = async (type: CartEvent['type']): Promise<CartEvent[]> => (await recordsInLog(type)).map(decodeEvent);

const merged = (user: string, guest: string, expected: Record<string, number>) =>
  vi.waitFor(async () => {
    const read = await cart.get(user, undefined, guest);
    expect(read.merge).toMatchObject({ state: MergeState.MERGED, from: guest });
    expect(quantitiesOf(read)).toEqual(expected);
    return read;
  });
const outcome = async (name: string): Promise<number> =>
  (await claims.get()).values.find(({ labels }) => labels['outcome'] === name)?.value ?? 0;

describe('signing in', () => {
  it("joins the guest's lines with the user's, and reports the merge as pending until then", async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    accepted(await cart.add(guest, 'cup', 1));
    accepted(await cart.add(user, 'mug', 1));
    expect((await cart.get(user, undefined, guest)).merge).toEqual({ state: MergeState.PENDING, from: guest });
    await cart.claim(guest, user);
    const read = await merged(user, guest, { mug: 3, cup: 1 });
    expect(Number(read.merge?.atMs)).toBeGreaterThan(Date.now() - 10_000);
  });

  it("carries a guest's removal that nobody projected before it was old enough to be forgotten", async () => {
    let daysLater = 0;
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + daysLater * 24 * 60 * 60 * 1000 };
    await cart.stop();
    cart = await openHarness({ clock });
    const [guest, user] = [newGuest(), newUser()];
    const { seen } = accepted(await cart.add(guest, 'mug', 2));
    await cart.claim(guest, user);
    await merged(user, guest, { mug: 2 });
    await cart.projector().stop();
    accepted(await cart.remove(guest, 'mug', seen ?? ''));
    daysLater = 15;
    accepted(await cart.add(guest, 'cup', 1, { commandId: newCommandId(clock.nowMs()) }));
    await cart.restartProjector();
    await merged(user, guest, { cup: 1 });
  });

  it('merges an empty guest cart too', async () => {
    const [guest, user] = [newGuest(), newUser()];
    await cart.claim(guest, user);
    await merged(user, guest, {});
  });

  it('changes nothing and appends no second join when its claim is published again', async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const eventId = newCommandId();
    for (let n = 0; n < 3; n++) await cart.claim(guest, user, { eventId });
    await merged(user, guest, { mug: 2 });
    await cart.claim(guest, user);
    await vi.waitFor(async () => expect(await eventsInLog('GuestCartClaimed')).toHaveLength(4));
    const last = accepted(await cart.add(guest, 'marker', 1));
    await cart.get(guest, last.consistencyToken);
    await merged(user, guest, { mug: 2, marker: 1 });
    // The claim made one, and the marker the other. The marker proves that all claims were projected.
    expect(await eventsInLog('GuestJoined')).toHaveLength(2);
  });

  it('carries what the guest adds and removes after the claim', async () => {
    const [guest, user] = [newGuest(), newUser()];
    const first = accepted(await cart.add(guest, 'mug', 2));
    await cart.claim(guest, user);
    await merged(user, guest, { mug: 2 });
    accepted(await cart.add(guest, 'cup', 1));
    await merged(user, guest, { mug: 2, cup: 1 });
    accepted(await cart.remove(guest, 'mug', first.seen!));
    await merged(user, guest, { cup: 1 });
  });

  it('keeps a line removed once the user has removed it, whatever the guest still does', async () => {
    const [guest, user] = [newGuest(), newUser()];
    const first = accepted(await cart.add(guest, 'mug', 2));
    await cart.claim(guest, user);
    await merged(user, guest, { mug: 2 });
    accepted(await cart.remove(user, 'mug', first.seen!));
    await merged(user, guest, {});
    accepted(await cart.add(guest, 'cup', 1));
    await merged(user, guest, { cup: 1 });
  });

  it("lets a removal by the guest's seen count in the user's cart before the claim has arrived", async () => {
    const [guest, user] = [newGuest(), newUser()];
    const first = accepted(await cart.add(guest, 'mug', 2));
    accepted(await cart.add(guest, 'cup', 1));
    accepted(await cart.remove(user, 'mug', first.seen!));
    await cart.claim(guest, user);
    await merged(user, guest, { cup: 1 });
  });

  it("removes one line by the seen of the guest's whole cart before the claim has arrived", async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const added = accepted(await cart.add(guest, 'cup', 1));
    const { seen } = await cart.get(guest, added.consistencyToken);
    accepted(await cart.remove(user, 'mug', seen!));
    await cart.claim(guest, user);
    await merged(user, guest, { cup: 1 });
  });

  it('joins two guest carts of one person', async () => {
    const [one, two, user] = [newGuest(), newGuest(), newUser()];
    accepted(await cart.add(one, 'mug', 1));
    accepted(await cart.add(two, 'mug', 2));
    await cart.claim(one, user);
    await cart.claim(two, user);
    await merged(user, one, { mug: 3 });
    await merged(user, two, { mug: 3 });
  });

  it('is one trace from the login to the join', async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const login = { traceparent: startTrace(randomBytes).traceparent, experiment: 'merge-b' };
    await cart.claim(guest, user, { trace: login });
    await merged(user, guest, { mug: 2 });
    expect((await recordsInLog('GuestCartClaimed')).map(traceOfRecord)).toEqual([login]);
    expect((await recordsInLog('GuestJoined')).map(traceOfRecord)).toEqual([login]);
  });

  it('waits for a log that is down, and completes once the log is back', async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    // The claim is in the log. The append of its copy to the guest's log fails twice.
    const publish = cart.eventLog.publish.bind(cart.eventLog);
    const log = vi.spyOn(cart.eventLog, 'publish');
    let failures = 0;
    log.mockImplementation((topic, records) => {
      if (topic.name !== cart.topics.events.name || failures++ >= 2) return publish(topic, records);
      (cart.eventLog as EmbeddedEventLog).interrupt();
      const failed = publish(topic, records);
      (cart.eventLog as EmbeddedEventLog).restore();
      return failed;
    });
    await cart.claim(guest, user);
    await vi.waitFor(async () => expect((await cart.get(user, undefined, guest)).merge?.state).toBe(MergeState.MERGED), { timeout: 5_000 });
    expect(quantitiesOf(await cart.get(user))).toEqual({ mug: 2 });
  });

  it('appends no join again when a wiped view is rebuilt', async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    await cart.claim(guest, user);
    await merged(user, guest, { mug: 2 });
    await cart.projector().stop();
    (cart.view as MemoryCartView).wipe();
    await cart.restartProjector();
    await merged(user, guest, { mug: 2 });
    const marker = accepted(await cart.add(guest, 'marker', 1));
    await vi.waitFor(async () => expect((await cart.get(guest, marker.consistencyToken)).stale).toBe(false));
    await merged(user, guest, { mug: 2, marker: 1 });
    expect(await eventsInLog('GuestJoined')).toHaveLength(2);
  });

  it('loses and doubles nothing when the projector dies after it appended a join and before it wrote the view', async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const partition = partitionOfCart(cart.parts, guest);
    const apply = cart.view.apply.bind(cart.view);
    let deaths = 0;
    vi.spyOn(cart.view, 'apply').mockImplementation((of, change) => {
      const claimed = of === partition && change.carts.some(({ state }) => state.claimedBy !== undefined);
      return claimed && deaths++ < 1 ? Promise.reject(new ViewUnavailable('killed')) : apply(of, change);
    });
    // Hides the user's cart from the projector, which would otherwise find the join there and save the second copy.
    const load = cart.view.load.bind(cart.view);
    vi.spyOn(cart.view, 'load').mockImplementation((of, cartIds) =>
      cartIds[0] === user && deaths === 1 ? Promise.resolve({ place: undefined, carts: new Map() }) : load(of, cartIds),
    );
    await cart.claim(guest, user);
    await vi.waitFor(async () => expect(await eventsInLog('GuestJoined')).toHaveLength(2), { timeout: 5_000 });
    deaths = 2;
    await merged(user, guest, { mug: 2 });
    expect((await cart.get(guest)).incomplete).toBe(false);
    accepted(await cart.add(guest, 'cup', 1));
    await merged(user, guest, { mug: 2, cup: 1 });
  });
});

describe('a false claim', () => {
  const nothingJoined = async (user: string, guest: string): Promise<void> => {
    // A true claim behind it in the same partition proves that the false one was read.
    const witness = newGuest();
    await cart.claim(witness, user);
    await merged(user, witness, {});
    expect((await cart.get(user, undefined, guest)).merge?.state).toBe(MergeState.PENDING);
  };

  it.each([
    ['unsigned', () => ({ unsigned: true })],
    ['signed by another key', () => ({ signer: newAuthKey().key })],
    ["signed by another key under auth's name", () => ({ signer: { ...newAuthKey().key, kid: 'auth-1' } })],
  ])('is refused, counted and not tried again when it is %s', async (_, how) => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const before = await outcome('refused_forged');
    await cart.claim(guest, user, how());
    await nothingJoined(user, guest);
    expect(await outcome('refused_forged')).toBe(before + 1);
  });

  it('is refused when its signature is of another record', async () => {
    const [guest, user] = [newGuest(), newUser()];
    const [position] = await cart.claim(newGuest(), newUser());
    const stolen = await new Promise<LogRecord>((resolve) => {
      void cart.eventLog.subscribe({
        group: newCommandId(),
        topics: [cart.topics.identity],
        from: 'earliest',
        handler: ({ records }) => Promise.resolve(records.forEach((record) => record.offset === position!.offset && resolve(record))),
      });
    });
    const before = await outcome('refused_forged');
    const value = Buffer.from(stolen.value!.toString('latin1').replace(stolen.key, user), 'latin1');
    await cart.eventLog.publish(cart.topics.identity, [
      { key: user, value, headers: { [recordHeaders.signature]: stolen.headers[recordHeaders.signature]! } },
    ]);
    await nothingJoined(user, guest);
    expect(await outcome('refused_forged')).toBe(before + 1);
  });

  it("is neither refused nor lost while auth's keys cannot be fetched", async () => {
    const [guest, user] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    const { find } = cart.auth.ring;
    const before = await outcome('refused_forged');
    vi.spyOn(cart.auth.ring, 'find').mockReturnValue(undefined);
    const refresh = vi.spyOn(cart.auth.ring, 'refresh').mockRejectedValueOnce(new Error('auth is away'));
    refresh.mockImplementation(() => {
      vi.spyOn(cart.auth.ring, 'find').mockImplementation(find);
      return Promise.resolve();
    });
    await cart.claim(guest, user);
    await vi.waitFor(async () => expect((await cart.get(user, undefined, guest)).merge?.state).toBe(MergeState.MERGED), { timeout: 5_000 });
    expect(await outcome('refused_forged')).toBe(before);
  });

  it('is refused for a second user: the guest cart stays with the first', async () => {
    const [guest, user, eve] = [newGuest(), newUser(), newUser()];
    accepted(await cart.add(guest, 'mug', 2));
    await cart.claim(guest, user);
    await merged(user, guest, { mug: 2 });
    const before = await outcome('refused_other_user');
    await cart.claim(guest, eve);
    await vi.waitFor(async () => expect(await outcome('refused_other_user')).toBe(before + 1));
    accepted(await cart.add(guest, 'cup', 1));
    await merged(user, guest, { mug: 2, cup: 1 });
    expect(quantitiesOf(await cart.get(eve))).toEqual({});
  });

  it("is refused when it claims a user's cart", async () => {
    const [victim, eve] = [newUser(), newUser()];
    accepted(await cart.add(victim, 'mug', 2));
    const before = await outcome('refused_source');
    await cart.claim(victim, eve);
    await vi.waitFor(async () => expect(await outcome('refused_source')).toBe(before + 1));
    expect(await eventsInLog('GuestCartClaimed')).toEqual([]);
  });
});
