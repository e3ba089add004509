/** Two regions whose builds differ: eu cannot read a record of a guest of us. The guest signs in, and both regions forward what the guest did. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { mirroredTopic } from '@cloakroom/contracts';
import { cartTopics } from '../cart.dependencies.ts';
import { accepted, newGuest, newUser, quantitiesOf, type Harness } from '../cart.harness.ts';
import type { MemoryCartView } from '../projection/cart.view.memory.ts';
import { openRegions, typesIn, type Region, type TwoRegions } from '../regions.harness.ts';
import { readAsOlderBuild } from './older-build.harness.ts';
import { redrive } from './redrive.ts';

const patience = { timeout: 60_000, interval: 20 };

let shop: TwoRegions;
let newer: Set<string>;
beforeEach(async () => {
  shop = await openRegions();
  newer = readAsOlderBuild(shop.logs.eu, mirroredTopic(cartTopics.events, 'us'));
  await shop.eu.restartProjector();
});
afterEach(() => shop.stop());

const show = (subject: string, lines: Record<string, number>, cart: Harness, incomplete = false) =>
  vi.waitFor(async () => {
    const read = await cart.get(subject);
    expect({ incomplete: read.incomplete, lines: quantitiesOf(read), stale: read.stale }).toEqual({ incomplete, lines, stale: false });
  }, patience);
const joinsIn = async (region: Region) =>
  (await typesIn(shop.logs[region], cartTopics.events)).filter((type) => type === 'GuestJoined').length;

it.each([
  { first: 'eu', second: 'us' },
  { first: 'us', second: 'eu' },
] as const)(
  'a person has what a guest did, though eu could not read it: $first forwards first, and neither a redrive nor a lost view takes anything away',
  { timeout: 240_000 },
  async ({ first, second }) => {
    const [guest, ada] = [newGuest(), newUser()];
    const all = { cup: 1, mug: 1 };
    accepted(await shop.eu.add(guest, 'cup'));
    for (const cart of [shop.eu, shop.us]) await show(guest, { cup: 1 }, cart);
    newer.add(guest);
    accepted(await shop.us.add(guest, 'mug'));
    await show(guest, { cup: 1 }, shop.eu, true);
    await show(guest, all, shop.us);
    newer.clear();

    await shop[second].projector().stop();
    await shop.us.claim(guest, ada);
    await vi.waitFor(async () => expect(await joinsIn(first)).toBe(1), patience);
    await show(ada, first === 'eu' ? { cup: 1 } : all, shop[first]);
    await shop[second].restartProjector();
    for (const cart of [shop.eu, shop.us]) await show(ada, all, cart);

    const { eventLog, view, topics, parts } = shop.eu;
    expect(await redrive({ eventLog, view, topics, clock: parts.clock })).toMatchObject({ putBack: 1, left: 0 });
    await show(guest, all, shop.eu);
    for (const cart of [shop.eu, shop.us]) {
      await cart.projector().stop();
      (cart.view as MemoryCartView).wipe();
      await cart.restartProjector();
      await show(ada, all, cart);
    }
  },
);
