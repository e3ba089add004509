/**
 * The lean reader of frequent events beside the general one. It reads what this build writes. It says nothing about any other bytes, or exactly
 * what the general reader says.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CartEventSchema, recordHeaders, uuidToBytes } from '@cloakroom/contracts';
import { dotOf, type CartEvent } from './cart.ts';
import { readFrequentEvent } from './codec.frequent.ts';
import { golden } from './codec.golden.ts';
import { decodeAnyEvent, decodeEvent, encodeEvent } from './codec.ts';
import { guest, id, steps, user, userLogOf } from './histories.harness.ts';
import { canonicalLine, lineIdOf } from './lines.ts';

const seed = Date.now() % 2 ** 31;
console.info(`codec.frequent.test.ts: seed ${seed}`);

const general = (value: Buffer, key: string): CartEvent | 'refused' => {
  try {
    return decodeAnyEvent(value, key);
  } catch {
    return 'refused';
  }
};
/** @returns whether the lean reader has read it */
function agree(value: Buffer, key: string): boolean {
  const read = readFrequentEvent(value, key);
  if (read !== undefined) expect(read).toEqual(general(value, key));
  return read !== undefined;
}

const option = fc.tuple(fc.string({ maxLength: 6, unit: 'binary' }), fc.string({ maxLength: 6, unit: 'grapheme' }));
const line = fc.oneof(
  fc.constantFrom('mug', 'pot', 'a.b-c_D9'),
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.uniqueArray(option, { maxLength: 3, selector: ([name]) => name }))
    .map(([productId, options]) => lineIdOf(canonicalLine(productId, options))),
);
const cartId = fc.oneof(
  fc.constantFrom(user, guest),
  fc.string({ minLength: 1, maxLength: 40 }).map((text) => text.replaceAll('/', '-')),
);
const dot = fc.tuple(cartId, fc.nat({ max: 0xffff })).map(([origin, n]) => dotOf(origin, id(n)));
const common = fc.record({
  cartId,
  atMs: fc.oneof(fc.constantFrom(1_700_000_000_000, 0, 1, 127, 128, Number.MAX_SAFE_INTEGER), fc.maxSafeInteger()),
  dot,
  line,
});
const quantity = fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(0, 127, 128, 0xffff_ffff));
const observed = fc.array(dot, { maxLength: 4 });
const frequent: fc.Arbitrary<CartEvent> = fc.oneof(
  fc.tuple(common, quantity).map(([of, n]): CartEvent => ({ ...of, type: 'ItemAdded', quantity: n })),
  fc.tuple(common, quantity, observed).map(([of, n, dots]): CartEvent => ({ ...of, type: 'QuantitySet', quantity: n, observed: dots })),
  fc.tuple(common, observed).map(([of, dots]): CartEvent => ({ ...of, type: 'ItemRemoved', observed: dots })),
);
const isFrequent = ({ type }: CartEvent): boolean => type === 'ItemAdded' || type === 'QuantitySet' || type === 'ItemRemoved';

