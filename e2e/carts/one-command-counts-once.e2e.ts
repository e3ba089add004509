/**
 * A page that does not know whether its add was taken repeats it under the same id. By then the
 * session may belong to the guest or to the user.
 */
import { expect, newCommandId, newPerson, test } from '../kit/device.ts';
import { quantityOf, settledCart } from '../kit/settled-cart.ts';
import { gateways } from '../kit/stack.ts';

test('a guest’s add that is repeated after registering counts once, through any gateway', async ({ newDevice, products }) => {
  const [product, marker, later] = products as [string, string, string];
  const device = await newDevice();
  const addition = await device.addition(product, 1);
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  expect((await device.register(newPerson())).status).toBe(201);
  for (const gateway of gateways) expect((await device.call('POST', '/api/cart/lines', addition, { gateway })).status).toBe(202);
  const cart = await settledCart(device, marker);
  expect(quantityOf(cart, product)).toBe(1);
  // The number of repeats and the time do not matter.
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  expect(quantityOf(await settledCart(device, later), product)).toBe(1);
});

test('a line that a guest removed stays gone when its add is repeated after registering', async ({ newDevice, products }) => {
  const [product, marker] = products as [string, string];
  const device = await newDevice();
  const addition = await device.addition(product, 1);
  const { body } = await device.insist('POST', '/api/cart/lines', addition);
  const path = `/api/cart/lines/${encodeURIComponent(body.lineId as string)}`;
  expect((await device.insist('DELETE', path, { commandId: newCommandId(), seen: body.seen })).status).toBe(202);
  expect((await device.register(newPerson())).status).toBe(201);
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  expect(quantityOf(await settledCart(device, marker), product)).toBe(0);
});

test('a removal as guest or as user removes an add that was repeated across a sign-in', async ({ newDevice, products }) => {
  const [product, marker] = products as [string, string];
  const device = await newDevice();
  const addition = await device.addition(product, 1);
  const asGuest = (await device.insist('POST', '/api/cart/lines', addition)).body;
  expect((await device.register(newPerson())).status).toBe(201);
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  const path = `/api/cart/lines/${encodeURIComponent(asGuest.lineId as string)}`;
  // The page was open all the time. It knows the line by the id that it had as a guest.
  expect((await device.insist('DELETE', path, { commandId: newCommandId(), seen: asGuest.seen })).status).toBe(202);
  expect(quantityOf(await settledCart(device, marker), product)).toBe(0);
});

test('an add that a user repeats signed out, and that joins at the next sign-in, counts once', async ({ newDevice, products }) => {
  const [product, marker, other] = products as [string, string, string];
  const [device, person] = [await newDevice(), newPerson()];
  expect((await device.register(person)).status).toBe(201);
  const addition = await device.addition(product, 1);
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  await device.expectCart({ [product]: 1 });
  expect((await device.insist('POST', '/api/session/logout', {})).status).toBeLessThan(300);
  await device.add(other);
  expect((await device.insist('POST', '/api/cart/lines', addition)).status).toBe(202);
  expect((await device.signIn(person)).status).toBe(200);
  const cart = await settledCart(device, marker);
  expect([quantityOf(cart, product), quantityOf(cart, other)]).toEqual([1, 1]);
});
