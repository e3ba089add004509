/** The contract of every view. cart.view.memory.test.ts runs it on memory and cart.view.redis.int.test.ts on Redis. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newUser } from '../cart.harness.ts';
import { dotOf, emptyCart, evolve } from '../model/cart.ts';
import { ViewUnavailable, type CartNotice, type CartView, type MirrorPlace, type Place } from './cart.view.ts';
import type { CartRecord } from '../model/codec.ts';

export interface ViewUnderTest {
  readonly view: CartView;
  /** Another connection to the same view, as another process has. */
  readonly other: CartView;
  /** Forgets everything, as FLUSHALL does. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

const commandId = '018bcfe5-6800-7000-8000-000000000010';
const place = (next: bigint): Place => ({ next, rebuiltAt: 0n, forwardedTo: 0n, logId: 'log-1' });
const mirror: MirrorPlace = { region: 'us', next: 3n, rebuiltAt: 2n, reached: 9n, heardMs: 1_700_000_000_000, logId: 'log:2' };
const cartWith = (cartId: string, quantity: number, more: Partial<CartRecord> = {}): CartRecord => ({
  state: evolve(emptyCart(cartId), { type: 'ItemAdded', cartId, atMs: 1, dot: dotOf(cartId, commandId), line: 'mug', quantity }),
  position: 1n,
  missing: new Set(),
  eventsSinceSnapshot: 1,
  oldestUnsnapshottedAtMs: 1_000,
  ...more,
});

export function cartViewContract(name: string, open: () => Promise<ViewUnderTest>): void {
  describe(`a cart view: ${name}`, () => {
    let under: ViewUnderTest;
    let view: CartView;
    let ada: string;
    beforeEach(async () => {
      under = await open();
      view = under.view;
      ada = newUser();
    });
    afterEach(() => under.close());

    it('has no place and no carts before the first write', async () => {
      expect(await view.load(3, [ada])).toEqual({ place: undefined, carts: new Map() });
      expect(await view.places([1, 2, 3])).toEqual(new Map());
    });

    it('returns the place and the carts that were written', async () => {
      const written = cartWith(ada, 2, { missing: new Set([7n, 9n]) });
      const at: Place = { next: 2n ** 40n, rebuiltAt: 5n, forwardedTo: 4n, logId: 'a-cluster_id' };
      expect(await view.apply(3, { expected: undefined, place: at, carts: [written] })).toBe(true);
      expect(await under.other.load(3, [ada, newUser()])).toEqual({ place: at, carts: new Map([[ada, written]]) });
      expect(await under.other.places([2, 3])).toEqual(new Map([[3, at]]));
    });

    it('returns the place in each log, and the positions of a cart in each', async () => {
      const positions = [{ region: 'us', logId: 'log:2', offset: 2n ** 40n }];
      const written = cartWith(ada, 2, { inRegions: { positions, missing: [] } });
      const at: Place = {
        ...place(1n),
        mirrors: [
          { ...mirror, next: 2n ** 41n },
          { ...mirror, region: 'ap', logId: '' },
        ],
      };
      expect(await view.apply(3, { expected: undefined, place: at, carts: [written] })).toBe(true);
      expect(await under.other.load(3, [ada])).toEqual({ place: at, carts: new Map([[ada, written]]) });
    });

    it('blames a cart that cannot be encoded, and not the store, for which the projector would wait for ever', async () => {
      const unwritable = cartWith(ada, 2);
      const state = { ...unwritable.state, dead: new Map([[dotOf('a/b', commandId), 1]]) };
      const apply = async () => view.apply(3, { expected: undefined, place: place(1n), carts: [{ ...unwritable, state }] });
      await expect(apply()).rejects.not.toBeInstanceOf(ViewUnavailable);
      expect(await view.load(3, [ada])).toEqual({ place: undefined, carts: new Map() });
    });

    it('keeps partitions apart', async () => {
      await view.apply(3, { expected: undefined, place: place(1n), carts: [cartWith(ada, 2)] });
      expect(await view.load(4, [ada])).toEqual({ place: undefined, carts: new Map() });
    });

    it.each([
      ['a later one', place(2n)],
      ['none', undefined],
      ['the same of another log', { ...place(1n), logId: 'log-2' }],
      ['one that was rebuilt', { ...place(1n), rebuiltAt: 1n }],
      ['one that follows a copy', { ...place(1n), mirrors: [mirror] }],
    ])('writes nothing when the place is not the expected one: %s', async (_, expected) => {
      await view.apply(3, { expected: undefined, place: place(1n), carts: [cartWith(ada, 2)] });
      expect(await view.apply(3, { expected, place: place(9n), carts: [cartWith(ada, 9)] })).toBe(false);
      expect(await view.load(3, [ada])).toEqual({ place: place(1n), carts: new Map([[ada, cartWith(ada, 2)]]) });
    });

    it('accepts one of two writers that both saw the same place', async () => {
      await view.apply(3, { expected: undefined, place: place(1n), carts: [] });
      const both = await Promise.all([
        view.apply(3, { expected: place(1n), place: place(2n), carts: [cartWith(ada, 1)] }),
        under.other.apply(3, { expected: place(1n), place: place(2n), carts: [cartWith(ada, 1)] }),
      ]);
      expect(both.filter((written) => written)).toHaveLength(1);
    });

    it('writes the partitions of one turn each with its own outcome: one that another member has taken over is refused alone', async () => {
      const partitions = Array.from({ length: 24 }, (_, n) => n);
      const begin = (partition: number) => view.apply(partition, { expected: undefined, place: place(1n), carts: [cartWith(ada, 1)] });
      await Promise.all(partitions.map(begin));
      const isTaken = (partition: number): boolean => partition % 5 === 2;
      const takeOver = (partition: number) =>
        under.other.apply(partition, { expected: place(1n), place: place(2n), carts: [cartWith(ada, 2)] });
      await Promise.all(partitions.filter(isTaken).map(takeOver));
      const goOn = (partition: number) => view.apply(partition, { expected: place(1n), place: place(3n), carts: [cartWith(ada, 3)] });
      expect(await Promise.all(partitions.map(goOn))).toEqual(partitions.map((partition) => !isTaken(partition)));
      const found = await Promise.all(partitions.map((partition) => under.other.load(partition, [ada])));
      for (const partition of partitions) {
        const written = isTaken(partition) ? 2 : 3;
        expect(found[partition]).toEqual({ place: place(BigInt(written)), carts: new Map([[ada, cartWith(ada, written)]]) });
      }
    });

    it('restores carts before the partition has a place', async () => {
      expect(await view.apply(3, { expected: undefined, place: undefined, carts: [cartWith(ada, 2)] })).toBe(true);
      expect(await view.load(3, [ada])).toEqual({ place: undefined, carts: new Map([[ada, cartWith(ada, 2)]]) });
    });

    it('lists the carts that wait for a snapshot, oldest first, up to the number asked for', async () => {
      const [eve, bob] = [newUser(), newUser()];
      const carts = [
        cartWith(ada, 1, { oldestUnsnapshottedAtMs: 300 }),
        cartWith(eve, 1, { oldestUnsnapshottedAtMs: 100 }),
        cartWith(bob, 1, { oldestUnsnapshottedAtMs: 0 }),
      ];
      await view.apply(3, { expected: undefined, place: place(1n), carts });
      expect(await view.due(3, 1_000, 10)).toEqual([eve, ada]);
      expect(await view.due(3, 1_000, 1)).toEqual([eve]);
      expect(await view.due(3, 300, 10)).toEqual([eve]);
      await view.apply(3, { expected: place(1n), place: place(2n), carts: [cartWith(eve, 1, { oldestUnsnapshottedAtMs: 0 })] });
      expect(await view.due(3, 1_000, 10)).toEqual([ada]);
    });

    it('forgets a partition that is reset, and no other', async () => {
      const many = Array.from({ length: 30 }, () => cartWith(newUser(), 1));
      await view.apply(3, { expected: undefined, place: place(1n), carts: many });
      await view.apply(33, { expected: undefined, place: place(1n), carts: [cartWith(ada, 2)] });
      await view.reset(3);
      const { place: gone, carts } = await view.load(
        3,
        many.map(({ state }) => state.cartId),
      );
      expect([gone, carts.size, (await view.due(3, 1e15, 10)).length]).toEqual([undefined, 0, 0]);
      expect((await view.load(33, [ada])).carts.size).toBe(1);
    });

    it('tells each process of changes of the carts that it watches, with their trace, and of no other cart', async () => {
      const heard: CartNotice[] = [];
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const stop = under.other.watch(3, ada, (notice) => heard.push(notice));
      // A subscription takes a moment, and says "read again" once it is there.
      const eve = newUser();
      let next = 0n;
      await vi.waitFor(async () => {
        const { place: now } = await view.load(3, []);
        const carts = [cartWith(eve, 1), cartWith(ada, 1)];
        await view.apply(3, { expected: now, place: place(++next), carts, traces: new Map([[ada, traceparent]]) });
        // A notice may be late, and belong to an earlier attempt.
        expect(heard.at(-1)).toEqual({ cartId: ada, watermark: expect.any(BigInt), traceparent });
      });
      expect(heard.every(({ cartId }) => cartId === ada)).toBe(true);
      stop();
      const count = heard.length;
      const witness = new Promise((resolve) => under.other.watch(3, eve, ({ watermark }) => watermark !== undefined && resolve(watermark)));
      await vi.waitFor(async () => {
        const { place: now } = await view.load(3, []);
        await view.apply(3, { expected: now, place: place(++next), carts: [cartWith(ada, 1), cartWith(eve, 1)] });
        expect(await Promise.race([witness, Promise.resolve(undefined)])).toBeDefined();
      });
      expect(heard).toHaveLength(count);
    });

    it('is empty after a wipe', async () => {
      await view.apply(3, { expected: undefined, place: place(1n), carts: [cartWith(ada, 2)] });
      await under.wipe();
      expect(await view.load(3, [ada])).toEqual({ place: undefined, carts: new Map() });
      expect(await view.apply(3, { expected: place(1n), place: place(2n), carts: [] })).toBe(false);
      expect(await view.apply(3, { expected: undefined, place: place(0n), carts: [] })).toBe(true);
    });

    it('says which kind of view it is', async () => {
      expect((await view.status()).ok).toBe(true);
    });
  });
}
