/** The same promises as one-command-counts-once.e2e.ts, while the log is away during the change of session. */
import { expect, newCommandId, newPerson, test } from '../kit/device.ts';
import { quantityOf, settledCart } from '../kit/settled-cart.ts';
import { variant, whilePaused } from '../kit/stack.ts';

/** One broker of three is not the whole log, so all of them are paused. */
const brokers = 'profile' in variant ? ['kafka-1', 'kafka-2', 'kafka-3'] : ['kafka'];
const whileTheLogIsAway = (during: () => Promise<void>): Promise<void> =>
  brokers.reduce<() => Promise<void>>((inner, name) => () => whilePaused(name, inner), during)();

test('a guest’s add that is repeated while the log is away, after registering, counts once', async ({ newDevice, products }) => {
  test.setTimeout(180_000);
  const [product, marker] = products as [string, string];
  const device = await newDevice();
  const addition = await device.addition(product, 1);
  expect(await device.insist('POST', '/api/cart/lines', addition), 'added as a guest').toMatchObject({ status: 202 });
  await whileTheLogIsAway(async () => {
    expect(await device.register(newPerson()), 'registered').toMatchObject({ status: 201 });
    expect((await device.call('POST', '/api/cart/lines', addition)).status, 'nobody can say whether it was taken').toBe(503);
  });
  expect(await device.insist('POST', '/api/cart/lines', addition, 60_000), 'repeated').toMatchObject({ status: 202 });
  expect(quantityOf(await settledCart(device, marker), product), 'quantity').toBe(1);
});

test('a line that a guest removed stays gone when its add is repeated while the log is away', async ({ newDevice, products }) => {
  test.setTimeout(180_000);
  const [product, marker] = products as [string, string];
  const device = await newDevice();
  const addition = await device.addition(product, 1);
  const { body } = await device.insist('POST', '/api/cart/lines', addition);
  const path = `/api/cart/lines/${encodeURIComponent(body.lineId as string)}`;
  expect((await device.insist('DELETE', path, { commandId: newCommandId(), seen: body.seen })).status).toBe(202);
  await whileTheLogIsAway(async () => {
    expect(await device.register(newPerson()), 'registered').toMatchObject({ status: 201 });
    expect((await device.call('POST', '/api/cart/lines', addition)).status).toBe(503);
  });
  expect(await device.insist('POST', '/api/cart/lines', addition, 60_000), 'repeated').toMatchObject({ status: 202 });
  expect(quantityOf(await settledCart(device, marker), product), 'quantity').toBe(0);
});
