import { addToCart, expect, lines, searchField, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

test('a guest finds two products by search, signs in, and both devices show three lines', async ({ newBrowser, newDevice, products }) => {
  const [first, second, third] = products as [string, string, string];
  const person = newPerson();
  const registered = await newDevice();
  await registered.register(person);

  const phone = await newBrowser(gateways[1]);
  await signIn(phone, person);
  await addToCart(phone, third);
  await phone.goto('/cart');
  await expect(lines(phone)).toHaveCount(1);

  const laptop = await newBrowser(gateways[0]);
  await laptop.goto('/');
  expect(await laptop.context().cookies(), 'browsing makes no session').toEqual([]);
  await searchField(laptop).fill('scarf');
  await searchField(laptop).press('Enter');
  await expect(laptop.getByRole('heading', { level: 1, name: 'Results for “scarf”' })).toBeVisible();
  await expect(laptop.getByRole('main').getByRole('link', { name: /scarf/i }).first()).toBeVisible();
  await addToCart(laptop, first);
  await addToCart(laptop, second);
  const guestToken = (await laptop.context().cookies()).find(({ name }) => name === '__Host-session');
  expect(guestToken).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });

  await signIn(laptop, person);
  const userToken = (await laptop.context().cookies()).find(({ name }) => name === '__Host-session');
  expect(userToken!.value).not.toBe(guestToken!.value);
  await laptop.goto('/cart');
  await expect(lines(laptop)).toHaveCount(3);
  // The other device had its page open all the time, so it receives the change.
  await expect(lines(phone)).toHaveCount(3);
});
