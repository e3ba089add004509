/** Encoded carts with commands under several names: as this build writes them, and as earlier builds wrote them. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CartSnapshotSchema, formatUuid, recordHeaders, uuidToBytes } from '@cloakroom/contracts';
import { commandOfDot, dotOf, linesOf, type CartEvent, type CartState } from './cart.ts';
import { decodeCart, decodeEvent, encodeCart, encodeEvent, type CartRecord } from './codec.ts';
import { golden } from './codec.golden.ts';
import { apply, guest, id, joinOf, steps, user, userLogOf } from './histories.harness.ts';
import { spell } from './spell-cart.harness.ts';

const hexOf = (hex: string): Buffer => Buffer.from(hex, 'hex');
const recordOf = (state: CartState): CartRecord => ({
  state,
  position: 9n,
  missing: new Set(),
  eventsSinceSnapshot: 9,
  oldestUnsnapshottedAtMs: 1,
});
const added = (cartId: string, n: number): CartEvent => ({
  type: 'ItemAdded',
  cartId,
  atMs: 1,
  dot: dotOf(cartId, id(n)),
  line: 'mug',
  quantity: 1,
});
/**
 * An earlier build counted each dot of a command for itself. This imitates its cart: it gives each dot an id of its own, and puts the true
 * ids into the bytes afterwards. The golden bytes of such a build show that it wrote the same.
 */
function asOlderBuild(events: readonly CartEvent[]): CartState & { readonly bytes: Uint8Array } {
  const ids = new Map<string, string>();
  const own = (dot: string): string => {
    const found = ids.get(dot) ?? id(0x8000 + ids.size);
    ids.set(dot, found);
    return found;
  };
  const renamed = (dot: string): string => `${dot.slice(0, dot.indexOf('/'))}/${own(dot)}`;
  const carried = <T>(map: ReadonlyMap<string, T>) => new Map([...map].map(([one, value]) => [own(dotOf(guest, one)), value]));
  const apart = events.map((event): CartEvent => {
    if (event.type === 'GuestJoined')
      return { ...event, dots: carried(event.dots), coupons: carried(event.coupons), dead: carried(event.dead) };
    return {
      ...event,
      ...('dot' in event && { dot: renamed(event.dot) }),
      ...('dots' in event && { dots: event.dots.map(renamed) }),
      ...('observed' in event && { observed: event.observed.map(renamed) }),
    } as CartEvent;
  });
  const trueIds = new Map([...ids].map(([dot, one]) => [one, commandOfDot(dot)]));
  const back = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => uuidToBytes(trueIds.get(formatUuid(bytes))!);
  const message = fromBinary(CartSnapshotSchema, encodeCart(recordOf(apply(apart))));
  for (const { dot } of [...message.dots, ...message.coupons, ...message.dead]) if (dot !== undefined) dot.commandId = back(dot.commandId);
  for (const of of message.deadOf)
    of.commandIds = Buffer.concat(of.killedAtMs.map((_, at) => back(of.commandIds.subarray(at * 16, at * 16 + 16))));
  return { ...apply(apart), bytes: toBinary(CartSnapshotSchema, message) };
}

const doubledLog = golden.doubled.log.map(([version, hex]) =>
  decodeEvent({ key: user, value: hexOf(hex), headers: { [recordHeaders.eventVersion]: Buffer.from(version) } }),
);

describe('a cart in which an earlier build kept commands twice', () => {
  it('is read as the whole log would make it: each command counts once, a death under one name counts, and an id of two lines is dead', () => {
    const { state } = decodeCart(hexOf(golden.doubled.cart));
    expect(linesOf(state).map(({ lineId, quantity }) => [lineId, quantity])).toEqual([['mug', 1]]);
    expect(state.origins.get(id(0x20))).toEqual([guest, user]);
    expect(state.coupons.size).toBe(1);
    expect([...state.dead.keys()].sort()).toEqual([0x21, 0x22, 0x23, 0x25, 0x26, 0x28, 0x29].map(id));
    expect(state.doomed.size).toBe(0);
    expect(spell(state)).toBe(spell(apply(doubledLog)));
  });

  it('has the golden bytes', () => {
    const { oldestUnsnapshottedAtMs } = fromBinary(CartSnapshotSchema, hexOf(golden.doubled.cart));
    const written = { ...fromBinary(CartSnapshotSchema, asOlderBuild(doubledLog).bytes), oldestUnsnapshottedAtMs };
    expect(Buffer.from(toBinary(CartSnapshotSchema, written)).toString('hex')).toBe(golden.doubled.cart);
  });
});

