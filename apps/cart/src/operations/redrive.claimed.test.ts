/**
 * A record of a guest is buried, and the guest signs in. Meanwhile the shop is upgraded to a build that can read the record, the view is lost, and an
 * operator redrives. In each order of these the user has all that the guest did, once a last redrive has nothing to put back.
 */
import { expect, it, vi } from 'vitest';
import { recordHeaders } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { cartTopics, topicsBeside, type CartTopics } from '../cart.dependencies.ts';
import { accepted, newGuest, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import type { MemoryCartView } from '../projection/cart.view.memory.ts';
import { readAsOlderBuild } from './older-build.harness.ts';
import { redrive } from './redrive.ts';

const patience = { timeout: 60_000, interval: 5 };
const steps = ['claim', 'upgrade', 'lose the view', 'redrive'] as const;
type Step = (typeof steps)[number];

const ordersOf = (left: readonly Step[]): Step[][] =>
  left.length === 0 ? [[]] : left.flatMap((one) => ordersOf(left.filter((other) => other !== one)).map((rest) => [one, ...rest]));

/** Every claim is in its guest's log, and the view has come to the end of the log. The projector forwards before it moves its place. */
const caughtUp = ({ eventLog, view, topics, group }: Harness) =>
  vi.waitFor(async () => {
    for (const { records } of await eventLog.lag(`${group}-claims`, topics.identity)) expect(records).toBe(0n);
    const partitions = Array.from({ length: topics.events.partitions }, (_, partition) => partition);
    const places = await view.places(partitions);
    for (const [partition, { next }] of await eventLog.bounds(topics.events)) expect(places.get(partition)?.next).toBe(next);
  }, patience);
const run = ({ eventLog, view, topics, parts: { clock } }: Harness) => redrive({ eventLog, view, topics, clock });

async function loseTheView(cart: Harness): Promise<void> {
  await cart.projector().stop();
  (cart.view as MemoryCartView).wipe();
  await cart.restartProjector();
  await caughtUp(cart);
}

async function shownOf(cart: Harness, subject: string): Promise<unknown> {
  const { incomplete, stale, ...read } = await cart.get(subject);
  return { incomplete, stale, ...quantitiesOf(read) };
}

/** @returns what the user is shown in the end, and after a further loss of the view */
async function endOf(type: string, topics: CartTopics, order: readonly Step[]): Promise<unknown[]> {
  const eventLog = new EmbeddedEventLog({ log: quiet, clock: systemClock });
  const newer = readAsOlderBuild(eventLog, topics.events, ({ headers }) => headers[recordHeaders.eventType]?.toString() === type);
  const cart = await openHarness({ eventLog, topics });
  try {
    const [guest, ada] = [newGuest(), newUser()];
    accepted(await cart.add(guest, 'hat'));
    const { seen } = accepted(await cart.add(guest, 'cup'));
    await caughtUp(cart);
    newer.add(guest);
    accepted(await cart.add(guest, 'mug'));
    accepted(await cart.remove(guest, 'cup', seen!));
    await caughtUp(cart);
    for (const step of order) {
      if (step === 'claim') await cart.claim(guest, ada);
      else if (step === 'upgrade') newer.clear();
      else if (step === 'lose the view') await loseTheView(cart);
      else await run(cart);
      await caughtUp(cart);
    }
    for (let runs = 0; (await run(cart)).putBack > 0; runs++) {
      expect(runs).toBeLessThan(3);
      await caughtUp(cart);
    }
    const shown = await shownOf(cart, ada);
    await loseTheView(cart);
    return [shown, await shownOf(cart, ada)];
  } finally {
    await cart.stop();
    await eventLog.close();
  }
}

it.each([
  { what: 'what a guest added', type: 'ItemAdded', topics: cartTopics },
  { what: 'what a guest removed', type: 'ItemRemoved', topics: cartTopics },
  { what: 'the claim of a guest', type: 'GuestCartClaimed', topics: cartTopics },
  { what: 'in a shop of two regions, what a guest added', type: 'ItemAdded', topics: topicsBeside(['us']) },
])('$what reaches the user, in whichever order it is buried, claimed, read, lost and redriven', async ({ type, topics }) => {
  const orders = ordersOf(steps);
  const ends = await Promise.all(orders.map(async (order) => [order.join(', '), await endOf(type, topics, order)] as const));
  const due = { incomplete: false, stale: false, hat: 1, mug: 1 };
  expect(Object.fromEntries(ends)).toEqual(Object.fromEntries(orders.map((order) => [order.join(', '), [due, due]])));
});
