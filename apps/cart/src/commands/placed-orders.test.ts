import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic } from '@cloakroom/contracts';
import { accepted, newCommandId, newGuest, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { commandOfDot, dotOf, type Dot } from '../model/cart.ts';
import { ordersHeard } from '../metrics.ts';
import { partitionOfCart } from '../reads/consistency.ts';
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

it('a confirmed order removes exactly what was ordered, its coupon included, and keeps what came meanwhile', async () => {
  accepted(await cart.add(ada, 'mug', 2));
  const noted = accepted(await cart.applyCoupon(ada, 'WINTER5'));
  const { seen } = await cart.get(ada, noted.consistencyToken);
  accepted(await cart.add(ada, 'mug', 1));
  accepted(await cart.applyCoupon(ada, 'WELCOME10'));
  await shows({ mug: 3 }, ['WELCOME10', 'WINTER5']);
  await cart.confirm(ada, dotsOf(seen));
  await shows({ mug: 1 }, ['WELCOME10']);
});

it('an order that is heard again appends the same event and changes nothing', async () => {
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  const orderId = newCommandId();
  const before = await heard('placed');
  for (let n = 0; n < 3; n++) await cart.confirm(ada, dotsOf(seen), { orderId });
  accepted(await cart.add(ada, 'cup', 1));
  await vi.waitFor(async () => expect(await heard('placed')).toBe(before + 3));
  await shows({ cup: 1 });
});

it('an order removes a dot that arrives after it', async () => {
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

it("an order is refused for another person's cart, for a guest's cart, and when its key names another person", async () => {
  const [eve, guest] = [newUser(), newGuest()];
  const { seen } = accepted(await cart.add(ada, 'mug', 2));
  const before = await heard('refused');
  await cart.confirm(eve, dotsOf(seen), { cartId: ada });
  await cart.confirm(ada, dotsOf(seen), { key: eve });
  await cart.confirm(guest, [dotOf(guest, newCommandId())]);
  await vi.waitFor(async () => expect(await heard('refused')).toBe(before + 3));
  await shows({ mug: 2 });
});

it('other steps of an order are skipped, and an unreadable record goes to the dead-letter topic', async () => {
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
