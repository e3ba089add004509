/** Orders of people who are abroad, with an ocean that is really cut. */
import type { Cart, Order, OrderPreview } from '@cloakroom/contracts/http';
import type { Device } from '../kit/device.ts';
import { expect, newCommandId, test } from '../kit/device.ts';
import { decisionOf, ocean, registerAt, untilAnswered, untilUnreachable } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
test.afterEach(() => ocean({ do: 'heal' }));

/** MirrorMaker finds the other region again within seconds. The rest is for a machine that is busy elsewhere. */
const heardWithinMs = 60_000;
const address = { name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' };
const poll = <Value>(look: () => Promise<Value>) => expect.poll(look, { intervals: [200], timeout: heardWithinMs });

/** A person of eu whom the gateway of us knows. */
async function knownAbroad(newDevice: () => Promise<Device>) {
  const device = await newDevice();
  await registerAt(device, eu);
  await untilAnswered(200, () => device.call('PATCH', '/api/profile', { addresses: [address] }, { gateway: eu }));
  let addressId: string | undefined;
  await poll(
    async () => (addressId = (await device.call('GET', '/api/profile', undefined, { gateway: eu })).body.addresses?.[0]?.addressId),
  ).toBeDefined();
  await poll(async () => decisionOf(await device.call('GET', '/api/cart', undefined, { gateway: us }))).toBe('hybrid hit');
  const cart = async (gateway: string) => (await device.call('GET', '/api/cart', undefined, { gateway })).body as Partial<Cart>;
  const seenOf = async (gateway: string, productId: string) =>
    (await cart(gateway)).lines?.find((line) => line.productId === productId)?.seen;
  return {
    device,
    cart,
    seenOf,
    async fill(gateway: string, productId: string): Promise<string> {
      const line = await device.addition(productId, 1);
      await untilAnswered(202, () => device.call('POST', '/api/cart/lines', line, { gateway }));
      await poll(() => seenOf(gateway, productId)).toBeDefined();
      return (await seenOf(gateway, productId))!;
    },
    place: (gateway: string, seen: string, key: string) =>
      device.call('POST', '/api/orders', { seen, addressId }, { gateway, headers: { 'idempotency-key': key } }),
    /** Undefined where a busy machine missed the time for an answer. */
    orders: async (gateway: string) =>
      (await device.call('GET', '/api/orders', undefined, { gateway })).body.items as readonly Order[] | undefined,
  };
}

test('an order from abroad is placed at home, once for its key in both regions, and is read in both', async ({ newDevice, products }) => {
  const { seenOf, fill, place, orders } = await knownAbroad(newDevice);
  const seen = await fill(us, products[0]!);
  const key = newCommandId();
  await untilAnswered(201, () => place(us, seen, key));
  let one: Order | undefined;
  await poll(async () => (one = (await orders(eu))?.[0])).toMatchObject({ status: 'placed', address: { city: 'London' } });
  await untilAnswered(201, () => place(eu, seen, key));
  await untilAnswered(201, () => place(us, seen, key));
  for (const gateway of [eu, us]) {
    await poll(() => orders(gateway).then((items) => items?.map(({ orderId }) => orderId))).toEqual([one!.orderId]);
    // An order leaves the cart on both sides.
    await poll(() => seenOf(gateway, products[0]!)).toBeUndefined();
  }
  // Under another key the same things cannot be ordered again.
  const other = newCommandId();
  await untilAnswered(409, () => place(us, seen, other));
});

test('two presses at once, one in each region, are one order', async ({ newDevice, products }) => {
  const { fill, seenOf, place, orders } = await knownAbroad(newDevice);
  const seen = await fill(us, products[1]!);
  await poll(() => seenOf(eu, products[1]!)).toBeDefined();
  const keys = [newCommandId(), newCommandId()] as const;
  const settled = async (gateway: string, key: string): Promise<number> => {
    let { status } = await place(gateway, seen, key);
    for (; status === 503; { status } = await place(gateway, seen, key)) await new Promise((resolve) => setTimeout(resolve, 200));
    return status;
  };
  const statuses = await Promise.all([settled(us, keys[0]), settled(eu, keys[1])]);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 409]);
  await poll(() => orders(eu).then((items) => items?.length)).toBe(1);
});

test('in a cut an order from abroad is refused and its cart stays; home orders what it knows and says who is not heard', async ({
  newDevice,
  products,
}) => {
  const { device, cart, seenOf, fill, place, orders } = await knownAbroad(newDevice);
  const [mug, cup] = products as [string, string];
  const seenHome = await fill(eu, mug);
  await poll(() => seenOf(us, mug)).toBeDefined();

  await ocean({ do: 'cut' });
  const seenAbroad = await fill(us, cup);
  const key = newCommandId();
  await untilUnreachable(() => place(us, seenAbroad, key));
  await untilUnreachable(() => device.call('GET', '/api/orders', undefined, { gateway: us }));
  await poll(() => cart(us).then(({ lines }) => lines?.map(({ productId }) => productId).toSorted())).toEqual([mug, cup].toSorted());

  const preview = async (): Promise<Partial<OrderPreview>> =>
    (await device.call('POST', '/api/orders/preview', { seen: seenHome }, { gateway: eu })).body;
  await poll(() => preview().then(({ unheard }) => unheard)).toEqual(['us']);
  const keyAtHome = newCommandId();
  await untilAnswered(201, () => place(eu, seenHome, keyAtHome));

  await ocean({ do: 'heal' });
  // Both sides show what the other one added, and neither what was ordered.
  for (const gateway of [eu, us])
    await poll(() => cart(gateway).then(({ lines }) => lines?.map(({ productId }) => productId))).toEqual([cup]);
  await poll(() => preview().then(({ cartChanged, unheard }) => [cartChanged, unheard])).toEqual([true, undefined]);
  await untilAnswered(201, () => place(us, seenAbroad, key));
  await poll(() => orders(eu).then((items) => items?.length)).toBe(2);
});