describe('the lean reader', () => {
  it('reads the golden bytes of each frequent event, and leaves all others to the general reader', () => {
    const all = [...Object.entries(golden.events), ...Object.entries(golden.newer)];
    const read = all.flatMap(([type, hex]) => {
      const value = Buffer.from(hex, 'hex');
      const event = fromBinary(CartEventSchema, value);
      return agree(value, event.cartId) ? [type] : [];
    });
    expect(read).toEqual(['ItemAdded', 'QuantitySet', 'ItemRemoved']);
  });

  it('reads every frequent event of a history as this build writes it', () => {
    const law = fc.property(steps, (made) => {
      for (const event of userLogOf(made)) {
        const { value, headers } = encodeEvent(event);
        expect(agree(value, event.cartId)).toBe(isFrequent(event));
        expect(decodeEvent({ key: event.cartId, value, headers })).toEqual(general(value, event.cartId));
      }
    });
    fc.assert(law, { numRuns: 200, seed });
  });

  it('agrees with the general reader on any text, number and time', () => {
    let lean = 0;
    const law = fc.property(frequent, (event) => {
      if (agree(encodeEvent(event).value, event.cartId)) lean++;
    });
    fc.assert(law, { numRuns: 1_000, seed });
    expect(lean).toBeGreaterThan(100);
  });

  it('agrees with the general reader on bytes that were cut, changed, doubled or moved', () => {
    let [lean, refused] = [0, 0];
    const change = fc.record({
      do: fc.constantFrom('cut', 'set', 'flip', 'double', 'insert', 'remove'),
      at: fc.nat(),
      count: fc.nat({ max: 40 }),
      byte: fc.nat({ max: 255 }),
    });
    const law = fc.property(frequent, fc.array(change, { minLength: 1, maxLength: 3 }), (event, changes) => {
      const bytes = changes.reduce(changed, encodeEvent(event).value);
      if (agree(bytes, event.cartId)) lean++;
      else if (general(bytes, event.cartId) === 'refused') refused++;
    });
    fc.assert(law, { numRuns: 1_500, seed });
    expect(lean).toBeGreaterThan(3);
    expect(refused).toBeGreaterThan(150);
  });

  it.each(['ItemAdded', 'QuantitySet', 'ItemRemoved'] as const)(
    'agrees with the general reader on %s, each of its bytes set to each value',
    (type) => {
      const whole = Buffer.from(golden.events[type], 'hex');
      for (let at = 0; at < whole.length; at++) {
        for (const byte of [0, 1, 2, 8, 0x0a, 0x12, 0x18, 0x7f, 0x80, 0xff, whole[at]! ^ 1, whole[at]! ^ 0x80, whole[at]! + 1])
          agree(changed(whole, { do: 'set', at, count: 1, byte: byte & 0xff }), user);
        expect(agree(whole.subarray(0, at), user)).toBe(false);
      }
    },
  );
});

function changed(bytes: Buffer, { do: how, at, count, byte }: { do: string; at: number; count: number; byte: number }): Buffer {
  const from = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, part, after] = [bytes.subarray(0, from), bytes.subarray(from, from + count), bytes.subarray(from + count)];
  if (how === 'cut') return before;
  if (how === 'double') return Buffer.concat([before, part, part, after]);
  if (how === 'insert') return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(from)]);
  if (how === 'remove') return Buffer.concat([before, after]);
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[from] = how === 'flip' ? copy[from]! ^ (1 << (byte % 8)) : byte;
  return copy;
}

