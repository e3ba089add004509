import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CartSnapshotSchema, recordHeaders } from '@cloakroom/contracts';
import { dotOf, emptyCart, evolve, type CartEvent } from './cart.ts';
import { decodeCart, decodeEvent, encodeCart, encodeEvent, type CartRecord } from './codec.ts';
import { canonicalLine, lineIdOf } from './lines.ts';
import { golden } from './codec.golden.ts';

const user = 'u_018bcfe5-6800-7000-8000-000000000001';
const guest = 'g_018bcfe5-6800-7000-8000-000000000002';
const id = (n: number): string => `018bcfe5-6800-7000-8000-0000000000${n.toString(16).padStart(2, '0')}`;
const shirt = lineIdOf(
  canonicalLine('shirt', [
    ['size', 'M'],
    ['colour', 'red'],
  ]),
);
const atMs = 1_700_000_000_000;

/** One event of each type, as version 1 writes it. */
const events: Record<keyof typeof golden.events, CartEvent> = {
  ItemAdded: { type: 'ItemAdded', cartId: user, atMs, dot: dotOf(user, id(16)), line: shirt, quantity: 2 },
  QuantitySet: {
    type: 'QuantitySet',
    cartId: user,
    atMs,
    dot: dotOf(user, id(17)),
    line: shirt,
    quantity: 5,
    observed: [dotOf(user, id(16))],
  },
  ItemRemoved: { type: 'ItemRemoved', cartId: user, atMs, dot: dotOf(user, id(18)), line: 'mug', observed: [dotOf(guest, id(19))] },
  CartCleared: { type: 'CartCleared', cartId: user, atMs, dot: dotOf(user, id(20)), observed: [dotOf(user, id(17)), dotOf(guest, id(19))] },
  GuestCartClaimed: { type: 'GuestCartClaimed', cartId: guest, atMs, userCartId: user, claimEventId: id(21) },
  GuestJoined: {
    type: 'GuestJoined',
    cartId: user,
    atMs,
    guestCartId: guest,
    guestOffset: 41n,
    dots: new Map([
      [id(22), { line: 'mug', quantity: 1, kind: 'add' }],
      [id(23), { line: shirt, quantity: 3, kind: 'set' }],
    ]),
    coupons: new Map(),
    dead: new Map([[id(19), atMs - 5]]),
    origins: new Map(),
  },
};

/** The events that came with check-out, on 2026-11-27. */
const newer: Record<keyof typeof golden.newer, CartEvent> = {
  CouponApplied: { type: 'CouponApplied', cartId: user, atMs, dot: dotOf(user, id(24)), code: 'WELCOME10' },
  CouponRemoved: {
    type: 'CouponRemoved',
    cartId: user,
    atMs,
    dot: dotOf(user, id(25)),
    code: 'WELCOME10',
    observed: [dotOf(user, id(24)), dotOf(guest, id(26))],
  },
  OrderPlaced: { type: 'OrderPlaced', cartId: user, atMs, orderId: id(27), dots: [dotOf(user, id(17)), dotOf(guest, id(22))] },
  GuestJoined: {
    type: 'GuestJoined',
    cartId: user,
    atMs,
    guestCartId: guest,
    guestOffset: 42n,
    dots: new Map([[id(22), { line: 'mug', quantity: 1, kind: 'add' }]]),
    coupons: new Map([[id(26), 'WINTER5']]),
    dead: new Map(),
    origins: new Map(),
  },
};
const versionOf = (event: CartEvent): number => (event === newer.GuestJoined ? 2 : 1);

const cart: CartRecord = {
  state: { ...[events.ItemAdded, events.QuantitySet, events.GuestJoined].reduce(evolve, emptyCart(user)) },
  position: 42n,
  missing: new Set([7n]),
  eventsSinceSnapshot: 3,
  oldestUnsnapshottedAtMs: atMs,
};

const cartWithCoupons: CartRecord = {
  ...cart,
  state: [newer.OrderPlaced, newer.CouponApplied, newer.GuestJoined].reduce(evolve, cart.state),
};

