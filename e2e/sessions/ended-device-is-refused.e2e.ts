import { watchCrowd } from '@cloakroom/testing';
import { addToCart, expect, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

test('a person edits the profile, ends the other device, and that device is signed out within the bound', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const [laptop, phone] = [await newBrowser(gateways[0]), await newBrowser(gateways[1])];
  await signIn(phone, person);
  await addToCart(phone, products[0]!);
  await phone.goto('/cart');
  await signIn(laptop, person);

  await laptop.goto('/account');
  await laptop.getByLabel('Name', { exact: true }).first().fill('Robin Renamed');
  await laptop.getByRole('button', { name: /^Save/ }).first().click();
  await laptop.reload();
  await expect(laptop.getByLabel('Name', { exact: true }).first()).toHaveValue('Robin Renamed');
  await expect(laptop.getByRole('heading', { name: 'Hello, Robin Renamed' })).toBeVisible();

  await laptop.goto('/account/devices');
  const devices = laptop.getByRole('list', { name: 'Devices you are signed in on' }).getByRole('listitem');
  // The device that registered, the phone, and this one.
  await expect(devices).toHaveCount(3);
  await laptop.getByRole('button', { name: 'End all others' }).click();
  const [crowd, endedAt] = [watchCrowd(), Date.now()];
  await expect(devices).toHaveCount(1);
  await expect(phone.getByText('You were signed out.')).toBeVisible();
  expect(Date.now() - endedAt, 'within 2.5 s and what the page needs to say so').toBeLessThan(2_500 + crowd.roomMs(1_500));
  expect((await phone.request.get('/api/cart')).status()).toBe(401);

  await laptop.getByRole('button', { name: 'Sign out' }).click();
  await expect(laptop.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' })).toBeVisible();
  expect((await laptop.context().cookies()).filter(({ name }) => name === '__Host-session')).toEqual([]);
});
