/** One region's view over its own log and the copy of another's. `npm run prove` has the laws; here are the cases that need weeks or a lost log. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mirroredTopic, recordHeaders } from '@cloakroom/contracts';
import { EmbeddedEventLog, EventLogError, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { newCommandId, newGuest, newUser, quiet } from '../cart.harness.ts';
import { cartTopics, type CartParts } from '../cart.dependencies.ts';
import { commandOfDot, deadKeptMs, dotOf, emptyCart, evolveInBatch, linesOf, type CartEvent } from '../model/cart.ts';
import { encodeCart, encodeEvent, UndecodableRecord, type CartRecord } from '../model/codec.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { isIncomplete, newCart } from './apply-record.ts';
import { MemoryCartView } from './cart.view.memory.ts';
import { isRebuilding, type MirrorPlace, type Place } from './cart.view.ts';
import { markIncomplete } from './dead-letters.ts';
import { namedLog } from './named-log.ts';
import { projectBatch } from './project-batch.ts';
import { lookAtPartitions, settlePartitions } from './rebuild.ts';

const copy = mirroredTopic(cartTopics.events, 'us');
const topics = { ...cartTopics, mirrors: [{ region: 'us', events: copy }] };
let parts: CartParts;
let logId: string;
let ada: string;
let partition: number;
beforeEach(async () => {
  const eventLog = new EmbeddedEventLog({ log: quiet, clock: systemClock });
  await eventLog.ensureTopics([topics.events, topics.snapshots, copy]);
  parts = { eventLog, view: new MemoryCartView(), clock: systemClock, log: quiet, topics, region: 'eu', evolve: evolveInBatch };
  ({ clusterId: logId } = await eventLog.describe());
  ada = newUser();
  partition = partitionOfCart(parts, ada);
});
afterEach(() => parts.eventLog.close());

const add = (quantity: number, cartId = ada): CartEvent => ({
  type: 'ItemAdded',
  cartId,
  atMs: Date.now(),
  dot: dotOf(cartId, newCommandId()),
  line: 'mug',
  quantity,
});

/** As MirrorMaker's transform leaves a record in the copy. */
function copied(event: CartEvent, at: { readonly offset: bigint; readonly origin: string; readonly log: string }): LogRecord {
  const { value, headers } = encodeEvent(event);
  const origin = { [recordHeaders.logOffset]: Buffer.from(at.origin), [recordHeaders.logId]: Buffer.from(at.log) };
  return {
    topic: copy.name,
    partition,
    offset: at.offset,
    key: event.cartId,
    value,
    headers: { ...headers, ...origin },
    timestampMs: 5_000,
  };
}

const project = (...records: LogRecord[]) =>
  projectBatch(parts, logId, { topic: records[0]!.topic, partition, records, highWatermark: 99n, fetchStartedMs: 0 });
const settle = async (): Promise<Place> => (await settlePartitions(parts, logId, 'cart-projector', [partition])).get(partition)!;
const stand = async () => {
  const { place, carts } = await parts.view.load(partition, [ada]);
  return { place, us: place?.mirrors?.[0], cart: carts.get(ada) };
};
const quantityOf = (cart: CartRecord | undefined): number => (cart === undefined ? 0 : (linesOf(cart.state)[0]?.quantity ?? 0));

