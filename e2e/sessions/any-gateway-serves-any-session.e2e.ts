import type { Devices } from '@cloakroom/contracts/http';
import { expect, newPerson, test } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';
import { untilHeard } from '../kit/until-heard.ts';

test('a plain client completes the golden journey with another gateway at every step', async ({ newDevice, products }) => {
  const [first, second, third] = products as [string, string, string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];

  expect(await laptop.state()).toBe('none');
  await laptop.call('GET', '/api/products?query=coat');
  expect(
    (await laptop.cookies()).filter(({ name }) => name === '__Host-session'),
    'browsing makes no session',
  ).toEqual([]);

  expect((await phone.register(person)).status).toBe(201);
  await phone.add(third, 1);
  await laptop.add(first, 1);
  await laptop.add(second, 2);
  expect(await laptop.state()).toBe('guest');

  const guestToken = (await laptop.cookies()).find(({ name }) => name === '__Host-session')!.value;
  const login = await laptop.signIn(person);
  expect(login.body).toMatchObject({ state: 'user', merge: { state: 'pending' } });
  const userToken = (await laptop.cookies()).find(({ name }) => name === '__Host-session')!.value;
  expect(userToken, 'the token rotates').not.toBe(guestToken);
  for (const device of [laptop, phone]) await device.expectCart({ [first]: 1, [second]: 2, [third]: 1 });

  const profile = await laptop.call('PATCH', '/api/profile', {
    name: 'Robin Renamed',
    addresses: [{ name: 'Robin', line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' }],
  });
  expect(profile.status, JSON.stringify(profile.body)).toBe(200);
  expect(profile.body).toMatchObject({ name: 'Robin Renamed', addresses: [{ city: 'Vienna' }] });

  const devices = await laptop.call('GET', '/api/session/devices');
  expect(devices.body).toHaveLength(2);
  const other = (devices.body as Devices).find(({ current }) => !current)!;
  expect((await laptop.call('DELETE', `/api/session/devices/${other.handle}`)).status).toBe(204);
  await untilHeard(async () => (await phone.call('GET', '/api/cart')).status, 401);

  expect((await laptop.call('POST', '/api/session/logout')).status).toBe(204);
  expect(await laptop.state()).toBe('none');
});

test('a line changed through one gateway is read through the other, never older than its token', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const device = await newDevice();
  await device.call('POST', '/api/session/guest');
  for (let quantity = 1; quantity <= 10; quantity++) {
    const added = await device.call('POST', '/api/cart/lines', await device.addition(first, 1), { gateway: gateways[quantity % 2]! });
    expect(added.status).toBe(202);
    const read = await device.call('GET', '/api/cart', undefined, { gateway: gateways[(quantity + 1) % 2]! });
    if (!read.body.stale) expect(read.body.lines[0].quantity).toBe(quantity);
  }
  await expect.poll(async () => (await device.cart()).lines[0]?.quantity).toBe(10);
});
