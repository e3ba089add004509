import { randomBytes } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { CartSchema, formatPositions, observed } from '@cloakroom/contracts';
import { installTracer, runWithin, startTrace } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { accepted, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { partitionOfCart, tokenFor } from './consistency.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(() => cart.stop());

it('reads every position that Kafka can give, of its own region and partition alone', () => {
  const offset = 2n ** 63n - 1n;
  const token = formatPositions([{ region: 'local', partition: 3, offset }]);
  expect(tokenFor(token, cart.parts, 3)).toEqual({ partition: 3, own: offset, others: [] });
  expect([tokenFor(token, cart.parts, 4), tokenFor(token, { ...cart.parts, region: 'other' }, 3)]).toEqual([undefined, undefined]);
});

it.each([
  ['an offset that no log has', (partition: number) => `local:${partition}:9999999999999999999`, true],
  ['regions that there are not', (partition: number) => `eu:${partition}:7+us:${partition}:7`, false],
  ['a region twice', (partition: number) => `local:${partition}:0+local:${partition}:9`, true],
  [
    'more regions than any shop',
    (partition: number) => ['local', 'a', 'b', 'c', 'd'].map((region) => `${region}:${partition}:9`).join('+'),
    false,
  ],
])('an invented token makes a cart stale at worst: %s', async (_what, tokenIn, stale) => {
  const ada = newUser();
  const { consistencyToken } = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect((await cart.get(ada, consistencyToken)).stale).toBe(false), { timeout: 20_000 });
  const invented = tokenIn(partitionOfCart(cart.parts, ada));
  const read = await cart.get(ada, invented);
  expect([quantitiesOf(read), read.stale, read.behindRegions]).toEqual([{ mug: 1 }, stale, []]);
  // The answer can be sent, and the gateway can say the number in JSON.
  expect(fromBinary(CartSchema, toBinary(CartSchema, create(CartSchema, read))).behind).toBeLessThanOrEqual(
    BigInt(Number.MAX_SAFE_INTEGER),
  );
  // A command tells its own position alone.
  expect(accepted(await cart.add(ada, 'cup', 1, { consistency: invented })).consistencyToken).toMatch(/^local:\d+:1$/);
});

it('a read tells the position that the view had reached, and none for an untouched partition', async () => {
  const ada = newUser();
  expect(await cart.get(ada)).toMatchObject({ stale: false, consistencyToken: '' });
  const { consistencyToken } = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect(await cart.get(ada, consistencyToken)).toMatchObject({ stale: false, consistencyToken }));
});

it('a read that brings the token shows no less than before, or says stale, even when the view was rolled back', async () => {
  const ada = newUser();
  const partition = partitionOfCart(cart.parts, ada);
  const first = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect((await cart.get(ada, first.consistencyToken)).stale).toBe(false));
  const then = await cart.view.load(partition, [ada]);
  accepted(await cart.add(ada));
  // Another device reads. It has written nothing itself.
  const shown = await vi.waitFor(async () => {
    const read = await cart.get(ada);
    expect(quantitiesOf(read)).toEqual({ mug: 2 });
    return read;
  });
  await cart.projector().stop();
  const now = (await cart.view.places([partition])).get(partition);
  expect(await cart.view.apply(partition, { expected: now, place: then.place, carts: [...then.carts.values()] })).toBe(true);

  // A reader without a token gets the older cart, without a mark.
  expect(await cart.get(ada).then((read) => [read.stale, quantitiesOf(read)])).toEqual([false, { mug: 1 }]);
  expect(await cart.get(ada, shown.consistencyToken)).toMatchObject({ stale: true, behind: 1n });
});

it('a read asks the view once when the view has already reached the token', async () => {
  const ada = newUser();
  const { consistencyToken } = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect((await cart.get(ada, consistencyToken)).stale).toBe(false));
  const [load, places] = [vi.spyOn(cart.view, 'load'), vi.spyOn(cart.view, 'places')];
  await cart.get(ada, consistencyToken);
  expect([load.mock.calls.length, places.mock.calls.length]).toEqual([1, 0]);
  vi.restoreAllMocks();
});

it('tells the Observatory which position a command wrote, and which one a read was asked for and showed', async () => {
  const ada = newUser();
  const told: object[] = [];
  const span = { trace: startTrace(randomBytes), set: (attributes: object) => void told.push(attributes), end: () => undefined };
  installTracer({ observed: true, start: () => span } as unknown as Parameters<typeof installTracer>[0]);
  try {
    await runWithin(span, async () => {
      const { consistencyToken } = accepted(await cart.add(ada));
      const isShown = async () => expect((await cart.get(ada, consistencyToken)).stale).toBe(false);
      await vi.waitFor(isShown, { timeout: 20_000 });
    });
  } finally {
    installTracer(undefined);
  }
  expect(Object.assign({}, ...told)).toMatchObject({
    [observed.cartId]: ada,
    [observed.cartWritten]: '0',
    [observed.cartAsked]: '0',
    [observed.cartShown]: '0',
  });
});