describe('a copied record', () => {
  it('counts once when its block comes again, and the position for tokens does not go back', async () => {
    await settle();
    const [first, second] = [add(1), add(2)];
    await project(copied(first, { offset: 0n, origin: '7', log: 'a' }), copied(second, { offset: 1n, origin: '8', log: 'a' }));
    await project(copied(first, { offset: 2n, origin: '7', log: 'a' }));
    const { us, cart } = await stand();
    expect(us).toMatchObject({ next: 3n, reached: 9n, logId: 'a', heardMs: 5_000 });
    expect(quantityOf(cart)).toBe(3);
  });

  it('is taken when its region has a new log, whose offsets were used before', async () => {
    await settle();
    await project(copied(add(1), { offset: 0n, origin: '7', log: 'a' }));
    await project(copied(add(2), { offset: 1n, origin: '0', log: 'b' }));
    const { us, cart } = await stand();
    expect(us).toMatchObject({ reached: 1n, logId: 'b' });
    expect(quantityOf(cart)).toBe(3);
  });

  it('does not bring back what was removed and forgotten, when the copy is read again from its start', async () => {
    const place = await settle();
    const held = { ...newCart(ada), inRegions: { positions: [{ region: 'us', logId: 'a', offset: 8n }], missing: [] } };
    expect(await parts.view.apply(partition, { expected: place, place, carts: [held] })).toBe(true);
    await project(copied(add(1), { offset: 0n, origin: '7', log: 'a' }));
    expect(quantityOf((await stand()).cart)).toBe(0);
  });

  it.each(['two words', 'a\n'])('is refused when its log is called %j: the place of the copy could not be read again', async (log) => {
    await settle();
    await expect(project(copied(add(1), { offset: 0n, origin: '7', log }))).rejects.toBeInstanceOf(UndecodableRecord);
  });

  it('that claims a guest forwards what the guest did here, though the lost view had passed it unclaimed', async () => {
    const guest = newGuest();
    partition = partitionOfCart(parts, guest);
    const did = add(1, guest);
    const { value, headers } = encodeEvent(did);
    const place = await settle();
    await parts.view.apply(partition, { expected: place, place: { ...place, forwardedTo: 1n }, carts: [] });
    await project({ topic: topics.events.name, partition, offset: 0n, key: guest, value, headers, timestampMs: did.atMs });
    const publish = vi.spyOn(parts.eventLog, 'publish');
    const claim: CartEvent = { type: 'GuestCartClaimed', cartId: guest, atMs: did.atMs, userCartId: ada, claimEventId: newCommandId() };
    await project(copied(claim, { offset: 0n, origin: '7', log: 'a' }));
    expect(publish.mock.calls.flatMap(([, records]) => records.map(({ key }) => key))).toEqual([ada]);
  });

  it('is not applied where the view stands elsewhere in the copy, however far it is in its own log', async () => {
    await settle();
    expect(await project(copied(add(1), { offset: 1n, origin: '8', log: 'a' }))).toEqual({ outcome: 'elsewhere' });
  });

  it('leaves its cart incomplete when it does not say where it stood, and the copy is read on', async () => {
    await settle();
    const lost: LogRecord = { ...copied(add(1), { offset: 0n, origin: '7', log: 'a' }), headers: {} };
    await expect(project(lost)).rejects.toBeInstanceOf(UndecodableRecord);
    expect((await markIncomplete(parts, lost))?.mirrors?.[0]?.next).toBe(1n);
    const { us, cart } = await stand();
    expect(us).toMatchObject({ next: 1n, reached: 0n });
    expect(cart !== undefined && isIncomplete(cart)).toBe(true);
    await project(copied(add(2), { offset: 1n, origin: '8', log: 'a' }));
    expect(quantityOf((await stand()).cart)).toBe(2);
  });
});

