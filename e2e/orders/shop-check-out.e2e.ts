/** Check-out in a browser, where the parts below decide the result: orders, payments, and the lines that leave the cart. */
import { addToCart, expect, lines, signIn, test } from '../kit/browser.ts';
import {
  buyer,
  chooseCard,
  openCheckOut,
  orderLines,
  ordersOf,
  placeButton,
  placedHeading,
  summary,
  watchPlacing,
} from '../kit/check-out.ts';
import { newPerson, quantitiesOf } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

test('a double click places one order, and a line added on the other device meanwhile stays', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const [first, second, third] = products as [string, string, string];
  const [person, phone] = await buyer(newDevice, [first, second]);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await expect(orderLines(page)).toHaveCount(2);
  const total = await page.getByTestId('total').textContent();

  await phone.add(third);
  await expect(summary(page).getByText('Your cart has changed on another device.')).toBeVisible();
  await expect(orderLines(page), 'what is ordered stays as it was shown').toHaveCount(2);
  await expect(page.getByTestId('total')).toHaveText(total!);
  const sent = watchPlacing(page);
  await placeButton(page).dblclick();

  await expect(placedHeading(page)).toBeVisible();
  await expect(page.getByTestId('total')).toHaveText(total!);
  await expect(page.getByRole('list', { name: 'How it went' }).getByRole('listitem').last()).toContainText('Confirmed');
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  const orders = await ordersOf(phone);
  expect(orders.map(({ status, lines: ordered }) => [status, ordered.map(({ productId }) => productId).toSorted()])).toEqual([
    ['placed', [first, second].toSorted()],
  ]);
  await phone.expectCart({ [third]: 1 });
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
});

test('the page reports a declined card, another card pays, and both orders are in the list', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const [first] = products as [string];
  const [person, phone] = await buyer(newDevice, [first]);
  const page = await newBrowser(gateways[1]);
  await openCheckOut(page, gateways[1], person);
  await chooseCard(page, /is declined/);
  await placeButton(page).click();
  const told = summary(page).getByRole('alert').filter({ hasText: 'The payment was declined.' });
  await expect(told).toBeFocused();
  expect(quantitiesOf(await phone.cart()), 'the cart is as it was').toEqual({ [first]: 1 });
  await told.getByRole('button', { name: 'Choose another card' }).click();
  await expect(page.getByRole('radio', { name: /is declined/ })).toBeFocused();
  await chooseCard(page, /that pays/);
  await placeButton(page).click();
  await expect(placedHeading(page)).toBeVisible();

  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Orders' }).click();
  const orders = page.getByRole('list', { name: 'Orders' }).getByRole('listitem');
  await expect(orders).toHaveCount(2);
  await expect(orders.first()).toContainText('Placed');
  await orders.last().getByRole('link').click();
  await expect(page.getByText('The payment was declined. Nothing was charged')).toBeVisible();
  await phone.expectCart({});
});

test('the open page waits for a card that answers late, and says how it ended', async ({ newBrowser, newDevice, products }) => {
  const [first] = products as [string];
  const [person, phone] = await buyer(newDevice, [first]);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await chooseCard(page, /late, and paid/);
  await placeButton(page).click();
  // The page receives the result without a reload.
  await expect(page.getByText('Your payment is being confirmed.')).toBeVisible();
  await expect(page.getByText('Paid. Nothing will be sent')).toBeVisible({ timeout: 20_000 });
  await expect(placedHeading(page)).toBeVisible();
  const [order] = await ordersOf(phone);
  expect(
    order!.steps.filter(({ name }) => name === 'PaymentCaptured'),
    'charged once',
  ).toHaveLength(1);
  await phone.expectCart({});
});

test('a line that was removed before signing in does not come back with the merge, nor after check-out', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const [first, second, third] = products as [string, string, string];
  const [person, phone] = await buyer(newDevice, [third]);
  const page = await newBrowser(gateways[1]);
  await addToCart(page, first);
  await addToCart(page, second);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(2);
  const title = (await lines(page).first().getAttribute('aria-label'))!;
  await page.getByRole('button', { name: `Remove ${title}` }).click();
  await expect(lines(page)).toHaveCount(1);
  await signIn(page, person);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(2);
  await expect(page.getByRole('listitem', { name: title })).toHaveCount(0);
  await page.getByRole('link', { name: 'Check out' }).click();
  await placeButton(page).click();
  await expect(placedHeading(page)).toBeVisible();
  await phone.expectCart({});
  await page.goto('/cart');
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
});

test('the second person at a shared computer sees neither cart nor orders of the first', async ({ newBrowser, newDevice, products }) => {
  const [first, second] = products as [string, string];
  const [person, phone] = await buyer(newDevice, [first]);
  const next = newPerson();
  await (await newDevice()).register(next);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await placeButton(page).click();
  await expect(placedHeading(page)).toBeVisible();
  const theirs = page.url();
  // The person who leaves still has a product in the cart.
  await phone.add(second);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
  await page.goto('/account');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' })).toBeVisible();
  await signIn(page, next);
  await page.goto('/orders');
  await expect(page.getByText('You have not ordered anything yet.')).toBeVisible();
  await page.goto(theirs);
  await expect(page.getByText('There is no such order.')).toBeVisible();
  await page.goto('/cart');
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
  await phone.expectCart({ [second]: 1 });
});
