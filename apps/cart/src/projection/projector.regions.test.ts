/** The projector over its region's own log and the copy of the other region's: two services, two logs, and a mirror between them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadLetterTopic, mirroredTopic } from '@cloakroom/contracts';
import { accepted, newCommandId, newGuest, newUser, openHarness, personContext, quantitiesOf, type Harness } from '../cart.harness.ts';
import { cartTopics } from '../cart.dependencies.ts';
import { realignments, staleReads } from '../metrics.ts';
import type { Dot } from '../model/cart.ts';
import { decodeSeen } from '../model/seen.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { getCart } from '../reads/get-cart.ts';
import { prepareOrder } from '../reads/prepare-order.ts';
import { openRegions, typesIn, type TwoRegions } from '../regions.harness.ts';

let shop: TwoRegions;
let both: readonly Harness[];
beforeEach(async () => {
  shop = await openRegions();
  both = [shop.eu, shop.us];
});
afterEach(async () => {
  vi.restoreAllMocks();
  await shop.stop();
});

/** Generous: it says that both become equal, and not how soon. */
const patience = { timeout: 20_000, interval: 20 };
const show = (subject: string, expected: Record<string, number>, carts: readonly Harness[] = both): Promise<void> =>
  vi.waitFor(async () => {
    for (const cart of carts) {
      const read = await cart.get(subject);
      expect(quantitiesOf(read)).toEqual(expected);
      expect(read.stale).toBe(false);
    }
  }, patience);
const dotsOf = (seen: string | undefined): Dot[] => decodeSeen(seen!) as Dot[];
const times = async (type: string) => {
  const [eu, us] = await Promise.all([typesIn(shop.logs.eu, cartTopics.events), typesIn(shop.logs.us, cartTopics.events)]);
  return { eu: eu.filter((one) => one === type).length, us: us.filter((one) => one === type).length };
};
const sought = async (): Promise<number> => (await realignments.get()).values.find(({ labels }) => labels['how'] === 'sought')?.value ?? 0;

describe('two regions', { timeout: 60_000 }, () => {
  it('show what was added in either', async () => {
    const ada = newUser();
    accepted(await shop.eu.add(ada, 'mug', 2));
    accepted(await shop.us.add(ada, 'cup', 1));
    await show(ada, { mug: 2, cup: 1 });
  });

  it('both take commands during a cut, and show the same cart afterwards: a removal of one does not undo an add of the other', async () => {
    const ada = newUser();
    accepted(await shop.eu.add(ada, 'mug', 1));
    await show(ada, { mug: 1 });
    shop.cut();
    const { seen } = await shop.eu.get(ada);
    accepted(await shop.eu.remove(ada, 'mug', seen!));
    accepted(await shop.us.add(ada, 'mug', 4));
    accepted(await shop.us.add(ada, 'cup', 1));
    await show(ada, {}, [shop.eu]);
    await show(ada, { mug: 5, cup: 1 }, [shop.us]);
    shop.heal();
    await show(ada, { mug: 4, cup: 1 });
  });

  it('bring one person of many carts through a busy time, and no batch of one log makes that of the other start again', async () => {
    const people = Array.from({ length: 6 }, newUser);
    await show(people[0]!, {});
    const before = await sought();
    const shopping = async (cart: Harness, subject: string): Promise<void> => {
      for (let n = 0; n < 20; n++) accepted(await cart.add(subject));
    };
    await Promise.all(people.flatMap((subject) => both.map((cart) => shopping(cart, subject))));
    for (const subject of people) await show(subject, { mug: 40 });
    expect(await sought()).toBe(before);
  });

  it('share their partitions with a second process each, and nothing is lost while it joins and leaves', async () => {
    const people = Array.from({ length: 6 }, newUser);
    const shopping = Promise.all(
      people.flatMap((subject) =>
        both.map(async (cart) => {
          for (let n = 0; n < 10; n++) accepted(await cart.add(subject));
        }),
      ),
    );
    const second = await shop.join('eu');
    await shopping;
    await second.stop();
    for (const subject of people) await show(subject, { mug: 20 });
  });

  it('read both logs again for a view that was wiped', async () => {
    const ada = newUser();
    accepted(await shop.eu.add(ada, 'mug', 2));
    accepted(await shop.us.add(ada, 'cup', 1));
    await show(ada, { mug: 2, cup: 1 });
    const partition = partitionOfCart(shop.eu.parts, ada);
    await shop.eu.view.reset(partition);
    shop.eu.projector().realignSoon();
    await show(ada, { mug: 2, cup: 1 });
    accepted(await shop.us.add(ada, 'cup', 1));
    await show(ada, { mug: 2, cup: 2 });
  });

  it('a copied record that nobody can read leaves its cart incomplete, and goes to the dead letters of the copy', async () => {
    const ada = newUser();
    accepted(await shop.us.add(ada, 'cup', 1));
    await shop.logs.us.publish(cartTopics.events, [{ key: ada, value: Buffer.from('not a cart event') }]);
    accepted(await shop.us.add(ada, 'cup', 2));
    await show(ada, { cup: 3 });
    expect(await Promise.all(both.map(async (cart) => (await cart.get(ada)).incomplete))).toEqual([true, true]);
    const buried = await shop.logs.eu.bounds(deadLetterTopic(mirroredTopic(cartTopics.events, 'us')));
    expect(buried.get(partitionOfCart(shop.eu.parts, ada))?.next).toBe(1n);
  });

  it('of a guest that was claimed, each region forwards what was done there, and no other does', async () => {
    const [guest, ada] = [newGuest(), newUser()];
    accepted(await shop.us.add(guest, 'mug', 2));
    await show(guest, { mug: 2 });
    await shop.us.claim(guest, ada);
    await show(ada, { mug: 2 });
    expect(await times('GuestCartClaimed')).toEqual({ eu: 0, us: 1 });
    expect(await times('GuestJoined')).toEqual({ eu: 0, us: 1 });
    // The guest goes on elsewhere, from a page that has not heard of the sign-in.
    accepted(await shop.eu.add(guest, 'cup', 1));
    await show(ada, { mug: 2, cup: 1 });
    expect(await times('GuestJoined')).toEqual({ eu: 1, us: 1 });
  });

  it('an order is taken out of the cart by the region that placed it alone, though the other one has a copy of the order', async () => {
    const ada = newUser();
    accepted(await shop.eu.add(ada, 'mug', 2));
    accepted(await shop.us.add(ada, 'cup', 1));
    await show(ada, { mug: 2, cup: 1 });
    const { lines } = await shop.eu.get(ada);
    await shop.eu.confirm(ada, dotsOf(lines!.find(({ lineId }) => lineId === 'mug')!.seen));
    await show(ada, { cup: 1 });
    expect(await times('OrderPlaced')).toEqual({ eu: 1, us: 0 });
  });

  it('a guest that somebody has claimed stays theirs in both, whoever signs in later', async () => {
    const [guest, ada, eve] = [newGuest(), newUser(), newUser()];
    accepted(await shop.us.add(guest, 'mug', 2));
    await shop.us.claim(guest, ada, { eventId: newCommandId() });
    await show(ada, { mug: 2 });
    await shop.us.claim(guest, eve);
    await vi.waitFor(async () => expect(await times('GuestCartClaimed')).toEqual({ eu: 0, us: 2 }), patience);
    accepted(await shop.us.add(guest, 'cup', 1));
    await show(ada, { mug: 2, cup: 1 });
    await show(eve, {});
    expect(await times('GuestJoined')).toEqual({ eu: 0, us: 2 });
  });

  it('a cart is called stale where a log is longer than what was applied of it, and is ordered while that is a copy alone', async () => {
    const ada = newUser();
    accepted(await shop.eu.add(ada, 'mug', 1));
    await show(ada, { mug: 1 });
    const partition = partitionOfCart(shop.eu.parts, ada);
    const { seen } = await shop.eu.get(ada);
    const end = (await shop.logs.eu.bounds(cartTopics.events)).get(partition)?.next;
    const read = async (region: string) => {
      const ends = {
        standing: (of: number, asked = 'eu') => (of === partition && asked === region ? 9n : 0n),
        now: () => Promise.resolve(end),
      };
      const parts = { ...shop.eu.parts, projector: { heardAgoMs: () => 0, realignSoon: () => undefined, ends } };
      const shown = accepted(await getCart(parts, personContext(ada), { claimedGuestCart: '' }));
      const ordered = accepted(await prepareOrder(parts, personContext(ada), { seen: seen! }));
      return { shown: shown.stale, ordered: ordered.stale, lines: quantitiesOf(ordered) };
    };
    const lines = { mug: 1 };
    expect(await read('another')).toEqual({ shown: false, ordered: false, lines });
    expect(await read('us')).toEqual({ shown: true, ordered: false, lines });
    expect(await read('eu')).toEqual({ shown: true, ordered: true, lines });
    const reasons = (await staleReads.get()).values.map(({ labels }) => labels['reason']);
    expect(reasons).toEqual(expect.arrayContaining(['lagging', 'lagging_copy']));
  });
});

