/** As one-command-counts-once.e2e.ts, with the log away while the session changes hands. */
import { expect, newCommandId, newPerson, test, type Device } from '../kit/device.ts';
import { variant, whilePaused } from '../kit/stack.ts';

/** One of three is not the log: all of them are paused. */
const brokers = 'profile' in variant ? ['kafka-1', 'kafka-2', 'kafka-3'] : ['kafka'];
const whileTheLogIsAway = (during: () => Promise<void>): Promise<void> =>
  brokers.reduce<() => Promise<void>>((inner, name) => () => whilePaused(name, inner), during)();

/** The merge has arrived, and what is sent after it as well. */
async function quantityAtRest(device: Device, product: string, marker: string): Promise<number> {
  await expect.poll(async () => (await device.cart()).merge.state, { timeout: 60_000 }).toBe('merged');
  await device.add(marker);
  await expect.poll(async () => (await device.cart()).lines.some(({ productId }) => productId === marker), { timeout: 30_000 }).toBe(true);
  // The next replica may not have heard the log yet, and says "stale" then. Only a cart that is not stale counts.
  let cart = await device.cart();
  await expect.poll(async () => (cart = await device.cart()).stale, { timeout: 60_000, message: 'a cart that is not stale' }).toBe(false);
  return cart.lines.find(({ productId }) => productId === product)?.quantity ?? 0;
}

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
  expect(await quantityAtRest(device, product, marker), 'quantity').toBe(1);
});

test('what a guest removed stays gone when its add is repeated while the log is away', async ({ newDevice, products }) => {
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
  expect(await quantityAtRest(device, product, marker), 'quantity').toBe(0);
});
