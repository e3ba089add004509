/** A person who moves between two regions, with a mirror between their logs that can be cut. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { positionsIn } from '@cloakroom/contracts';
import { accepted, newUser, personContext, quantitiesOf } from '../cart.harness.ts';
import { openRegions, type TwoRegions } from '../regions.harness.ts';
import { partitionOfCart } from './consistency.ts';
import { getCart } from './get-cart.ts';

let shop: TwoRegions;
let ada: string;
beforeEach(async () => {
  shop = await openRegions();
  ada = newUser();
});
afterEach(() => shop.stop());

const patience = { timeout: 20_000, interval: 20 };
const regionsIn = (token: string | undefined): string[] => positionsIn(token).map(({ region }) => region);

/** Reads in eu until the cart is as expected. @returns the token of what was shown */
const shownInEu = (expected: Record<string, number>): Promise<string> =>
  vi.waitFor(async () => {
    const read = await shop.eu.get(ada);
    expect(quantitiesOf(read)).toEqual(expected);
    return read.consistencyToken!;
  }, patience);

it('shows no less in the other region than was seen in the first, or says by how much that region is ahead', async () => {
  accepted(await shop.eu.add(ada, 'mug', 1));
  await vi.waitFor(async () => expect(quantitiesOf(await shop.us.get(ada))).toEqual({ mug: 1 }), patience);
  shop.cut();
  for (const productId of ['cup', 'hat']) accepted(await shop.eu.add(ada, productId, 1));
  const seen = await shownInEu({ mug: 1, cup: 1, hat: 1 });
  const moved = await shop.us.get(ada, seen);
  expect(moved).toMatchObject({ stale: true, behind: 0n, behindRegions: [{ region: 'eu', records: 2n }] });
  expect(quantitiesOf(moved)).toEqual({ mug: 1 });
  shop.heal();
  await vi.waitFor(async () => {
    const read = await shop.us.get(ada, seen);
    expect(read).toMatchObject({ stale: false, behindRegions: [] });
    expect(quantitiesOf(read)).toEqual({ mug: 1, cup: 1, hat: 1 });
  }, patience);
});

it('a read names its position in the log of each region, and a command adds its own to those that it was shown', async () => {
  accepted(await shop.eu.add(ada, 'mug', 1));
  accepted(await shop.us.add(ada, 'cup', 1));
  const seen = await shownInEu({ mug: 1, cup: 1 });
  expect(regionsIn(seen)).toEqual(['eu', 'us']);
  const { consistencyToken } = accepted(await shop.us.add(ada, 'hat', 1, { consistency: seen }));
  expect(regionsIn(consistencyToken)).toEqual(['us', 'eu']);
  // Back in eu it waits for what was written in us.
  await vi.waitFor(async () => {
    const read = await shop.eu.get(ada, consistencyToken);
    expect(read.stale).toBe(false);
    expect(quantitiesOf(read)).toEqual({ mug: 1, cup: 1, hat: 1 });
  }, patience);
});

it('an invented position of another region makes a cart stale for its sender alone, and a read of a region without one is not', async () => {
  accepted(await shop.us.add(ada, 'mug', 1));
  const partition = partitionOfCart(shop.us.parts, ada);
  const invented = `eu:${partition}:9999999999999999999+mars:${partition}:9`;
  await vi.waitFor(async () => expect(quantitiesOf(await shop.us.get(ada))).toEqual({ mug: 1 }), patience);
  const read = await shop.us.get(ada, invented);
  expect(read).toMatchObject({ stale: true, behind: 0n, behindRegions: [{ region: 'eu', records: BigInt(Number.MAX_SAFE_INTEGER) }] });
  expect(quantitiesOf(read)).toEqual({ mug: 1 });
  expect(await shop.us.get(ada)).toMatchObject({ stale: false, behindRegions: [] });
  expect(regionsIn(accepted(await shop.us.add(ada, 'hat', 1, { consistency: invented })).consistencyToken)).toEqual(['us', 'eu']);
});

it('a position beyond the end of the own log, which was replaced, makes a read stale and holds up no order', async () => {
  accepted(await shop.us.add(ada, 'mug', 1));
  const { seen } = await vi.waitFor(async () => {
    const read = await shop.us.get(ada);
    expect(quantitiesOf(read)).toEqual({ mug: 1 });
    return read;
  }, patience);
  const ofTheOldLog = `us:${partitionOfCart(shop.us.parts, ada)}:500`;
  expect(await shop.us.get(ada, ofTheOldLog)).toMatchObject({ stale: true, behind: 500n });
  expect(accepted(await shop.us.prepare(ada, seen!, ofTheOldLog))).toMatchObject({
    stale: false,
    changed: false,
    lines: [{ lineId: 'mug' }],
  });
});

it('a region that the shop has given up is in no token', async () => {
  accepted(await shop.eu.add(ada, 'mug', 1));
  accepted(await shop.us.add(ada, 'cup', 1));
  expect(regionsIn(await shownInEu({ mug: 1, cup: 1 }))).toEqual(['eu', 'us']);
  const { topics } = shop.eu.parts;
  const parts = { ...shop.eu.parts, projector: shop.eu.projector(), topics: { ...topics, mirrors: [] } };
  const { consistencyToken } = accepted(await getCart(parts, personContext(ada), { claimedGuestCart: '' }));
  expect(regionsIn(consistencyToken)).toEqual(['eu']);
});

it('a token of before, of one region, is read as it was', async () => {
  const { consistencyToken } = accepted(await shop.us.add(ada, 'mug', 1));
  expect(consistencyToken).toMatch(/^us:\d+:0$/);
  await vi.waitFor(async () => expect(await shop.us.get(ada, consistencyToken)).toMatchObject({ stale: false }), patience);
});

it('what this side knows can be ordered, though the other side has more', async () => {
  accepted(await shop.us.add(ada, 'mug', 1));
  const known = await vi.waitFor(async () => {
    const read = await shop.us.get(ada);
    expect(quantitiesOf(read)).toEqual({ mug: 1 });
    return read;
  }, patience);
  shop.cut();
  accepted(await shop.eu.add(ada, 'cup', 1));
  const seen = await vi.waitFor(async () => {
    const read = await shop.eu.get(ada);
    expect(quantitiesOf(read)).toHaveProperty('cup');
    return read.consistencyToken!;
  }, patience);
  expect((await shop.us.get(ada, seen)).stale).toBe(true);
  expect(accepted(await shop.us.prepare(ada, known.seen!, seen))).toMatchObject({ stale: false, changed: false });
});
