/** Commands that stand under several names, as bytes: what is written now, and what builds of before wrote. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CartSnapshotSchema, formatUuid, recordHeaders, uuidToBytes } from '@cloakroom/contracts';
import { commandOfDot, dotOf, emptyCart, evolve, linesOf, type CartEvent, type CartState } from './cart.ts';
import { decodeCart, decodeEvent, encodeCart, encodeEvent, type CartRecord } from './codec.ts';
import { golden } from './codec.golden.ts';
import { spell } from './spell-cart.harness.ts';

const user = 'u_018bcfe5-6800-7000-8000-000000000001';
const guest = 'g_018bcfe5-6800-7000-8000-000000000002';
const id = (n: number): string => `018bcfe5-6800-7000-8000-00000000${n.toString(16).padStart(4, '0')}`;
const hexOf = (hex: string): Buffer => Buffer.from(hex, 'hex');
const recordOf = (state: CartState): CartRecord => ({
  state,
  position: 9n,
  missing: new Set(),
  eventsSinceSnapshot: 9,
  oldestUnsnapshottedAtMs: 1,
});
const apply = (events: readonly CartEvent[], from = emptyCart(user)): CartState => events.reduce(evolve, from);
const added = (cartId: string, n: number): CartEvent => ({
  type: 'ItemAdded',
  cartId,
  atMs: 1,
  dot: dotOf(cartId, id(n)),
  line: 'mug',
  quantity: 1,
});
const joinOf = (events: readonly CartEvent[], guestOffset = 1n): CartEvent => {
  const { dots, coupons, dead, origins } = apply(events, emptyCart(guest));
  return { type: 'GuestJoined', cartId: user, atMs: 2, guestCartId: guest, guestOffset, dots, coupons, dead, origins };
};

/**
 * How a build from before one command counted once kept a cart: each dot stood for itself. So it is told of dots with ids of their own, and its
 * bytes are given the true ids afterwards. The golden bytes of such a build show that this is what it wrote.
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

describe('a cart in which a build of before kept commands twice', () => {
  it('is read as the whole log would make it: each counts once, dead under one name is dead, and the first of two payloads stands', () => {
    const { state } = decodeCart(hexOf(golden.doubled.cart));
    expect(linesOf(state).map(({ lineId, quantity }) => [lineId, quantity])).toEqual([
      ['mug', 1],
      ['pot', 7],
    ]);
    expect(state.origins.get(id(0x20))).toEqual([guest, user]);
    expect(state.coupons.size).toBe(1);
    expect([...state.dead.keys()].sort()).toEqual([0x21, 0x22, 0x25, 0x26, 0x28, 0x29].map(id));
    expect(state.doomed.size).toBe(0);
    expect(spell(state)).toBe(spell(apply(doubledLog)));
  });

  it('was written as the golden bytes say', () => {
    const { oldestUnsnapshottedAtMs } = fromBinary(CartSnapshotSchema, hexOf(golden.doubled.cart));
    const written = { ...fromBinary(CartSnapshotSchema, asOlderBuild(doubledLog).bytes), oldestUnsnapshottedAtMs };
    expect(Buffer.from(toBinary(CartSnapshotSchema, written)).toString('hex')).toBe(golden.doubled.cart);
  });
});

/** The one exception: bytes do not say which came first, a payload or a death by a name. */
it('loses of two payloads under one id the one that stood, when a build of before killed the other by its own name', () => {
  const other: CartEvent = { ...added(guest, 1), line: 'pot' } as CartEvent;
  const removed: CartEvent = {
    type: 'ItemRemoved',
    cartId: guest,
    atMs: 2,
    dot: dotOf(guest, id(2)),
    line: 'pot',
    observed: [dotOf(guest, id(1))],
  };
  // The guest's own word of it: the user's cart learned of the pot first, then of its removal.
  const log: CartEvent[] = [added(user, 1), joinOf([other], 1n), { ...removed, cartId: user, dot: dotOf(user, id(2)) }];
  expect(linesOf(apply(log)).map(({ lineId }) => lineId)).toEqual(['mug']);
  expect(linesOf(decodeCart(asOlderBuild(log).bytes).state)).toEqual([]);
});

type Step = {
  readonly do: 'add' | 'set' | 'remove' | 'coupon' | 'clear' | 'repeat' | 'join' | 'order';
  readonly as: 'guest' | 'user';
  readonly pick: number;
};
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.constantFrom(
      'add' as const,
      'add' as const,
      'repeat' as const,
      'repeat' as const,
      'set' as const,
      'remove' as const,
      'coupon' as const,
      'clear' as const,
      'join' as const,
      'order' as const,
    ),
    as: fc.constantFrom('guest' as const, 'user' as const),
    pick: fc.nat({ max: 5 }),
  }),
  { maxLength: 16, size: 'max' },
);

