/** Profiles of two regions, and the addresses of orders, with an ocean that is really cut. */
import type { Cart } from '@cloakroom/contracts/http';
import type { Device } from '../kit/device.ts';
import { expect, newCommandId, test } from '../kit/device.ts';
import { decisionOf, ocean, registerAt, untilAnswered, untilUnreachable } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
test.afterEach(() => ocean({ do: 'heal' }));

const path = '/api/profile';
const address = { name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' };
const read = (device: Device, gateway: string) => device.call('GET', path, undefined, { gateway });
const write = (device: Device, gateway: string, body: object) => device.call('PATCH', path, body, { gateway });

/** A person of eu whose profile us has just read, and whom the gateway there knows under the lease of eu's feed. */
async function knownAbroad(newDevice: () => Promise<Device>): Promise<Device> {
  const device = await newDevice();
  await registerAt(device, eu);
  await untilAnswered(200, () => write(device, eu, { addresses: [address] }));
  const known = async () => {
    const told = await read(device, us);
    return [decisionOf(told), told.body.copy, told.body.addresses?.[0]?.city];
  };
  await expect.poll(known, { intervals: [200] }).toEqual(['hybrid hit', undefined, 'London']);
  return device;
}

for (const [home, abroad, name] of [
  [eu, us, 'eu'],
  [us, eu, 'us'],
] as const)
  test(`a profile of ${name} is the same in both regions, wherever it is changed`, async ({ newDevice }) => {
    const device = await newDevice();
    await registerAt(device, home);
    await untilAnswered(200, () => write(device, abroad, { name: 'Changed abroad', addresses: [address] }));
    const atHome = () => read(device, home).then(({ body }) => [body.name, body.addresses?.[0]?.city]);
    await expect.poll(atHome, { intervals: [200] }).toEqual(['Changed abroad', 'London']);
    await untilAnswered(200, () => write(device, home, { name: 'Changed at home' }));
    const seen = () => read(device, abroad).then(({ body }) => [body.name, body.copy]);
    await expect.poll(seen, { intervals: [200] }).toEqual(['Changed at home', undefined]);
  });

for (const cut of [{ do: 'cut' }, { do: 'cut', way: 'us-eu' }, { do: 'cut', way: 'eu-us' }])
  test(`in a cut (${cut.way ?? 'both ways'}) a copy is shown with its age, and a change is refused abroad and taken at home`, async ({
    newDevice,
  }) => {
    const device = await knownAbroad(newDevice);
    await ocean(cut);
    const shown = () => read(device, us).then(({ body }) => [body.copy?.home, body.addresses?.[0]?.city]);
    await expect.poll(shown, { intervals: [200] }).toEqual(['eu', 'London']);
    await untilUnreachable(() => write(device, us, { name: 'Changed abroad' }));
    await untilAnswered(200, () => write(device, eu, { name: 'Changed at home' }));
    // People of us do not notice.
    const local = await newDevice();
    await registerAt(local, us);
    await untilAnswered(200, () => write(local, us, { name: 'Here' }));
    await ocean({ do: 'heal' });
    const seen = () => read(device, us).then(({ body }) => [body.name, body.copy]);
    await expect.poll(seen, { intervals: [200] }).toEqual(['Changed at home', undefined]);
  });

test('an order abroad goes to an address from home; in a cut it is refused and its cart stays, and home goes on', async ({
  newDevice,
  products,
}) => {
  const device = await knownAbroad(newDevice);
  let addressId = '';
  await untilAnswered(200, async () => {
    const told = await read(device, eu);
    addressId = told.body.addresses?.[0]?.addressId;
    return told;
  });
  const [first, second] = products as [string, string];
  const seenOf = (gateway: string, productId: string): Promise<string | undefined> =>
    device
      .call('GET', '/api/cart', undefined, { gateway })
      .then(({ body }) => (body as Cart).lines?.find((line) => line.productId === productId)?.seen);
  const fill = async (gateway: string, productId: string) => {
    const line = await device.addition(productId, 1);
    await untilAnswered(202, () => device.call('POST', '/api/cart/lines', line, { gateway }));
    await expect.poll(() => seenOf(gateway, productId), { intervals: [200] }).toBeDefined();
    return (await seenOf(gateway, productId))!;
  };
  const order = (gateway: string, seen: string, key: string) =>
    device.call('POST', '/api/orders', { seen, addressId }, { gateway, headers: { 'idempotency-key': key } });
  const [seenHome, seenAbroad] = [await fill(eu, first), await fill(us, second)];
  const key = newCommandId();

  await ocean({ do: 'cut' });
  await untilUnreachable(() => order(us, seenAbroad, key));
  await expect.poll(() => seenOf(us, second), { intervals: [200] }).toBe(seenAbroad);
  const keyAtHome = newCommandId();
  await untilAnswered(201, () => order(eu, seenHome, keyAtHome));

  await ocean({ do: 'heal' });
  await untilAnswered(201, () => order(us, seenAbroad, key));
  const cities = () =>
    device
      .call('GET', '/api/orders', undefined, { gateway: us })
      .then(({ body }) => body.items?.map((each: { readonly address: typeof address }) => each.address.city));
  // Both orders are at home, and are read there.
  await expect.poll(cities, { message: 'each order once, to the address from home', intervals: [200] }).toEqual(['London', 'London']);
});
