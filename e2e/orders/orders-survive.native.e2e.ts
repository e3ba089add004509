/** Check-out while the parts that it needs are away. An order that was taken ends once, and a refused one leaves nothing behind. */
import type { Order } from '@cloakroom/contracts/http';
import { ageAuthentication } from '../kit/age-authentication.ts';
import { expect, newCommandId, newPerson, test, type Checkout, type Device } from '../kit/device.ts';
import { shopper, stepsCalled, stockOf } from '../kit/shopper.ts';
import { killAndWaitForSuccessor, whilePaused } from '../kit/stack.ts';

test('a cart that may lack a record is not ordered while the broker is paused, and the same key orders it once afterwards', async ({
  newDevice,
  products,
}) => {
  test.setTimeout(120_000);
  const [first] = products as [string];
  const device = await shopper(newDevice, { [first]: 2 });
  const { seen } = await device.cart();
  const body = { seen, addressId: await device.addressId() };
  const key = newCommandId();
  const place = () => device.call('POST', '/api/orders', body, { headers: { 'idempotency-key': key } });
  await whilePaused('kafka', async () => {
    // Within the time for which the log counts as heard the order may still be taken.
    await expect.poll(async () => (await place()).body.code ?? 'placed').toMatch(/^(unavailable|placed)$/);
    expect((await device.orders()).length).toBeLessThanOrEqual(1);
  });
  const placed = await device.checkout({ ...body, key });
  expect([placed.status, placed.body.status]).toEqual([201, 'placed']);
  await device.expectCart({}, 40_000);
  expect((await device.orders()).map(({ orderId }) => orderId)).toEqual([placed.body.orderId]);
});

test('an order is paid and placed while the broker is paused; the cart lets go of it when the broker is back', async ({
  newDevice,
  products,
}) => {
  test.setTimeout(120_000);
  const [first] = products as [string];
  const device = await shopper(newDevice, { [first]: 2 });
  const pending = await device.checkout({ paymentMethod: 'card_times_out_charged' });
  expect([pending.status, pending.body.status]).toEqual([201, 'pending']);
  await whilePaused('kafka', async () => {
    const settled = await device.settledOrder(pending.body.orderId as string, 30_000);
    expect([settled.status, stepsCalled(settled, 'PaymentCaptured')]).toEqual(['placed', 1]);
  });
  await device.expectCart({}, 40_000);
  expect(await device.orders()).toHaveLength(1);
});

const methods = ['card_pays', 'card_declined', 'card_times_out_charged', 'card_times_out_uncharged', 'card_double_callback'] as const;
const ends: Readonly<Record<(typeof methods)[number], Order['status']>> = {
  card_pays: 'placed',
  card_declined: 'cancelled',
  card_times_out_charged: 'placed',
  card_times_out_uncharged: 'cancelled',
  card_double_callback: 'placed',
};

test('each key has one order, which ends as its payment did, after repeated kill -9 of orders during check-outs', async ({
  newDevice,
  products,
}) => {
  test.setTimeout(180_000);
  const [first, second] = products as [string, string];
  const people: Device[] = [];
  for (const _ of methods) people.push(await shopper(newDevice, { [first]: 1, [second]: 1 }));
  const [anyone] = people as [Device];
  const before = await stockOf(anyone, first);
  const wishes = await Promise.all(
    people.map(async (device, index) => ({
      device,
      paymentMethod: methods[index]!,
      key: newCommandId(),
      seen: (await device.cart()).seen,
      addressId: await device.addressId(),
    })),
  );
  // Each request may be cut at any step. A good client repeats it until it is answered.
  const asking = Promise.all(wishes.map((wish) => ask(wish, 90_000)));
  for (let kill = 0; kill < 3; kill++) await killAndWaitForSuccessor('orders');
  await asking;

  for (const { device, paymentMethod } of wishes) {
    const orders = await device.orders();
    expect(orders, `${paymentMethod}: one order`).toHaveLength(1);
    const settled = await device.settledOrder(orders[0]!.orderId, 45_000);
    expect(settled.status, paymentMethod).toBe(ends[paymentMethod]);
    const captured = settled.status === 'placed' ? 1 : 0;
    expect(stepsCalled(settled, 'PaymentCaptured'), `${paymentMethod}: charged once or not at all`).toBe(captured);
    await device.expectCart(settled.status === 'placed' ? {} : { [first]: 1, [second]: 1 }, 30_000);
  }
  const placed = methods.filter((method) => ends[method] === 'placed').length;
  await expect.poll(() => stockOf(anyone, first), { message: 'stock is what the orders left of it' }).toBe(before - placed);
});

type Wish = Required<Pick<Checkout, 'key' | 'seen' | 'addressId' | 'paymentMethod'>> & { readonly device: Device };

async function ask({ device, ...wish }: Wish, timeoutMs: number): Promise<void> {
  const { key, ...body } = wish;
  const answer = await device.insist('POST', '/api/orders', body, timeoutMs, { 'idempotency-key': key });
  expect([201, 402], JSON.stringify(answer.body)).toContain(answer.status);
}

/**
 * The test does not wait five minutes: it tells the store that they have passed. The refusal, the proof and the second attempt are real.
 */
test('check-out asks for the password again after five minutes, and then accepts the same request', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const device = await newDevice();
  const person = newPerson();
  await device.register(person);
  await device.add(first);
  const { seen } = await device.expectCart({ [first]: 1 });
  const wish = { key: newCommandId(), seen, addressId: await device.addressId() };
  const subject = (await device.cart()).cartId;
  await ageAuthentication(subject, 5 * 60_000 + 1_000);
  const refused = await device.checkout(wish);
  expect([refused.status, refused.body.code]).toEqual([401, 'step_up_required']);
  expect(await device.orders(), 'reading needs no fresh proof').toEqual([]);
  const proved = await device.call('POST', '/api/session/reauthenticate', { password: person.password });
  expect(proved.status, JSON.stringify(proved.body)).toBe(200);
  const placed = await device.checkout(wish);
  expect([placed.status, placed.body.status]).toEqual([201, 'placed']);
});
