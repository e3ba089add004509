import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic, recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import { accepted, newAuthKey, newGuest, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import type { Dot } from '../model/cart.ts';
import type { DeadLetter } from './read-dead-letters.ts';
import { claims } from '../metrics.ts';
import { redriveClaims, redriveOrders } from './redrive-sources.ts';
import { decodeSeen } from '../model/seen.ts';

let cart: Harness;
let buriedCount: number;
beforeEach(async () => {
  buriedCount = 0;
  cart = await openHarness();
  await cart.eventLog.ensureTopics([cart.topics.identity, cart.topics.orders].map(deadLetterTopic));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

/** Publishes as if a build that could not read the record had buried it. */
async function buried(publish: () => Promise<unknown>): Promise<void> {
  const original = cart.eventLog.publish.bind(cart.eventLog);
  vi.spyOn(cart.eventLog, 'publish').mockImplementationOnce((topic: TopicSpec, records) => {
    const origin = {
      [recordHeaders.originTopic]: Buffer.from(topic.name),
      [recordHeaders.originPartition]: Buffer.from('0'),
      [recordHeaders.originOffset]: Buffer.from(String((buriedCount += 1))),
      [recordHeaders.originReason]: Buffer.from('unknown version'),
    };
    return original(
      deadLetterTopic(topic),
      records.map((record) => ({ ...record, headers: { ...record.headers, ...origin } })),
    );
  });
  await publish();
}
const run = async (what: typeof redriveClaims, more: { readonly dryRun?: boolean } = {}) => {
  const letters: DeadLetter[] = [];
  const { eventLog, view, topics } = cart;
  const sum = await what({ eventLog, view, topics, clock: cart.parts.clock, tell: (letter) => letters.push(letter), ...more });
  return { ...sum, letters };
};
const shows = (subject: string, expected: Record<string, number>) =>
  vi.waitFor(async () => expect(quantitiesOf(await cart.get(subject))).toEqual(expected));
const dotsOf = (seen: string | undefined): Dot[] => decodeSeen(seen!) as Dot[];

it('a redrive puts a claim back once, with its own signature', async () => {
  const [guest, ada] = [newGuest(), newUser()];
  accepted(await cart.add(guest, 'mug', 2));
  await shows(guest, { mug: 2 });
  await buried(() => cart.claim(guest, ada));
  expect(await run(redriveClaims, { dryRun: true })).toMatchObject({ putBack: 1, left: 0, letters: [{ cartId: guest, origin: 1n }] });
  await shows(ada, {});
  expect(await run(redriveClaims)).toMatchObject({ putBack: 1, done: 0, left: 0 });
  await shows(ada, { mug: 2 });
  expect(await run(redriveClaims)).toMatchObject({ putBack: 0, done: 1, left: 0 });
});

it('a redrive cannot make a claim with a false signature count', async () => {
  const [guest, eve] = [newGuest(), newUser()];
  accepted(await cart.add(guest, 'mug', 2));
  const forged = async () => (await claims.get()).values.find(({ labels }) => labels['outcome'] === 'refused_forged')?.value ?? 0;
  const before = await forged();
  await buried(() => cart.claim(guest, eve, { signer: newAuthKey().key }));
  await run(redriveClaims);
  await vi.waitFor(async () => expect(await forged()).toBe(before + 1));
  await shows(eve, {});
});

it('a redrive puts a confirmed order back until its cart has removed the ordered lines', async () => {
  const ada = newUser();
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  await shows(ada, { mug: 2 });
  await buried(() => cart.confirm(ada, dotsOf(seen)));
  expect(await run(redriveOrders)).toMatchObject({ putBack: 1, left: 0, letters: [{ cartId: ada }] });
  await shows(ada, {});
  expect(await run(redriveOrders)).toMatchObject({ putBack: 0, done: 1, left: 0 });
});

it('a redrive leaves unreadable records and orders of another cart, and says why', async () => {
  const [ada, eve] = [newUser(), newUser()];
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  await buried(() => cart.confirm(eve, dotsOf(seen), { cartId: ada }));
  await buried(() => cart.eventLog.publish(cart.topics.orders, [{ key: ada, value: Buffer.from('x') }]));
  await buried(() => cart.eventLog.publish(cart.topics.identity, [{ key: ada, value: Buffer.from('x') }]));
  await cart.eventLog.publish(deadLetterTopic(cart.topics.identity), [{ key: ada, value: Buffer.from('') }]);
  const orders = await run(redriveOrders);
  expect(orders).toMatchObject({ putBack: 0, left: 2 });
  expect(orders.letters.map(({ outcome }) => (outcome.is === 'left' ? outcome.why : '')).sort()).toEqual([
    "it names another cart than its buyer's",
    'not an order event',
  ]);
  const identity = await run(redriveClaims);
  expect(identity.letters.map(({ outcome }) => (outcome.is === 'left' ? outcome.why : '')).sort()).toEqual([
    'its headers do not say where it came from',
    'not an identity event',
  ]);
  await shows(ada, { mug: 2 });
});
