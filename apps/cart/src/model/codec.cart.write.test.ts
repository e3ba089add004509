/** A cart is written by a lean writer. Its bytes are those that the general writer makes of the same cart. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CartSnapshotSchema } from '@cloakroom/contracts';
import { dotOf, emptyCart, evolve, type CartEvent, type CartState } from './cart.ts';
import { decodeCart, encodeCart, type CartRecord } from './codec.ts';
import { apply, guest, id, steps, user, userLogOf } from './histories.harness.ts';
import { canonicalLine, lineIdOf } from './lines.ts';

const seed = Date.now() % 2 ** 31;
console.info(`codec.cart.write.test.ts: seed ${seed}`);

const recordOf = (state: CartState): CartRecord => ({
  state,
  position: 9n,
  missing: new Set([3n]),
  eventsSinceSnapshot: 9,
  oldestUnsnapshottedAtMs: 1,
});
/** The general reader reads the bytes, and the general writer writes them once more. */
const again = (bytes: Buffer): string => Buffer.from(toBinary(CartSnapshotSchema, fromBinary(CartSnapshotSchema, bytes))).toString('hex');

it('the cart of any history has the bytes that the general writer makes, in which the general reader finds that cart', () => {
  let aliased = 0;
  const law = fc.property(steps, (made) => {
    const record = recordOf(apply(userLogOf(made)));
    const bytes = encodeCart(record);
    expect(bytes.toString('hex')).toBe(again(bytes));
    expect(decodeCart(bytes)).toEqual(record);
    if (fromBinary(CartSnapshotSchema, bytes).format > 0) aliased++;
  });
  fc.assert(law, { numRuns: 200, seed });
  expect(aliased).toBeGreaterThan(5);
});

const at = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 62), fc.maxSafeNat());
const text = fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }).map((some) => some.replaceAll('/', '-'));
const life = fc.record({ cartId: fc.oneof(fc.constantFrom(user, guest), text), product: text, n: fc.nat({ max: 0xffff_ffff }), atMs: at });

it('lines, quantities, origins and times of any size have the bytes that the general writer makes', () => {
  const law = fc.property(fc.array(life, { maxLength: 40 }), fc.array(life, { maxLength: 40 }), (born, died) => {
    const events: CartEvent[] = born.map(({ cartId, product, n, atMs }, index) => {
      const line = lineIdOf(canonicalLine(product, [['size', product]]));
      return { type: 'ItemAdded', cartId: user, atMs, dot: dotOf(cartId, id(index)), line, quantity: n };
    });
    const deaths = died.map(({ cartId, atMs }, index): CartEvent => {
      return { type: 'OrderPlaced', cartId: user, atMs, orderId: 'o', dots: [dotOf(cartId, id(1_000 + index))] };
    });
    const record = recordOf([...events, ...deaths].reduce(evolve, emptyCart(user)));
    const bytes = encodeCart(record);
    expect(bytes.toString('hex')).toBe(again(bytes));
    expect(decodeCart(bytes).state).toEqual(record.state);
  });
  fc.assert(law, { numRuns: 200, seed });
});

it('a cart that cannot be written is refused: a time beyond 64 bits, or a line that is none', () => {
  const killed: CartEvent = { type: 'OrderPlaced', cartId: user, atMs: 2 ** 63, orderId: 'o', dots: [dotOf(user, id(1))] };
  expect(() => encodeCart(recordOf(evolve(emptyCart(user), killed)))).toThrow('int64');
  const added: CartEvent = { type: 'ItemAdded', cartId: user, atMs: 1, dot: dotOf(user, id(1)), line: '~none', quantity: 1 };
  expect(() => encodeCart(recordOf(evolve(emptyCart(user), added)))).toThrow('not a line id');
});