/** The user's log: of the user's commands, the guest's joins, and repeats of either's commands in the user's cart. */
function userLogOf(made: readonly Step[]): CartEvent[] {
  const logs = { guest: [] as CartEvent[], user: [] as CartEvent[] };
  for (const [at, step] of made.entries()) {
    const cartId = step.as === 'guest' ? guest : user;
    const all = [...logs.guest, ...logs.user].filter((event) => 'dot' in event);
    // A page shows dots under the names by which it learned of them.
    const shown = all.flatMap((event) =>
      event.type === 'ItemAdded' || event.type === 'QuantitySet' || event.type === 'CouponApplied' ? [event] : [],
    );
    const seen = shown.filter((event) => step.as === 'user' || event.cartId === guest);
    const line = `line-${step.pick % 2}`;
    const inLine = seen.flatMap((event) => (event.type !== 'CouponApplied' && event.line === line ? [event.dot] : []));
    const common = { cartId, atMs: 10 + at, dot: dotOf(cartId, id(at)) };
    const log = logs[step.as];
    if (step.do === 'add') log.push({ ...common, type: 'ItemAdded', line, quantity: 1 });
    else if (step.do === 'set') log.push({ ...common, type: 'QuantitySet', line, quantity: 3, observed: inLine });
    else if (step.do === 'remove') log.push({ ...common, type: 'ItemRemoved', line, observed: inLine });
    else if (step.do === 'coupon') log.push({ ...common, type: 'CouponApplied', code: line });
    else if (step.do === 'clear') log.push({ ...common, type: 'CartCleared', observed: seen.map(({ dot }) => dot) });
    else if (step.do === 'join') logs.user.push({ ...joinOf(logs.guest, BigInt(logs.guest.length)), atMs: 10 + at });
    else if (step.do === 'order')
      logs.user.push({ type: 'OrderPlaced', cartId: user, atMs: 10 + at, orderId: id(at), dots: seen.slice(0, 2).map(({ dot }) => dot) });
    else if (all.length > 0) {
      const again = all[step.pick % all.length]!;
      logs.user.push({ ...again, cartId: user, dot: dotOf(user, commandOfDot(again.dot)) });
    }
  }
  return logs.user;
}

const seed = Date.now() % 2 ** 31;
console.info(`codec.aliases.test.ts: seed ${seed}`);

describe('a snapshot and what came after it', () => {
  it.each([
    ['written by this build', (events: readonly CartEvent[]) => encodeCart(recordOf(apply(events)))],
    ['written by a build in which each dot stood for itself', (events: readonly CartEvent[]) => asOlderBuild(events).bytes],
  ])('is the whole log: %s', (_, bytesOf) => {
    let aliased = 0;
    const law = fc.property(steps, fc.nat({ max: 16 }), (made, cut) => {
      const log = userLogOf(made);
      const whole = apply(log);
      aliased += [...whole.origins.values()].filter((its) => its.length > 1).length;
      const { state } = decodeCart(bytesOf(log.slice(0, cut)));
      expect(spell(apply(log.slice(cut), state))).toBe(spell(whole));
    });
    fc.assert(law, { numRuns: 1_500, seed });
    // Else this would prove nothing. Some 500 are usual.
    expect(aliased).toBeGreaterThan(150);
  });
});

describe('what an older build would lose', () => {
  const aliased = recordOf(apply([added(user, 1), joinOf([added(guest, 1)])]));

  it('makes it wait: a cart with further origins begins with a live dot of no kind, at which it says that this is no cart', () => {
    const message = fromBinary(CartSnapshotSchema, encodeCart(aliased));
    // In the words of that build: kind 0 is "unknown kind of dot", UndecodableRecord.
    expect(message.dots[0]?.dot).toBeUndefined();
    expect(message.dots[0]?.kind).toBe(0);
    // What such a build makes of a field that it does not know.
    expect(() => decodeCart(toBinary(CartSnapshotSchema, { ...message, format: 0, alsoMadeIn: [] }))).toThrow('not a cart');
    expect(decodeCart(encodeCart(aliased))).toEqual(aliased);
  });

  it('is in no other cart: those it may go on with', () => {
    const plain = recordOf(apply([added(user, 1), joinOf([added(guest, 2)])]));
    expect(fromBinary(CartSnapshotSchema, encodeCart(plain))).toMatchObject({ format: 0, dots: [{ kind: 1 }, { kind: 1 }] });
  });

  it('gives a join with further origins version 3, and one without the version that it had', () => {
    const join = joinOf([added(guest, 1)]);
    const withOrigins: CartEvent = { ...join, origins: new Map([[id(1), [guest, 'g_2']]]) } as CartEvent;
    const versions = [join, withOrigins].map((event) => encodeEvent(event).headers[recordHeaders.eventVersion]!.toString());
    expect(versions).toEqual(['1', '3']);
    const { value, headers } = encodeEvent(withOrigins);
    expect(decodeEvent({ key: user, value, headers })).toEqual(withOrigins);
  });

  it('a cart of a later format is none to this build', () => {
    const bytes = toBinary(CartSnapshotSchema, create(CartSnapshotSchema, { cartId: user, format: 2 }));
    expect(() => decodeCart(bytes)).toThrow('not a cart');
  });
});

it('offsets of other regions come back as they went out, and make older builds wait', () => {
  const offsets = [{ region: 'us', logId: 'log-2', offset: 7n }];
  const join = { ...joinOf([added(guest, 1)]), guestOffsets: offsets } as CartEvent;
  const { value, headers } = encodeEvent(join);
  expect(headers[recordHeaders.eventVersion]?.toString()).toBe('3');
  expect(decodeEvent({ key: user, value, headers })).toEqual(join);
  const record = { ...recordOf(apply([join])), inRegions: { positions: offsets, missing: offsets } };
  expect(decodeCart(encodeCart(record))).toEqual(record);
  expect(fromBinary(CartSnapshotSchema, encodeCart(record)).format).toBe(1);
});
