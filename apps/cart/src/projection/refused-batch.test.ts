/**
 * The view may hand out the same cart again and again: the one in Redis keeps carts decoded. So a batch that comes to nothing must leave
 * each cart as it was loaded.
 */
import { describe, expect, it } from 'vitest';
import { RetryLater, type LogRecord } from '@cloakroom/event-log';
import { newCommandId, newGuest, openHarness, type Harness } from '../cart.harness.ts';
import { dotOf, emptyCart, evolve, type CartEvent } from '../model/cart.ts';
import { encodeEvent, UndecodableRecord, type CartRecord } from '../model/codec.ts';
import { newCart } from './apply-record.ts';
import { MemoryCartView } from './cart.view.memory.ts';
import { ViewUnavailable, type CartView } from './cart.view.ts';
import { projectBatch } from './project-batch.ts';

const logId = 'log';
const partition = 3;
const place = { next: 0n, rebuiltAt: 0n, forwardedTo: 0n, logId };
const cartId = newGuest();
const atMs = Date.now();
const [first, second, third] = [newCommandId(), newCommandId(), newCommandId()].map((id) => dotOf(cartId, id)) as [string, string, string];
const of = { cartId, atMs };
const add: CartEvent = { ...of, type: 'ItemAdded', dot: first, line: 'mug', quantity: 1 };
const changes: CartEvent[] = [
  { ...of, type: 'ItemAdded', dot: second, line: 'pot', quantity: 2 },
  { ...of, type: 'QuantitySet', dot: third, line: 'mug', quantity: 5, observed: [first] },
  { ...of, type: 'CouponApplied', dot: dotOf(cartId, newCommandId()), code: 'WINTER5' },
  { ...of, type: 'ItemRemoved', dot: dotOf(cartId, newCommandId()), line: 'pot', observed: [second, dotOf('g_2', newCommandId())] },
];

const recordOf = (event: CartEvent, at: number): LogRecord => ({
  topic: 'cart.events',
  partition,
  offset: BigInt(at),
  key: cartId,
  ...encodeEvent(event),
  timestampMs: atMs,
});
const records = changes.map(recordOf);
const broken: LogRecord = { ...records.at(-1)!, value: Buffer.from('no event') };

/** Hands out one cart, always the same object, and refuses to write as it is told. */
function viewWith(cart: CartRecord, apply: CartView['apply']): CartView {
  return Object.assign(new MemoryCartView(), { load: () => Promise.resolve({ place, carts: new Map([[cartId, cart]]) }), apply });
}

async function project(harness: Harness, view: CartView, batch: readonly LogRecord[]) {
  return projectBatch({ ...harness.parts, view }, logId, {
    topic: 'cart.events',
    partition,
    records: batch,
    highWatermark: 9n,
    fetchStartedMs: 0,
  });
}

describe('a batch that comes to nothing leaves the loaded cart as it was', () => {
  it.each<[string, readonly LogRecord[], CartView['apply'], unknown]>([
    ['another projector holds the partition by now', records, () => Promise.resolve(false), { outcome: 'elsewhere' }],
    ['the view does not answer to the write', records, () => Promise.reject(new ViewUnavailable('away')), RetryLater],
    ['a cart cannot be written', records, () => Promise.reject(new RangeError('too long')), RangeError],
    ['a record in its middle cannot be decoded', [...records.slice(0, -1), broken], () => Promise.resolve(true), UndecodableRecord],
  ])('%s', async (_, batch, apply, ends) => {
    const harness = await openHarness();
    try {
      const loaded = { ...newCart(cartId), state: evolve(emptyCart(cartId), add) };
      const was = structuredClone(loaded);
      const view = viewWith(loaded, apply);
      const outcome = await project(harness, view, batch).catch((error: unknown) => error);
      if (typeof ends === 'function') expect(outcome).toBeInstanceOf(ends);
      else expect(outcome).toEqual(ends);
      expect(loaded).toEqual(was);

      // The same cart is handed out again, and the events make of it what they make of a cart that no batch has seen.
      let written: readonly CartRecord[] = [];
      const takes: CartView['apply'] = (_partition, { carts }) => Promise.resolve(((written = carts), true));
      expect(await project(harness, viewWith(loaded, takes), records)).toMatchObject({ outcome: 'applied' });
      expect(written.map(({ state }) => state)).toEqual([changes.reduce(evolve, was.state)]);
      expect(loaded).toEqual(was);
    } finally {
      await harness.stop();
    }
  });
});