const headers = (version: number) => ({ [recordHeaders.eventVersion]: Buffer.from(String(version)) });
const hexOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('golden bytes', () => {
  it.each(Object.entries(events))('of %s decode to that event', (type, event) => {
    const value = hexOf(golden.events[type as keyof typeof golden.events]);
    expect(decodeEvent({ key: event.cartId, value, headers: headers(1) })).toEqual(event);
  });

  it('of a cart decode to that cart', () => {
    expect(decodeCart(hexOf(golden.cart))).toEqual(cart);
    expect(decodeCart(hexOf(golden.grouped.cart))).toEqual(cart);
  });

  it.each(Object.entries(newer))('of %s, which came with check-out, decode to that event', (type, event) => {
    const value = hexOf(golden.newer[type as keyof typeof golden.newer]);
    expect(decodeEvent({ key: event.cartId, value, headers: headers(versionOf(event)) })).toEqual(event);
  });

  it.each([golden.cartWithDoomed, golden.grouped.cartWithDoomed])('of a cart that waits for dots decode to that cart', (bytes) => {
    expect([...decodeCart(hexOf(bytes)).state.doomed.values()].map((scopes) => [...scopes])).toEqual([
      [
        [shirt, 5],
        ['coupon:WINTER5', 6],
      ],
      [['mug', 7]],
    ]);
  });

  it('of a cart with coupons decode to that cart', () => {
    expect(decodeCart(hexOf(golden.cartWithCoupons))).toEqual(cartWithCoupons);
    expect(decodeCart(hexOf(golden.grouped.cartWithCoupons))).toEqual(cartWithCoupons);
  });
});

describe('the bytes of this version', () => {
  it.each([
    ...Object.entries(events).map(([type, event]) => [type, event, golden.events[type as keyof typeof golden.events]] as const),
    ...Object.entries(newer).map(([type, event]) => [type, event, golden.newer[type as keyof typeof golden.newer]] as const),
  ])('are the golden bytes of %s, with its type and version in the headers', (type, event, bytes) => {
    const written = encodeEvent(event);
    expect(written.value.toString('hex')).toBe(bytes);
    expect(written.headers[recordHeaders.eventType]?.toString()).toBe(type);
    expect(written.headers[recordHeaders.eventVersion]?.toString()).toBe(String(versionOf(event)));
  });

  it('keep a cart in a round trip, with its kills of dots that have not arrived yet', () => {
    const doomed = new Map([
      [
        id(30),
        new Map([
          [shirt, 5],
          ['coupon:WINTER5', 6],
        ]),
      ],
      [id(31), new Map([['mug', 7]])],
    ]);
    const remembering = {
      ...cartWithCoupons,
      state: {
        ...cartWithCoupons.state,
        doomed,
        origins: new Map([...cartWithCoupons.state.origins, [id(30), [guest]], [id(31), [guest]]]),
      },
    };
    expect(decodeCart(encodeCart(remembering))).toEqual(remembering);
    expect(encodeCart(remembering).toString('hex')).toBe(golden.grouped.cartWithDoomed);
  });

  it('are the golden bytes of a cart', () => {
    expect(encodeCart(cart).toString('hex')).toBe(golden.grouped.cart);
    expect(encodeCart(cartWithCoupons).toString('hex')).toBe(golden.grouped.cartWithCoupons);
  });
});

it('a build that would read a cart without its deaths rejects that cart', () => {
  const message = fromBinary(CartSnapshotSchema, encodeCart(cart));
  // Such a build drops a field that it does not know.
  expect(() => decodeCart(toBinary(CartSnapshotSchema, { ...message, deadOf: [] }))).toThrow('not a cart');
});

describe('a cart whose dead dots do not match their times', () => {
  it.each([
    ['a time too few', { cartId: user, commandIds: new Uint8Array(32), killedAtMs: [1n] }],
    ['half an id', { cartId: user, commandIds: new Uint8Array(24), killedAtMs: [1n, 2n] }],
    ['of no cart', { cartId: '', commandIds: new Uint8Array(16), killedAtMs: [1n] }],
  ])('is refused: %s', (_, of) => {
    const bytes = toBinary(CartSnapshotSchema, create(CartSnapshotSchema, { cartId: user, deadOf: [of] }));
    expect(() => decodeCart(bytes)).toThrow('not a cart');
  });
});

describe('a record that is no cart event', () => {
  const value = hexOf(golden.events.ItemAdded);
  it.each([
    ['of a later version', { key: user, value, headers: headers(4) }, 'unknown event version'],
    ['without a version', { key: user, value, headers: {} }, 'unknown event version'],
    ['a tombstone', { key: user, value: null, headers: headers(1) }, 'no value'],
    ['not protobuf', { key: user, value: Buffer.from('{"json":true}'), headers: headers(1) }, 'not a cart event'],
    ['cut', { key: user, value: value.subarray(0, -3), headers: headers(1) }, 'not a cart event'],
    [
      'of an unknown kind',
      { key: user, value: hexOf(`${value.subarray(0, 50).toString('hex')}fa01021a00`), headers: headers(1) },
      'not a cart event',
    ],
    ['of another cart than its key', { key: guest, value, headers: headers(1) }, 'another cart'],
    ['empty', { key: user, value: Buffer.alloc(0), headers: headers(1) }, 'unknown event type'],
  ])('is refused with its reason: %s', (_, record, reason) => {
    expect(() => decodeEvent(record)).toThrow(reason);
  });
});
