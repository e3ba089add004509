import { armFaults } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { accepted, newUser, openHarness, personContext, quantitiesOf, type Harness } from '../cart.harness.ts';
import { getCart } from './get-cart.ts';
import { waitMaxMs } from './consistency.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(async () => {
  armFaults(undefined);
  await cart.stop();
});

const staleFor = (trainee: string): void =>
  armFaults((point, _at, experiment) =>
    Promise.resolve(
      point === 'cart-view' && experiment === trainee
        ? { delayMs: 0, fails: false, losesAnswer: false, oldMs: 60_000, holds: false }
        : undefined,
    ),
  );

const read = (person: string, experiment: string, consistency?: string) => {
  const ctx = { ...personContext(person, { ...(consistency !== undefined && { consistency }) }), experiment };
  return getCart({ ...cart.parts, projector: cart.projector() }, ctx, { claimedGuestCart: '' }).then(accepted);
};

it('one trainee reads an old cart that says so, and another reads the newest of the same cart', async () => {
  const person = newUser();
  staleFor('ada');
  expect(quantitiesOf(await read(person, 'ada'))).toEqual({});
  const { consistencyToken } = accepted(await cart.add(person));
  await vi.waitFor(async () => expect(quantitiesOf(await read(person, 'bob', consistencyToken))).toEqual({ mug: 1 }));
  const sinceMs = performance.now();
  const [ada, bob] = [await read(person, 'ada', consistencyToken), await read(person, 'bob', consistencyToken)];
  expect([ada.stale, bob.stale]).toEqual([true, false]);
  expect([quantitiesOf(ada), quantitiesOf(bob)]).toEqual([{}, { mug: 1 }]);
  expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(waitMaxMs - 1);
});

it('a read after the switch is over shows the newest cart', async () => {
  const person = newUser();
  staleFor('ada');
  expect(quantitiesOf(await read(person, 'ada'))).toEqual({});
  const { consistencyToken } = accepted(await cart.add(person));
  armFaults(undefined);
  await vi.waitFor(async () => expect(quantitiesOf(await read(person, 'ada', consistencyToken))).toEqual({ mug: 1 }));
});
