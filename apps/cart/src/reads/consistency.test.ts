import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { accepted, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { partitionOfCart } from '../cart.dependencies.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(() => cart.stop());

it('tells with a read how far the view had come, and with one of an untouched partition nothing', async () => {
  const ada = newUser();
  expect(await cart.get(ada)).toMatchObject({ stale: false, consistencyToken: '' });
  const { consistencyToken } = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect(await cart.get(ada, consistencyToken)).toMatchObject({ stale: false, consistencyToken }));
});

it('shows who brings it no less than before, or says stale: also where the view was put back', async () => {
  const ada = newUser();
  const partition = partitionOfCart(cart.parts, ada);
  const first = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect((await cart.get(ada, first.consistencyToken)).stale).toBe(false));
  const then = await cart.view.load(partition, [ada]);
  accepted(await cart.add(ada));
  // Another device reads, and has written nothing itself.
  const shown = await vi.waitFor(async () => {
    const read = await cart.get(ada);
    expect(quantitiesOf(read)).toEqual({ mug: 2 });
    return read;
  });
  await cart.projector().stop();
  const now = (await cart.view.places([partition])).get(partition);
  expect(await cart.view.apply(partition, { expected: now, place: then.place, carts: [...then.carts.values()] })).toBe(true);

  // Who does not say what it has seen is shown the older cart, unmarked.
  expect(await cart.get(ada).then((read) => [read.stale, quantitiesOf(read)])).toEqual([false, { mug: 1 }]);
  expect(await cart.get(ada, shown.consistencyToken)).toMatchObject({ stale: true, behind: 1n });
});

it('asks the view once where it has come as far as the read wants', async () => {
  const ada = newUser();
  const { consistencyToken } = accepted(await cart.add(ada));
  await vi.waitFor(async () => expect((await cart.get(ada, consistencyToken)).stale).toBe(false));
  const [load, places] = [vi.spyOn(cart.view, 'load'), vi.spyOn(cart.view, 'places')];
  await cart.get(ada, consistencyToken);
  expect([load.mock.calls.length, places.mock.calls.length]).toEqual([1, 0]);
  vi.restoreAllMocks();
});
