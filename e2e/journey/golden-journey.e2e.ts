/** The whole golden journey, in one browser with two devices. No change may break it on any provider. */
import type { Cart, SignedIn } from '@cloakroom/contracts/http';
import { refuseOnce } from '../kit/account.ts';
import { ageAuthentication } from '../kit/age-authentication.ts';
import { addToCart, expect, lines, searchField, signIn, test } from '../kit/browser.ts';
import { orderLines, ordersOf, placeButton, placedHeading } from '../kit/check-out.ts';
import { newPerson } from '../kit/device.ts';
import { expectSessionEnded } from '../kit/refused.ts';
import { e2eProvider, gateways } from '../kit/stack.ts';

test('a guest finds, signs in, merges, edits, ends a device, orders exactly once and is gone', async ({
  newBrowser,
  newDevice,
  products,
  playwright,
}) => {
  const [first, second, third, fourth] = products as [string, string, string, string];
  const person = newPerson();
  // A tablet that signs up now and is lost later.
  const tablet = await newDevice();
  expect((await tablet.register(person)).status).toBe(201);

  // 1. A guest searches and puts two products in the cart; browsing alone made no session.
  const laptop = await newBrowser(gateways[0]);
  await laptop.goto('/');
  expect(await laptop.context().cookies()).toEqual([]);
  await searchField(laptop).fill('scarf');
  await searchField(laptop).press('Enter');
  await expect(laptop.getByRole('main').getByRole('link', { name: /scarf/i }).first()).toBeVisible();
  expect(await laptop.context().cookies(), 'searching makes no session').toEqual([]);
  await addToCart(laptop, first);
  await addToCart(laptop, second);
  const guest = await laptop.context().storageState();

  // 2. On another device the same person is signed in and has one product in the cart.
  const phone = await newBrowser(gateways[1]);
  await signIn(phone, person);
  await addToCart(phone, third);
  await phone.goto('/cart');
  await expect(lines(phone)).toHaveCount(1);

  // 3. The guest signs in: the token rotates, the old one is dead, both devices show three lines, and a replay changes nothing.
  const answered = laptop.waitForResponse('**/api/session/login');
  await signIn(laptop, person);
  const { merge } = (await (await answered).json()) as SignedIn;
  expect(['pending', 'merged'], 'the answer says how it stands with the guest cart').toContain(merge?.state);
  await laptop.goto('/cart');
  await expect(lines(laptop)).toHaveCount(3);
  await expect(lines(phone)).toHaveCount(3);
  const replay = await playwright.request.newContext({ storageState: guest });
  await expectSessionEnded(async () => (await replay.get(`${gateways[1]}/api/cart`)).status());
  const again = await replay.post(`${gateways[1]}/api/session/login`, {
    data: { email: person.email, password: person.password },
    headers: { origin: gateways[1] },
  });
  expect(again.status()).toBe(200);
  expect(((await (await replay.get(`${gateways[1]}/api/cart`)).json()) as Cart).lines).toHaveLength(3);
  await replay.dispose();

  // 4. The person edits the profile, lists the devices, and ends the lost one's session.
  await laptop.goto('/account');
  await laptop.getByLabel('Name', { exact: true }).fill('Robin Golden');
  await laptop.getByRole('button', { name: 'Save name' }).click();
  await expect(laptop.getByRole('heading', { name: 'Hello, Robin Golden' })).toBeVisible();
  await laptop.getByRole('link', { name: 'Devices' }).click();
  const devices = laptop.getByRole('list', { name: 'Devices you are signed in on' }).getByRole('listitem');
  await expect(devices).toHaveCount(4);
  await refuseOnce(laptop, '**/api/session/devices/*', 'DELETE');
  // The list has the newest activity first. The tablet and the replay are the two that are no browsers: both sessions are ended.
  for (let left = 4; left > 2; left--) {
    await devices
      .filter({ hasNotText: /Chrom/ })
      .first()
      .getByRole('button', { name: /^End session/ })
      .click();
    const proof = laptop.getByRole('dialog', { name: 'Confirm that it is you' });
    if (left === 4) {
      await proof.getByLabel('Password').fill(person.password);
      await laptop.keyboard.press('Enter');
    }
    await expect(devices).toHaveCount(left - 1);
  }
  await expectSessionEnded(async () => (await tablet.call('GET', '/api/profile')).status);

  // 5. Check-out asks for the password if the last proof is old, places one order, and takes exactly the lines that were ordered.
  await laptop.goto('/cart');
  await laptop.getByRole('link', { name: 'Check out' }).click();
  await laptop.getByLabel('Recipient').fill('Robin Golden');
  await laptop.getByLabel('Street and number').fill('Cloak Street 1');
  await laptop.getByLabel('Postal code').fill('10115');
  await laptop.getByLabel('City').fill('Berlin');
  await laptop.getByRole('button', { name: 'Save address' }).click();
  await expect(orderLines(laptop)).toHaveCount(3);
  await addToCart(phone, fourth);
  await expect(laptop.getByText('Your cart has changed on another device.')).toBeVisible();
  if (e2eProvider === 'native') {
    const { cartId } = (await (await laptop.request.get(`${gateways[0]}/api/cart`)).json()) as Cart;
    await ageAuthentication(cartId, 5 * 60_000 + 1_000);
  } else await refuseOnce(laptop, '**/api/orders', 'POST');
  await placeButton(laptop).dblclick();
  await laptop.getByRole('dialog', { name: 'Confirm that it is you' }).getByLabel('Password').fill(person.password);
  await laptop.keyboard.press('Enter');
  await expect(placedHeading(laptop)).toBeVisible();
  const buyer = await newDevice();
  await buyer.signIn(person);
  expect((await ordersOf(buyer)).map(({ status, lines: ordered }) => [status, ordered.length])).toEqual([['placed', 3]]);
  await buyer.expectCart({ [fourth]: 1 });
  await phone.goto('/cart');
  await expect(lines(phone)).toHaveCount(1);
  await phone.goto('/orders');
  await expect(phone.getByRole('list', { name: 'Orders' }).getByRole('listitem')).toHaveCount(1);

  // 6. Sign out: the replayed cookie is refused by every gateway.
  const copied = await laptop.context().storageState();
  await laptop.goto('/account');
  await laptop.getByRole('button', { name: 'Sign out' }).click();
  await expect(laptop.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' })).toBeVisible();
  for (const gateway of gateways) {
    const thief = await playwright.request.newContext({ storageState: copied });
    await expectSessionEnded(async () => (await thief.get(`${gateway}/api/cart`)).status());
    await thief.dispose();
  }
});