describe('a view', () => {
  it('follows a new copy from its first record, and is rebuilding until it has read what the copy held', async () => {
    await parts.eventLog.publish(copy, [{ key: ada, value: encodeEvent(add(1)).value }]);
    const place = await settle();
    expect(place.mirrors).toEqual([{ region: 'us', next: 0n, rebuiltAt: 1n, reached: 0n, heardMs: 0, logId: '' }]);
    expect(isRebuilding(place)).toBe(true);
    await project(copied(add(1), { offset: 0n, origin: '7', log: 'a' }));
    expect(isRebuilding((await stand()).place!)).toBe(false);
    expect(await settle()).toEqual((await stand()).place);
  });

  it('forgets no death while it is read anew: the command that died may come again', async () => {
    const place = await settle();
    const nowMs = Date.now();
    const removed = dotOf(ada, newCommandId());
    const removal: CartEvent = { type: 'ItemRemoved', cartId: ada, atMs: nowMs - deadKeptMs - 1, dot: removed, line: 'mug', observed: [] };
    const { value, headers } = encodeEvent(removal);
    const anew: MirrorPlace = { region: 'us', next: 0n, rebuiltAt: 2n, reached: 9n, heardMs: nowMs, logId: 'a' };
    await parts.view.apply(partition, { expected: place, place: { ...place, mirrors: [anew] }, carts: [] });
    await project({ topic: topics.events.name, partition, offset: 0n, key: ada, value, headers, timestampMs: nowMs });
    expect([...(await stand()).cart!.state.dead.keys()]).toEqual([commandOfDot(removed)]);
  });

  it('reads a copy that was made anew from its first record, and leaves its own log where it was', async () => {
    const place = await settle();
    const gone: MirrorPlace = { region: 'us', next: 9n, rebuiltAt: 0n, reached: 9n, heardMs: 1, logId: 'a' };
    await parts.view.apply(partition, { expected: place, place: { ...place, mirrors: [gone] }, carts: [] });
    expect(await settle()).toEqual({ ...place, mirrors: [{ ...gone, next: 0n }] });
  });

  it('that was reading a copy when the copy was made anew, and shorter, is not rebuilding for ever', async () => {
    await parts.eventLog.publish(copy, [{ key: ada, value: encodeEvent(add(1)).value }]);
    const place = await settle();
    const gone: MirrorPlace = { region: 'us', next: 1n, rebuiltAt: 9n, reached: 9n, heardMs: 1, logId: 'a' };
    await parts.view.apply(partition, { expected: place, place: { ...place, mirrors: [gone] }, carts: [] });
    expect(await settle()).toEqual({ ...place, mirrors: [{ ...gone, next: 0n, rebuiltAt: 1n }] });
  });

  it('reads a copy again that was made anew and is as long as before, when its next record shows that others are missing', async () => {
    await settle();
    await project(copied(add(1), { offset: 0n, origin: '7', log: 'a' }));
    const [missing, next] = [copied(add(2), { offset: 0n, origin: '8', log: 'a' }), copied(add(4), { offset: 1n, origin: '9', log: 'a' })];
    await parts.eventLog.publish(copy, [missing, next]);
    for (let process = 0; process < 2; process++) expect(await project(next)).toEqual({ outcome: 'elsewhere' });
    expect((await settle()).mirrors).toEqual([{ region: 'us', next: 0n, rebuiltAt: 2n, reached: 8n, heardMs: 5_000, logId: 'a' }]);
    await project(missing, next);
    expect(quantityOf((await stand()).cart)).toBe(7);
    // No copy has a record that the region's own log has lost.
    const late = copied(add(8), { offset: 2n, origin: '20', log: 'a' });
    await parts.eventLog.publish(copy, [late]);
    expect(await project(late)).toEqual({ outcome: 'elsewhere' });
    await settle();
    await project(missing, next, late);
    expect(quantityOf((await stand()).cart)).toBe(15);
  });

  it('that was lost takes the newest snapshot of a cart that only the other region has changed since', async () => {
    const snapshotAt = (offset: bigint, quantity: number): CartRecord => {
      const state = evolveInBatch(emptyCart(ada), add(quantity));
      return { ...newCart(ada), state, inRegions: { positions: [{ region: 'us', logId: 'a', offset }], missing: [] } };
    };
    const recordOf = (cart: CartRecord) => ({ key: cart.state.cartId, value: encodeCart(cart), partition });
    // More than one batch between them.
    const between = Array.from({ length: 600 }, () => recordOf(newCart(newUser())));
    for (const records of [[recordOf(snapshotAt(8n, 1))], between, [recordOf(snapshotAt(9n, 2))]])
      await parts.eventLog.publish(topics.snapshots, records);
    await settle();
    expect(quantityOf((await stand()).cart)).toBe(2);
  });

  it.each(['knows', 'does not know yet'])('follows its own log while a copy that it %s does not say where it ends', async (known) => {
    const place = await settle();
    const unheard = { next: 0n, rebuiltAt: 0n, reached: 0n, heardMs: 0, logId: '' };
    const us: MirrorPlace =
      known === 'knows' ? { region: 'us', next: 9n, rebuiltAt: 9n, reached: 9n, heardMs: 1, logId: 'a' } : { region: 'us', ...unheard };
    const { mirrors: _, ...alone } = place;
    await parts.view.apply(partition, { expected: place, place: known === 'knows' ? { ...place, mirrors: [us] } : alone, carts: [] });
    const bounds = parts.eventLog.bounds.bind(parts.eventLog);
    vi.spyOn(parts.eventLog, 'bounds').mockImplementation((of) => (of.name === copy.name ? Promise.reject(new Error('away')) : bounds(of)));
    const { found } = await lookAtPartitions(parts, [partition]);
    expect(found.get(partition)?.isSettled).toBe(known === 'knows');
    expect(await settle()).toEqual({ ...place, mirrors: [us] });
    await parts.view.reset(partition);
    expect((await settle()).mirrors).toEqual([{ region: 'us', ...unheard }]);
    vi.restoreAllMocks();
  });
});

