/** A redrive in a shop of two regions. The region is eu, and the test writes the copy of the log of us as MirrorMaker does. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic, recordHeaders } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { topicsBeside } from '../cart.dependencies.ts';
import { accepted, newCommandId, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { dotOf, type CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import type { MemoryCartView } from '../projection/cart.view.memory.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { readAsOlderBuild } from './older-build.harness.ts';
import type { DeadLetter } from './read-dead-letters.ts';
import { redrive } from './redrive.ts';

const topics = topicsBeside(['us']);
const copy = topics.mirrors![0]!.events;
const patience = { timeout: 60_000, interval: 20 };

let eventLog: EmbeddedEventLog;
let newer: Set<string>;
let cart: Harness;
let ada: string;
const open = async (clock = systemClock) => {
  eventLog = new EmbeddedEventLog({ log: quiet, clock });
  newer = readAsOlderBuild(eventLog, copy);
  cart = await openHarness({ eventLog, topics, region: 'eu', clock });
  ada = newUser();
};
const close = async () => {
  await cart.stop();
  await eventLog.close();
};
beforeEach(() => open());
afterEach(close);

const added = (line: string, quantity = 1, atMs = Date.now()): CartEvent => ({
  type: 'ItemAdded',
  cartId: ada,
  atMs,
  dot: dotOf(ada, newCommandId(atMs)),
  line,
  quantity,
});
/** @param at its offset in the log of us */
const arrives = (event: CartEvent, at: number, more: Readonly<Record<string, string>> = {}) => {
  const { value, headers } = encodeEvent(event);
  const texts = { [recordHeaders.logOffset]: String(at), [recordHeaders.logId]: 'a', ...more };
  const origin = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
  return eventLog.publish(copy, [{ key: ada, value, headers: { ...headers, ...origin } }]);
};
const is = (lines: Record<string, number>, incomplete = false) =>
  vi.waitFor(async () => {
    const read = await cart.get(ada);
    expect({ incomplete: read.incomplete, lines: quantitiesOf(read), stale: read.stale }).toEqual({ incomplete, lines, stale: false });
  }, patience);
const run = async () => {
  const letters: DeadLetter[] = [];
  const sum = await redrive({ eventLog, view: cart.view, topics, clock: cart.parts.clock, tell: (letter) => letters.push(letter) });
  return { ...sum, letters };
};
const placeOfUs = async () => {
  const partition = partitionOfCart(cart.parts, ada);
  return (await cart.view.places([partition])).get(partition)!.mirrors![0]!;
};

it('puts a copied record back once, by its place in its own log, and says which region it is of', async () => {
  newer.add(ada);
  await arrives(added('mug', 2), 7);
  await is({}, true);
  newer.clear();
  const letter = { cartId: ada, region: 'us', origin: 7n, outcome: { is: 'put_back' } };
  expect(await run()).toMatchObject({ putBack: 1, done: 0, left: 0, letters: [letter] });
  await is({ mug: 2 });
  expect(await run()).toMatchObject({ putBack: 0, done: 1, left: 0 });
});

it('does not make a silent log look heard: neither its time nor its place for tokens moves by what is put back', async () => {
  newer.add(ada);
  await arrives(added('mug'), 7);
  await is({}, true);
  newer.clear();
  await arrives(added('cup'), 8);
  await is({ cup: 1 }, true);
  const before = await placeOfUs();
  await run();
  await is({ cup: 1, mug: 1 });
  expect(await placeOfUs()).toEqual({ ...before, next: before.next + 1n });
});

it('tries a record again that the running build buried once more', async () => {
  newer.add(ada);
  await arrives(added('mug'), 7);
  await is({}, true);
  expect(await run()).toMatchObject({ putBack: 1 });
  const partition = partitionOfCart(cart.parts, ada);
  await vi.waitFor(async () => expect((await eventLog.bounds(deadLetterTopic(copy))).get(partition)?.next).toBe(2n), patience);
  await is({}, true);
  newer.clear();
  expect(await run()).toMatchObject({ putBack: 1, done: 1 });
  await is({ mug: 1 });
});

it('is not needed where the own region of the record has redriven it', async () => {
  newer.add(ada);
  await arrives(added('mug'), 7);
  await is({}, true);
  newer.clear();
  await arrives(added('mug'), 12, { [recordHeaders.redriveOf]: '7' });
  await is({ mug: 1 });
  expect(await run()).toMatchObject({ putBack: 0, done: 1, left: 0 });
});

it('brings back no line by a second copy, once the line was removed and its death forgotten', async () => {
  const dayMs = 24 * 60 * 60 * 1000;
  let nowMs = Date.now() - 80 * dayMs;
  await close();
  await open({ ...systemClock, nowMs: () => nowMs });
  newer.add(ada);
  const mug = added('mug', 1, nowMs);
  await arrives(mug, 7);
  await is({}, true);
  newer.clear();
  expect(await run()).toMatchObject({ putBack: 1 });
  await is({ mug: 1 });
  accepted(await cart.remove(ada, 'mug', (await cart.get(ada)).seen!, newCommandId(nowMs)));
  await is({});
  nowMs += 50 * dayMs;
  await arrives(added('hat', 1, nowMs), 8);
  await is({ hat: 1 });
  // Both logs were heard now.
  accepted(await cart.add(ada, 'cup', 1, { commandId: newCommandId(nowMs) }));
  await is({ hat: 1, cup: 1 });
  expect((await cart.view.load(partitionOfCart(cart.parts, ada), [ada])).carts.get(ada)?.state.dead.size).toBe(0);
  // The run of another operator hung until now, and appends its copy. So does one in the region of the record.
  for (const at of [7, 12]) await arrives(mug, at, { [recordHeaders.redriveOf]: '7' });
  await arrives(added('tea', 1, nowMs), 13);
  await is({ hat: 1, cup: 1, tea: 1 });
});

it('leaves no second unit in a view that is read anew, where the record is read in its own place', async () => {
  newer.add(ada);
  await arrives(added('mug', 2), 7);
  await is({}, true);
  newer.clear();
  await run();
  await is({ mug: 2 });
  await cart.projector().stop();
  (cart.view as MemoryCartView).wipe();
  expect(await run()).toMatchObject({ left: 1, letters: [{ outcome: { why: expect.stringContaining('run this again') } }] });
  await cart.restartProjector();
  await is({ mug: 2 });
  expect(await run()).toMatchObject({ putBack: 0, done: 1, left: 0 });
});

it('leaves a record that does not say where it stood in its own log, and says so', async () => {
  await eventLog.publish(copy, [{ key: ada, ...encodeEvent(added('mug')) }]);
  await is({}, true);
  expect(await run()).toMatchObject({ left: 1, letters: [{ outcome: { is: 'left', why: 'its headers do not say where it came from' } }] });
});
