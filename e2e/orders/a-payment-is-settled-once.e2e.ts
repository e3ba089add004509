/** An order ends once, whatever the payment provider does: paid and placed, or cancelled with nothing charged and its stock back. */
import { expect, newCommandId, test, type Checkout } from '../kit/device.ts';
import { shopper, stepsCalled, stockOf } from '../kit/shopper.ts';

/** It takes some seconds until a time-out of the simulated provider is known. */
const settledTimeoutMs = 30_000;

test('a declined card charges nothing, gives the stock back, keeps the cart, and gives the same answer to a repeated request', async ({
  newDevice,
  products,
}) => {
  const [first] = products as [string];
  const device = await shopper(newDevice, { [first]: 2 });
  const before = await stockOf(device, first);
  const wish = { key: newCommandId(), seen: (await device.cart()).seen, paymentMethod: 'card_declined' } as const;
  for (let time = 0; time < 2; time++) {
    const answer = await device.checkout(wish);
    expect([answer.status, answer.body.code]).toEqual([402, 'payment_declined']);
  }
  const [order, ...more] = await device.orders();
  expect(more).toEqual([]);
  expect(order).toMatchObject({ status: 'cancelled', reason: 'payment_declined' });
  await expect.poll(() => stockOf(device, first)).toBe(before);
  await device.expectCart({ [first]: 2 });
  const another = await device.checkout({ seen: (await device.cart()).seen });
  expect([another.status, another.body.status], 'its dots are free again').toEqual([201, 'placed']);
  await device.expectCart({});
});

const unknown = [
  ['charged', 'card_times_out_charged', 'placed'],
  ['not charged', 'card_times_out_uncharged', 'cancelled'],
] as const satisfies readonly (readonly [string, Checkout['paymentMethod'], string])[];
for (const [what, paymentMethod, end] of unknown) {
  test(`a payment of unknown outcome that was ${what} is settled: the order ends ${end}, once`, async ({ newDevice, products }) => {
    const [, second] = products as [string, string];
    const device = await shopper(newDevice, { [second]: 2 });
    const before = await stockOf(device, second);
    const wish = { key: newCommandId(), seen: (await device.cart()).seen, paymentMethod };
    const answer = await device.checkout(wish);
    expect([answer.status, answer.body.status]).toEqual([201, 'pending']);
    const settled = await device.settledOrder(answer.body.orderId as string, settledTimeoutMs);
    expect(settled.status).toBe(end);
    expect([stepsCalled(settled, 'PaymentUnknown'), stepsCalled(settled, 'PaymentCaptured')]).toEqual([1, end === 'placed' ? 1 : 0]);
    await expect.poll(() => stockOf(device, second)).toBe(end === 'placed' ? before - 2 : before);
    await device.expectCart(end === 'placed' ? {} : { [second]: 2 });
    const again = await device.checkout(wish);
    expect([again.status, again.body.code ?? again.body.status]).toEqual(end === 'placed' ? [201, 'placed'] : [402, 'payment_declined']);
    expect(await device.orders()).toHaveLength(1);
  });
}

test('a provider that calls back twice, and before it answers, causes one charge and one placed order', async ({ newDevice, products }) => {
  const [, , third] = products as [string, string, string];
  const device = await shopper(newDevice, { [third]: 2 });
  const before = await stockOf(device, third);
  const answer = await device.checkout({ seen: (await device.cart()).seen, paymentMethod: 'card_double_callback' });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  await device.expectCart({});
  const settled = await device.settledOrder(answer.body.orderId as string);
  expect([settled.status, stepsCalled(settled, 'PaymentCaptured'), stepsCalled(settled, 'OrderConfirmed')]).toEqual(['placed', 1, 1]);
  expect(await stockOf(device, third)).toBe(before - 2);
});