it('one region reads one log, asks for its ends alone, and looks at no other topic', async () => {
  const cart = await openHarness();
  try {
    const [subscribe, bounds] = [vi.spyOn(cart.eventLog, 'subscribe'), vi.spyOn(cart.eventLog, 'bounds')];
    await cart.restartProjector();
    const ada = newUser();
    accepted(await cart.add(ada));
    await show(ada, { mug: 1 }, [cart]);
    expect(subscribe.mock.calls[0]![0].topics).toEqual([cartTopics.events]);
    expect(new Set(bounds.mock.calls.map(([{ name }]) => name))).toEqual(new Set([cartTopics.events.name]));
  } finally {
    await cart.stop();
  }
});

it(
  'a region that is given up holds up nothing, takes nothing along, and is read anew when it comes back',
  { timeout: 120_000 },
  async () => {
    const [guest, ada] = [newGuest(), newUser()];
    accepted(await shop.eu.add(guest, 'cup'));
    await shop.eu.claim(guest, ada);
    await show(ada, { cup: 1 });
    accepted(await shop.us.add(ada, 'hat'));
    await show(ada, { cup: 1, hat: 1 });
    const partitions = [guest, ada].map((cartId) => partitionOfCart(shop.eu.parts, cartId));
    const regions = async () =>
      [...(await shop.eu.view.places(partitions)).values()].map(({ mirrors }) => mirrors?.map(({ region }) => region));

    await shop.eu.projector().stop();
    const alone = await openHarness({ eventLog: shop.logs.eu, view: shop.eu.view, topics: cartTopics, region: 'eu' });
    await vi.waitFor(async () => expect(await regions()).toEqual([...new Set(partitions)].map(() => undefined)), patience);
    accepted(await shop.us.add(ada, 'tea'));
    accepted(await alone.add(guest, 'mug'));
    await show(ada, { cup: 1, hat: 1, mug: 1 }, [alone]);

    await alone.stop();
    await shop.eu.restartProjector();
    await show(ada, { cup: 1, hat: 1, mug: 1, tea: 1 });
    expect(await regions()).toEqual([...new Set(partitions)].map(() => ['us']));
  },
);
