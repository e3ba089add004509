import { addToCart, expect, lines, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

test('edits on two devices appear live in one cart, whichever gateway each device uses', async ({ newBrowser, newDevice, products }) => {
  const [first, second] = products as [string, string];
  const person = newPerson();
  await (await newDevice()).register(person);
  const [laptop, phone] = [await newBrowser(gateways[0]), await newBrowser(gateways[1])];
  await signIn(laptop, person);
  await signIn(phone, person);
  await phone.goto('/cart');
  await expect(phone.getByText('Your cart is empty.')).toBeVisible();

  await addToCart(laptop, first);
  await expect(lines(phone)).toHaveCount(1);
  await laptop.goto('/cart');
  await laptop.getByRole('button', { name: 'One more' }).click();
  await expect(phone.getByLabel('Quantity', { exact: true })).toHaveText('2');
  await phone.getByRole('button', { name: 'One more' }).click();
  await expect(laptop.getByLabel('Quantity', { exact: true })).toHaveText('3');

  await addToCart(phone, second);
  await expect(lines(laptop)).toHaveCount(2);
  await phone.goto('/cart');
  await lines(phone).first().getByRole('button', { name: 'Remove' }).click();
  await expect(lines(laptop)).toHaveCount(1);
  await expect(lines(phone)).toHaveCount(1);
});

test('adds made at the same moment on two devices all count', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.register(person);
  await phone.signIn(person);
  await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? laptop : phone).add(first, 1)));
  for (const device of [laptop, phone]) await device.expectCart({ [first]: 20 });
});

test('a removal kills only what its device saw, and an add on the other device stays', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.register(person);
  await phone.signIn(person);
  await laptop.add(first, 1);
  const seen = (await laptop.expectCart({ [first]: 1 })).lines[0]!;
  await phone.add(first, 4);
  const { commandId } = await laptop.addition(first, 1);
  const removed = await laptop.call('DELETE', `/api/cart/lines/${seen.lineId}`, { commandId, seen: seen.seen });
  expect(removed.status).toBe(202);
  for (const device of [laptop, phone]) await device.expectCart({ [first]: 4 });
});