describe('bytes of another shape are left to the general reader:', () => {
  const whole = Buffer.from(golden.events.ItemAdded, 'hex');
  const { itemAdded, cartId: owner } = CartEventSchema.field;
  /** Fields of the event, each with its tag, to put together anew. */
  const fieldsOf = (bytes: Buffer): Buffer[] => {
    const ends = [0, 2 + bytes[1]!, 2 + bytes[1]! + 7, bytes.length];
    return ends.slice(1).map((end, at) => bytes.subarray(ends[at], end));
  };
  const [cart, at, body] = fieldsOf(whole) as [Buffer, Buffer, Buffer];
  const inner = body.subarray(2);
  const bodyOf = (bytes: Uint8Array) =>
    Buffer.from(new BinaryWriter().tag(itemAdded.number, WireType.LengthDelimited).bytes(bytes).finish());
  const quantityOf = (n: number) => new BinaryWriter().tag(3, WireType.Varint).uint32(n).finish();
  const restOf = (bytes: Buffer): Buffer => bytes.subarray(2 + bytes[1]!);
  const dotOfBytes = (bytes: Buffer, more: string): Buffer => {
    const longer = Buffer.concat([bytes.subarray(2, 2 + bytes[1]!), Buffer.from(more, 'hex')]);
    return Buffer.concat([Buffer.from([bytes[0]!, longer.length]), longer]);
  };
  const lineSet = toBinary(
    CartEventSchema,
    create(CartEventSchema, { event: { case: 'itemAdded', value: { line: { productId: 'pot' } } } }),
  );

  it.each<[string, Buffer, Partial<CartEvent> | 'refused']>([
    ['fields out of order', Buffer.concat([at, body, cart]), {}],
    ['a time before the cart', Buffer.concat([at, cart, body]), {}],
    [
      'a quantity twice, of which the last counts',
      Buffer.concat([cart, at, bodyOf(Buffer.concat([inner, quantityOf(9)]))]),
      { quantity: 9 },
    ],
    ['a cart twice, of which the last counts', Buffer.concat([new BinaryWriter().tag(owner.number, 2).string('u_x').finish(), whole]), {}],
    [
      'a line in two parts, which are one',
      Buffer.concat([whole, lineSet]),
      {
        line: lineIdOf(
          canonicalLine('pot', [
            ['colour', 'red'],
            ['size', 'M'],
          ]),
        ),
      },
    ],
    ['an unknown field after it', Buffer.concat([whole, Buffer.from('fa0100', 'hex')]), {}],
    ['an unknown field inside', Buffer.concat([cart, at, bodyOf(Buffer.concat([inner, Buffer.from('fa0100', 'hex')]))]), {}],
    ['an unknown field in its dot', Buffer.concat([cart, at, bodyOf(Buffer.concat([dotOfBytes(inner, 'fa0100'), restOf(inner)]))]), {}],
    [
      'an id in its dot twice',
      Buffer.concat([cart, at, bodyOf(Buffer.concat([dotOfBytes(inner, `1210${'07'.repeat(16)}`), restOf(inner)]))]),
      { dot: dotOf(user, '07070707-0707-0707-0707-070707070707') } as Partial<CartEvent>,
    ],
    ['no quantity', Buffer.concat([cart, at, bodyOf(inner.subarray(0, -2))]), { quantity: 0 }],
    ['no time', Buffer.concat([cart, body]), { atMs: 0 }],
    [
      'a number in more bytes than it needs',
      Buffer.concat([cart, at, bodyOf(Buffer.concat([inner.subarray(0, -1), Buffer.from('828000', 'hex')]))]),
      {},
    ],
    [
      'another event after it, which replaces it',
      Buffer.concat([whole, Buffer.from('4a00', 'hex')]),
      { type: 'OrderPlaced' } as Partial<CartEvent>,
    ],
    ['no dot', Buffer.concat([cart, at, bodyOf(restOf(inner))]), 'refused'],
    ['no line', Buffer.concat([cart, at, bodyOf(Buffer.concat([inner.subarray(0, 2 + inner[1]!), quantityOf(1)]))]), 'refused'],
    ['a length beyond the end', Buffer.concat([cart, at, Buffer.from([body[0]!, body[1]! + 1]), inner]), 'refused'],
    ['a length of 2^35', Buffer.concat([cart, at, Buffer.from([body[0]!, 0xff, 0xff, 0xff, 0xff, 0x7f]), inner]), 'refused'],
    ['nothing', Buffer.alloc(0), 'refused'],
  ])('%s', (_, bytes, expected) => {
    const told = general(bytes, user);
    if (expected === 'refused') expect(told).toBe('refused');
    else if (expected.type === undefined) expect(told).toEqual({ ...decodeAnyEvent(whole, user), ...expected } as CartEvent);
    else expect(told).toMatchObject({ type: expected.type });
    agree(bytes, user);
  });

  it('a dot whose id has not 16 bytes', () => {
    for (const length of [0, 15, 17]) {
      const bad = { cartId: user, commandId: uuidToBytes(id(1)).subarray(0, length) };
      if (length === 17) bad.commandId = new Uint8Array(17);
      const event = create(CartEventSchema, {
        cartId: user,
        atMs: 1n,
        event: { case: 'itemAdded', value: { dot: bad, line: { productId: 'mug' }, quantity: 1 } },
      });
      const bytes = Buffer.from(toBinary(CartEventSchema, event));
      expect(readFrequentEvent(bytes, user)).toBeUndefined();
      expect(general(bytes, user)).toBe('refused');
    }
  });

  it('an event of another cart than its key, which is then refused with that reason', () => {
    expect(readFrequentEvent(whole, guest)).toBeUndefined();
    expect(() => decodeEvent({ key: guest, value: whole, headers: { [recordHeaders.eventVersion]: Buffer.from('1') } })).toThrow(
      'another cart',
    );
  });
});
