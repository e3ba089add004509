import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { create, toBinary } from '@bufbuild/protobuf';
import { CartEventSchema, deadLetterTopic, recordHeaders, uuidToBytes } from '@cloakroom/contracts';
import { EmbeddedEventLog, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { accepted, newCommandId, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { dotOf } from '../model/cart.ts';
import { MemoryCartView } from '../projection/cart.view.memory.ts';
import { ViewUnavailable } from '../projection/cart.view.ts';
import { encodeEvent } from '../model/codec.ts';
import { readAsOlderBuild } from './older-build.harness.ts';
import { cartTopics } from '../cart.dependencies.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import type { DeadLetter } from './read-dead-letters.ts';
import { redrive } from './redrive.ts';
import { sweepPartition } from '../projection/snapshots.ts';

let cart: Harness;
let eventLog: EventLog;
let newer: Set<string>;
beforeEach(async () => {
  eventLog = new EmbeddedEventLog({ log: quiet, clock: systemClock });
  newer = readAsOlderBuild(eventLog, cartTopics.events);
  cart = await openHarness({ eventLog });
});
afterEach(async () => {
  await cart.stop();
  await eventLog.close();
});

const buried = deadLetterTopic(cartTopics.events);
const buriedCount = async (subject: string) => Number((await eventLog.bounds(buried)).get(partitionOfCart(cart.parts, subject))!.next);
const run = async (more: { readonly dryRun?: boolean } = {}) => {
  const letters: DeadLetter[] = [];
  const { eventLog: log, view, topics } = cart;
  const sum = await redrive({ eventLog: log, view, topics, clock: cart.parts.clock, tell: (letter) => letters.push(letter), ...more });
  return { ...sum, letters };
};
const is = (subject: string, expected: { readonly incomplete: boolean; readonly lines: Record<string, number> }) =>
  vi.waitFor(async () => {
    const read = await cart.get(subject);
    expect({ incomplete: read.incomplete, lines: quantitiesOf(read), stale: read.stale }).toEqual({ ...expected, stale: false });
  });
const poison = (subject: string) =>
  eventLog.publish(cart.topics.events, [
    { key: subject, value: Buffer.from('not a cart event'), headers: { [recordHeaders.eventVersion]: Buffer.from('1') } },
  ]);

it('a redrive puts back a record that an older build buried, once for any number of runs, and its mark goes', async () => {
  const ada = newUser();
  accepted(await cart.add(ada, 'cup', 1));
  await is(ada, { incomplete: false, lines: { cup: 1 } });
  newer.add(ada);
  accepted(await cart.add(ada, 'mug', 2));
  await is(ada, { incomplete: true, lines: { cup: 1 } });
  newer.clear();
  expect(await run()).toMatchObject({ putBack: 1, done: 0, left: 0, letters: [{ cartId: ada, origin: 1n, outcome: { is: 'put_back' } }] });
  await is(ada, { incomplete: false, lines: { cup: 1, mug: 2 } });
  expect(await run()).toMatchObject({ putBack: 0, done: 1, left: 0 });
  await is(ada, { incomplete: false, lines: { cup: 1, mug: 2 } });
});

it('a redrive leaves a record that is still unreadable, says why, and tries it again at the next run', async () => {
  const ada = newUser();
  await poison(ada);
  await is(ada, { incomplete: true, lines: {} });
  for (let n = 0; n < 2; n++) {
    expect(await run()).toMatchObject({
      putBack: 0,
      left: 1,
      letters: [{ cartId: ada, outcome: { is: 'left', why: 'not a cart event' } }],
    });
  }
  expect(await buriedCount(ada)).toBe(1);
  expect((await eventLog.bounds(cart.topics.events)).get(partitionOfCart(cart.parts, ada))?.next).toBe(1n);
  await is(ada, { incomplete: true, lines: {} });
});

it('a redrive leaves a readable record whose cart cannot be encoded', async () => {
  const ada = newUser();
  const commandId = uuidToBytes(newCommandId());
  const cleared = create(CartEventSchema, {
    cartId: ada,
    atMs: BigInt(Date.now()),
    event: { case: 'cartCleared', value: { dot: { cartId: ada, commandId }, observed: [{ cartId: 'a/b', commandId }] } },
  });
  const value = Buffer.from(toBinary(CartEventSchema, cleared));
  await eventLog.publish(cart.topics.events, [{ key: ada, value, headers: { [recordHeaders.eventVersion]: Buffer.from('1') } }]);
  await is(ada, { incomplete: true, lines: {} });
  expect(await run()).toMatchObject({ putBack: 0, left: 1 });
});

it('a dry run says what a redrive would do, and changes nothing', async () => {
  const ada = newUser();
  newer.add(ada);
  accepted(await cart.add(ada, 'mug', 2));
  await is(ada, { incomplete: true, lines: {} });
  newer.clear();
  expect(await run({ dryRun: true })).toMatchObject({ putBack: 1, left: 0 });
  expect(await run()).toMatchObject({ putBack: 1, left: 0 });
  await is(ada, { incomplete: false, lines: { mug: 2 } });
});

it('a redrive puts back once a record that a crash buried twice', async () => {
  const ada = newUser();
  newer.add(ada);
  accepted(await cart.add(ada, 'mug', 2));
  await is(ada, { incomplete: true, lines: {} });
  const partition = partitionOfCart(cart.parts, ada);
  const copy = await new Promise<{ value: Buffer | null; headers: Readonly<Record<string, Buffer>> }>((resolve) => {
    void eventLog.subscribe({
      group: 'reader',
      topics: [buried],
      from: 'earliest',
      handler: ({ records }) => Promise.resolve(resolve(records[0]!)),
    });
  });
  await eventLog.publish(buried, [{ key: ada, value: copy.value, headers: copy.headers, partition }]);
  newer.clear();
  expect(await run()).toMatchObject({ putBack: 1, done: 1, left: 0 });
  await is(ada, { incomplete: false, lines: { mug: 2 } });
});

it('a redrive puts back again a record that the running build buried a second time', async () => {
  const ada = newUser();
  newer.add(ada);
  accepted(await cart.add(ada, 'mug', 2));
  await is(ada, { incomplete: true, lines: {} });
  // The command runs on the new build, and the service still on the old one.
  expect(await run()).toMatchObject({ putBack: 1 });
  await vi.waitFor(async () => expect(await buriedCount(ada)).toBe(2));
  await is(ada, { incomplete: true, lines: {} });
  newer.clear();
  expect(await run()).toMatchObject({ putBack: 1, done: 1 });
  await is(ada, { incomplete: false, lines: { mug: 2 } });
});

it('a redrive leaves a dead letter whose headers do not say where it came from', async () => {
  const ada = newUser();
  await eventLog.publish(buried, [{ key: ada, value: Buffer.from(''), headers: {} }]);
  expect(await run()).toMatchObject({ left: 1, letters: [{ origin: undefined, outcome: { is: 'left' } }] });
});

it('a redrive does nothing when nothing was buried', async () => {
  expect(await run()).toEqual({ putBack: 0, done: 0, left: 0, letters: [] });
});

it('a redrive ends and says why when the view is down', async () => {
  const ada = newUser();
  await poison(ada);
  await is(ada, { incomplete: true, lines: {} });
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => (nowMs += 1_000) };
  const view = { load: () => Promise.reject(new ViewUnavailable('connection refused')) };
  const failure = await redrive({ eventLog, view, topics: cart.topics, clock }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ message: 'the redrive cannot go on', cause: { message: 'connection refused' } });
});

