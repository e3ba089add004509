import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic } from '@cloakroom/contracts';
import { accepted, newCommandId, newGuest, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { commandOfDot, dotOf, type Dot } from '../model/cart.ts';
import { ordersHeard } from '../metrics.ts';
import { partitionOfCart } from '../cart.dependencies.ts';
import { decodeSeen } from '../model/seen.ts';

let cart: Harness;
let ada: string;
beforeEach(async () => {
  cart = await openHarness();
  ada = newUser();
});
afterEach(() => cart.stop());

const shows = (expected: Record<string, number>, coupons: readonly string[] = []) =>
  vi.waitFor(async () => {
    const read = await cart.get(ada);
    expect(quantitiesOf(read)).toEqual(expected);
    expect(read.coupons!.map(({ code }) => code)).toEqual(coupons);
  });
const dotsOf = (seen: string | undefined): Dot[] => decodeSeen(seen!) as Dot[];
const heard = async (outcome: string): Promise<number> =>
  (await ordersHeard.get()).values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;

it('takes exactly what was ordered out of the cart, its coupon included, and leaves what came meanwhile', async () => {
  accepted(await cart.add(ada, 'mug', 2));
  const noted = accepted(await cart.applyCoupon(ada, 'WINTER5'));
  const { seen } = await cart.get(ada, noted.consistencyToken);
  accepted(await cart.add(ada, 'mug', 1));
  accepted(await cart.applyCoupon(ada, 'WELCOME10'));
  await shows({ mug: 3 }, ['WELCOME10', 'WINTER5']);
  await cart.confirm(ada, dotsOf(seen));
  await shows({ mug: 1 }, ['WELCOME10']);
});

it('changes nothing when an order is heard again, and appends the same event', async () => {
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  const orderId = newCommandId();
  const before = await heard('placed');
  for (let n = 0; n < 3; n++) await cart.confirm(ada, dotsOf(seen), { orderId });
  accepted(await cart.add(ada, 'cup', 1));
  await vi.waitFor(async () => expect(await heard('placed')).toBe(before + 3));
  await shows({ cup: 1 });
});

it('holds for a dot that comes only after its order', async () => {
  const guest = newGuest();
  const { seen } = accepted(await cart.add(guest, 'mug', 2));
  accepted(await cart.add(guest, 'cup', 1));
  await cart.confirm(ada, dotsOf(seen));
  await vi.waitFor(async () => {
    const { carts } = await cart.view.load(partitionOfCart(cart.parts, ada), [ada]);
    expect([...(carts.get(ada)?.state.dead.keys() ?? [])]).toEqual(dotsOf(seen).map(commandOfDot));
  });
  await cart.claim(guest, ada);
  await shows({ cup: 1 });
});

it("refuses an order of another's cart, of a guest's, and one that its key does not name", async () => {
  const [eve, guest] = [newUser(), newGuest()];
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  const before = await heard('refused');
  await cart.confirm(eve, dotsOf(seen), { cartId: ada });
  await cart.confirm(ada, dotsOf(seen), { key: eve });
  await cart.confirm(guest, [dotOf(guest, newCommandId())]);
  await vi.waitFor(async () => expect(await heard('refused')).toBe(before + 3));
  await shows({ mug: 2 });
});

it('passes over the other steps of an order, and buries what it cannot read', async () => {
  accepted(await cart.add(ada, 'mug', 2));
  await cart.eventLog.publish(cart.topics.orders, [{ key: ada, value: Buffer.from('not an order') }]);
  await cart.eventLog.publish(cart.topics.orders, [{ key: ada, value: Buffer.from('3a00', 'hex') }]);
  const buried = async () =>
    [...(await cart.eventLog.bounds(deadLetterTopic(cart.topics.orders))).values()].map(({ next }) => Number(next));
  await vi.waitFor(async () => expect((await buried()).reduce((sum, next) => sum + next, 0)).toBe(1), { timeout: 8_000 });
  const { seen } = accepted(await cart.add(ada, 'cup', 1));
  await cart.confirm(ada, dotsOf(seen));
  await shows({ mug: 2 });
});
