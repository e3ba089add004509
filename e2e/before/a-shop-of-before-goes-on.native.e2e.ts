/** Today's shop started on data that an older build left behind (shop-of-before.ts). The shop of one region runs here; e2e/regions has the same as eu. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, quantitiesOf, test, type Device } from '../kit/device.ts';
import { oneTimeCodeOf } from '../kit/one-time-code.ts';
import { dataDir, gateways, killAndWaitForSuccessor } from '../kit/stack.ts';
import { deviceOf, shopOfBefore } from './shop-of-before.ts';

const { robin, kim, guest } = shopOfBefore();

const told = async (device: Device, path: string) => {
  const { status, body } = await device.insist('GET', path);
  expect(status, `${path}: ${JSON.stringify(body)}`).toBe(200);
  return body;
};

async function expectRobin(device: Device): Promise<void> {
  expect(await told(device, '/api/session')).toMatchObject({ state: 'user', user: { email: robin.email } });
  expect(quantitiesOf(await told(device, '/api/cart'))).toEqual(robin.cart);
  expect(await told(device, `/api/orders/${robin.placed}`)).toMatchObject({ status: 'placed' });
  expect(await told(device, `/api/orders/${robin.cancelled}`)).toMatchObject({ status: 'cancelled' });
  expect(await told(device, '/api/profile')).toMatchObject({ name: robin.profileName, addresses: [{ city: robin.city }] });
}

async function expectGuest(device: Device): Promise<void> {
  expect(await device.state()).toBe('guest');
  expect(quantitiesOf(await told(device, '/api/cart'))).toEqual(guest.cart);
}

test('sessions of before go on with their carts, orders and profile, and the next start finds the same', async ({ playwright }) => {
  const robins = [await deviceOf(playwright, robin.hybrid), await deviceOf(playwright, robin.selfContained)];
  const stranger = await deviceOf(playwright, guest.cookies);
  for (const device of robins) await expectRobin(device);
  await expectGuest(stranger);
  await Promise.all(['auth', 'cart', 'orders'].map((name) => killAndWaitForSuccessor(name)));
  for (const device of robins) await expectRobin(device);
  await expectGuest(stranger);
});

test('a device that a person ended before is refused', async ({ playwright }) => {
  const device = await deviceOf(playwright, robin.ended);
  for (const gateway of gateways) expect((await device.call('GET', '/api/cart', undefined, { gateway })).status).toBe(401);
  const devices = await told(await deviceOf(playwright, robin.hybrid), '/api/session/devices');
  expect(devices).toHaveLength(2);
  // The older build had ended it in Redis too. A start that lost the revocation would refuse it all the same.
  const token = robin.ended.cookies.find(({ name }) => name === '__Host-session')!.value;
  const secret = Buffer.from(token.split('.')[3]!, 'base64url');
  using database = new DatabaseSync(join(dataDir, 'db', 'auth.sqlite'), { readOnly: true });
  const kept = database
    .prepare('SELECT forget_after_ms AS untilMs FROM revocations WHERE token_hash = ?')
    .get(hash('sha256', secret, 'base64url'));
  expect(kept?.['untilMs']).toBeGreaterThan(Date.now());
});

test('accounts of before sign in by password, with a code of their app, and with a recovery code', async ({ newDevice }) => {
  const phone = await newDevice();
  expect((await phone.signIn(robin)).status).toBe(200);
  await expectRobin(phone);
  for (const proof of [{ code: oneTimeCodeOf(kim.totpSecret) }, { recoveryCode: kim.recoveryCode }]) {
    const device = await newDevice();
    const half = await device.signIn(kim);
    expect(half.body).toMatchObject({ code: 'second_factor_required' });
    const { challenge } = half.body as { challenge: string };
    expect((await device.call('POST', '/api/session/login/second-factor', { challenge, ...proof })).status).toBe(200);
    await device.expectCart(kim.cart);
  }
});

test('a cart of before is changed and ordered, and a session of before signs out', async ({ playwright }) => {
  const [phone, copied] = [await deviceOf(playwright, robin.hybrid), await deviceOf(playwright, robin.hybrid)];
  const [first] = Object.keys(robin.cart) as [string];
  await phone.add(first, 2);
  await phone.expectCart({ ...robin.cart, [first]: robin.cart[first]! + 2 });
  const order = await phone.checkout();
  expect(order.status, JSON.stringify(order.body)).toBe(201);
  expect((await phone.settledOrder(order.body.orderId)).status).toBe('placed');
  await phone.expectCart({});
  expect((await phone.call('POST', '/api/session/logout')).status).toBe(204);
  await expect.poll(async () => (await copied.call('GET', '/api/cart')).status).toBe(401);
});