describe('a redrive weeks later', () => {
  const dayMs = 24 * 60 * 60 * 1000;
  /** Moves the log's clock too, because pruning counts by the log's timestamps. */
  const openLater = async () => {
    let nowMs = Date.now() - 80 * dayMs;
    const clock = { ...systemClock, nowMs: () => nowMs };
    await cart.stop();
    await eventLog.close();
    eventLog = new EmbeddedEventLog({ log: quiet, clock });
    newer = readAsOlderBuild(eventLog, cartTopics.events);
    cart = await openHarness({ eventLog, clock, view: new MemoryCartView() });
    const add = (subject: string, productId: string) => cart.add(subject, productId, 1, { commandId: newCommandId(nowMs) }).then(accepted);
    return { add, later: (days: number) => (nowMs += days * dayMs), commandId: () => newCommandId(nowMs) };
  };
  const copyOfDeadLetter = async (): Promise<LogRecord> => {
    const { promise, resolve } = Promise.withResolvers<LogRecord>();
    const reader = await eventLog.subscribe({
      group: 'reader',
      topics: [buried],
      from: 'earliest',
      handler: ({ records }) => Promise.resolve(resolve(records[0]!)),
    });
    const letter = await promise;
    await reader.stop();
    return letter;
  };

  it('brings back no line by a second copy, once the line was removed and its death forgotten', async () => {
    const { add, later, commandId } = await openLater();
    const ada = newUser();
    newer.add(ada);
    const { seen } = await add(ada, 'mug');
    await is(ada, { incomplete: true, lines: {} });
    newer.clear();
    const letter = await copyOfDeadLetter();
    expect(await run()).toMatchObject({ putBack: 1 });
    await is(ada, { incomplete: false, lines: { mug: 1 } });
    accepted(await cart.remove(ada, 'mug', seen!, commandId()));
    await is(ada, { incomplete: false, lines: {} });
    later(50);
    await add(ada, 'cup');
    await is(ada, { incomplete: false, lines: { cup: 1 } });
    expect((await cart.view.load(partitionOfCart(cart.parts, ada), [ada])).carts.get(ada)?.state.dead.size).toBe(0);
    // Another operator's run hung until now, and appends its copy.
    const headers = { ...letter.headers, [recordHeaders.redriveOf]: Buffer.from('0') };
    await eventLog.publish(cart.topics.events, [{ key: ada, value: letter.value, headers }]);
    await add(ada, 'hat');
    await is(ada, { incomplete: false, lines: { cup: 1, hat: 1 } });
  });

  it('finds every death kept while a record was missing, so a line that was removed unseen stays removed', async () => {
    const { add, later, commandId } = await openLater();
    const ada = newUser();
    newer.add(ada);
    const { seen } = await add(ada, 'mug');
    await is(ada, { incomplete: true, lines: {} });
    newer.clear();
    accepted(await cart.remove(ada, 'mug', seen!, commandId()));
    later(50);
    await add(ada, 'cup');
    await is(ada, { incomplete: true, lines: { cup: 1 } });
    expect(await run()).toMatchObject({ putBack: 1 });
    await is(ada, { incomplete: false, lines: { cup: 1 } });
  });

  it('waits for a rebuild to reach the record, which may be readable in its own place', async () => {
    const { add, later, commandId } = await openLater();
    const ada = newUser();
    newer.add(ada);
    const { seen } = await add(ada, 'mug');
    await is(ada, { incomplete: true, lines: {} });
    newer.clear();
    accepted(await cart.remove(ada, 'mug', seen!, commandId()));
    later(50);
    await cart.projector().stop();
    (cart.view as MemoryCartView).wipe();
    expect(await run()).toMatchObject({ putBack: 0, left: 1, letters: [{ outcome: { why: expect.stringContaining('run this again') } }] });
    await cart.restartProjector();
    await is(ada, { incomplete: false, lines: {} });
    expect(await run()).toMatchObject({ putBack: 0, done: 1, left: 0 });
  });

  it('finds the mark after retention has taken the record and the view was lost', async () => {
    const { add, later } = await openLater();
    const ada = newUser();
    newer.add(ada);
    await add(ada, 'mug');
    await is(ada, { incomplete: true, lines: {} });
    newer.clear();
    later(50);
    const partition = partitionOfCart(cart.parts, ada);
    expect(await sweepPartition(cart.parts, partition)).toBe(1);
    later(50);
    // The embedded log removes records past their retention once in 1,000 records.
    const eve = newUser();
    const dot = dotOf(eve, newCommandId());
    const filler = encodeEvent({ type: 'ItemAdded', cartId: eve, atMs: 1, dot, line: 'mug', quantity: 1 });
    await eventLog.publish(
      cart.topics.events,
      Array.from({ length: 999 }, () => ({ key: eve, ...filler, partition })),
    );
    expect((await eventLog.bounds(cart.topics.events)).get(partition)?.first).toBe(1n);
    await cart.projector().stop();
    (cart.view as MemoryCartView).wipe();
    await cart.restartProjector();
    await is(ada, { incomplete: true, lines: {} });
    expect(await run()).toMatchObject({ putBack: 1 });
    await is(ada, { incomplete: false, lines: { mug: 1 } });
  });
});