it('reads an id of two lines as dead, also when an earlier build killed one of the two by its own name', () => {
  const other: CartEvent = { ...added(guest, 1), line: 'pot' } as CartEvent;
  const removed: CartEvent = {
    type: 'ItemRemoved',
    cartId: guest,
    atMs: 2,
    dot: dotOf(guest, id(2)),
    line: 'pot',
    observed: [dotOf(guest, id(1))],
  };
  const log: CartEvent[] = [added(user, 1), joinOf([other], 1n), { ...removed, cartId: user, dot: dotOf(user, id(2)) }];
  expect(linesOf(apply(log))).toEqual([]);
  expect(linesOf(decodeCart(asOlderBuild(log).bytes).state)).toEqual([]);
});

const seed = Date.now() % 2 ** 31;
console.info(`codec.aliases.test.ts: seed ${seed}`);

describe('a snapshot and the events after it', () => {
  it.each([
    ['written by this build', (events: readonly CartEvent[]) => encodeCart(recordOf(apply(events)))],
    ['written by a build in which each dot stood for itself', (events: readonly CartEvent[]) => asOlderBuild(events).bytes],
  ])('make the same cart as the whole log: %s', (_, bytesOf) => {
    let aliased = 0;
    const law = fc.property(steps, fc.nat({ max: 16 }), (made, cut) => {
      const log = userLogOf(made);
      const whole = apply(log);
      aliased += [...whole.origins.values()].filter((its) => its.length > 1).length;
      const { state } = decodeCart(bytesOf(log.slice(0, cut)));
      expect(spell(apply(log.slice(cut), state))).toBe(spell(whole));
    });
    fc.assert(law, { numRuns: 1_500, seed });
    // Without aliases this test would prove nothing. Some 500 are usual.
    expect(aliased).toBeGreaterThan(150);
  });
});

describe('a value that an older build would lose', () => {
  const aliased = recordOf(apply([added(user, 1), joinOf([added(guest, 1)])]));

  it('makes that build wait: a cart with further origins begins with a live dot of no kind, which that build rejects', () => {
    const message = fromBinary(CartSnapshotSchema, encodeCart(aliased));
    // That build rejects kind 0 as "unknown kind of dot", with UndecodableRecord.
    expect(message.dots[0]?.dot).toBeUndefined();
    expect(message.dots[0]?.kind).toBe(0);
    // Such a build drops a field that it does not know.
    expect(() => decodeCart(toBinary(CartSnapshotSchema, { ...message, format: 0, alsoMadeIn: [] }))).toThrow('not a cart');
    expect(decodeCart(encodeCart(aliased))).toEqual(aliased);
  });

  it('stands in no other cart, so that build goes on with those', () => {
    const plain = recordOf(apply([added(user, 1), joinOf([added(guest, 2)])]));
    expect(fromBinary(CartSnapshotSchema, encodeCart(plain))).toMatchObject({ format: 0, dots: [{ kind: 1 }, { kind: 1 }] });
  });

  it('gives a join version 3 when it has further origins, and the older version otherwise', () => {
    const join = joinOf([added(guest, 1)]);
    const withOrigins: CartEvent = { ...join, origins: new Map([[id(1), [guest, 'g_2']]]) } as CartEvent;
    const versions = [join, withOrigins].map((event) => encodeEvent(event).headers[recordHeaders.eventVersion]!.toString());
    expect(versions).toEqual(['1', '3']);
    const { value, headers } = encodeEvent(withOrigins);
    expect(decodeEvent({ key: user, value, headers })).toEqual(withOrigins);
  });

  it('makes this build reject a cart of a later format', () => {
    const bytes = toBinary(CartSnapshotSchema, create(CartSnapshotSchema, { cartId: user, format: 2 }));
    expect(() => decodeCart(bytes)).toThrow('not a cart');
  });
});

it('offsets of other regions are kept in a round trip, and make older builds wait', () => {
  const offsets = [{ region: 'us', logId: 'log-2', offset: 7n }];
  const join = { ...joinOf([added(guest, 1)]), guestOffsets: offsets } as CartEvent;
  const { value, headers } = encodeEvent(join);
  expect(headers[recordHeaders.eventVersion]?.toString()).toBe('3');
  expect(decodeEvent({ key: user, value, headers })).toEqual(join);
  const record = { ...recordOf(apply([join])), inRegions: { positions: offsets, missing: offsets } };
  expect(decodeCart(encodeCart(record))).toEqual(record);
  expect(fromBinary(CartSnapshotSchema, encodeCart(record)).format).toBe(1);
});