describe('the log of a region', () => {
  it('is asked for its name once by many publishes, and again only after a failure that may have replaced it', async () => {
    let asked = 0;
    const describeLog = () => Promise.resolve({ kind: 'kafka' as const, clusterId: `name-${++asked}` });
    const publish = vi.fn<EventLog['publish']>(() => Promise.resolve([]));
    const named = namedLog({ ...parts.eventLog, describe: describeLog, publish } as EventLog, topics);
    const record = { key: ada, value: encodeEvent(add(1)).value };
    const fails = (kind: 'fatal' | 'fenced' | 'retriable') => {
      publish.mockRejectedValueOnce(new EventLogError(kind, 'no', { outcomeUnknown: false }));
      return expect(named.publish(topics.events, [record])).rejects.toBeInstanceOf(EventLogError);
    };
    await Promise.all([1, 2, 3].map(() => named.publish(topics.events, [record])));
    expect(asked).toBe(1);
    await fails('fatal');
    await named.publish(topics.events, [record]);
    expect(asked).toBe(1);
    for (const kind of ['retriable', 'fenced'] as const) {
      await fails(kind);
      await named.publish(topics.events, [record]);
    }
    expect(asked).toBe(3);
  });

  it('is asked for its name again after it did not answer', async () => {
    const describeLog = vi.fn<EventLog['describe']>(() => Promise.resolve({ kind: 'kafka', clusterId: 'name' }));
    describeLog.mockRejectedValueOnce(new Error('away'));
    const named = namedLog({ ...parts.eventLog, describe: describeLog, publish: () => Promise.resolve([]) } as unknown as EventLog, topics);
    const record = { key: ada, value: encodeEvent(add(1)).value };
    await expect(named.publish(topics.events, [record])).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
    await named.publish(topics.events, [record]);
  });

  it('names itself in each cart event, where there are other regions', async () => {
    const seen: (string | undefined)[] = [];
    const named = namedLog(parts.eventLog, topics);
    const reader = await parts.eventLog.subscribe({
      group: 'reader',
      topics: [topics.events],
      from: 'earliest',
      handler: ({ records }) => Promise.resolve(void seen.push(...records.map(({ headers }) => headers[recordHeaders.logId]?.toString()))),
    });
    await reader.ready;
    await named.publish(topics.events, [{ key: ada, value: encodeEvent(add(1)).value }]);
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual([logId]);
    await reader.stop();
    expect(namedLog(parts.eventLog, cartTopics)).toBe(parts.eventLog);
  });

  it.each(['a publish failed', 'the projector asked after an assignment'])(
    'has another name once it was replaced and %s',
    async (since) => {
      const [sent, answers] = [[] as (string | undefined)[], ['first', 'second']];
      const describeLog = () => Promise.resolve({ kind: 'kafka' as const, clusterId: answers[0]! });
      let isAway = false;
      const publish: EventLog['publish'] = (_, records) => {
        if (isAway) return Promise.reject(new EventLogError('retriable', 'away', { outcomeUnknown: true }));
        sent.push(...records.map(({ headers }) => headers?.[recordHeaders.logId]?.toString()));
        return Promise.resolve([]);
      };
      const named = namedLog({ ...parts.eventLog, describe: describeLog, publish } as EventLog, topics);
      const record = { key: ada, value: encodeEvent(add(1)).value };
      await named.publish(topics.events, [record]);
      answers.shift();
      if (since === 'a publish failed') {
        isAway = true;
        await expect(named.publish(topics.events, [record])).rejects.toBeInstanceOf(EventLogError);
        isAway = false;
      } else await named.describe();
      await named.publish(topics.events, [record]);
      expect(sent).toEqual(['first', 'second']);
    },
  );
});
