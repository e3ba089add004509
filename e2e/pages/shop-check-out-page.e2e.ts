/**
 * The messages and choices of the check-out page when another event interferes. They are the same on
 * every provider, so one provider is enough.
 */
import type { OrderPreview } from '@cloakroom/contracts/http';
import type { Route } from '@playwright/test';
import { refuseOnce } from '../kit/account.ts';
import { drawer, expect, test } from '../kit/browser.ts';
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
import { newPerson } from '../kit/device.ts';
import { tabTo } from '../kit/keyboard.ts';
import { gateways } from '../kit/stack.ts';

const total = 'total';

test('the page asks before a person pays a total other than the one it showed', async ({ newBrowser, newDevice, products }) => {
  const [person, phone] = await buyer(newDevice, [products[0]!]);
  const page = await newBrowser(gateways[0]);
  // The page is shown an older, lower price, as if the price had gone up since. The refusal and the new total come from the shop itself.
  let shown = 0;
  await page.route('**/api/orders/preview', async (route) => {
    const answer = await route.fetch();
    const preview = (await answer.json()) as OrderPreview;
    await route.fulfill({ response: answer, json: { ...preview, total: preview.total - (shown++ === 0 ? 500 : 0) } });
  });
  await openCheckOut(page, gateways[0], person);
  const before = (await page.getByTestId(total).textContent())!;
  const sent = watchPlacing(page);
  await placeButton(page).click();
  const asked = summary(page).getByRole('alert');
  await expect(asked).toContainText(`It was ${before}, it is`);
  await expect(asked).toBeFocused();
  expect(await ordersOf(phone), 'nothing is ordered unasked').toEqual([]);
  const now = (await page.getByTestId(total).textContent())!;
  expect(now).not.toBe(before);
  await asked.getByRole('button', { name: `Pay ${now} instead` }).click();
  await expect(placedHeading(page)).toBeVisible();
  await expect(page.getByTestId(total)).toHaveText(now);
  expect(new Set(sent.map(({ key }) => key)).size, 'another wish has another key').toBe(2);
  expect(await ordersOf(phone)).toHaveLength(1);
});

test('a reload after a lost answer asks for the same order, and one order exists', async ({ newBrowser, newDevice, products }) => {
  const [person, phone] = await buyer(newDevice, [products[1]!]);
  const page = await newBrowser(gateways[1]);
  await openCheckOut(page, gateways[1], person);
  const sent = watchPlacing(page);
  // The shop takes the order, and its answer never arrives.
  const lost = async (route: Route): Promise<void> => {
    await route.fetch();
    // The reload may have ended this request already.
    await route.abort().catch(() => undefined);
  };
  await page.route('**/api/orders', lost);
  await placeButton(page).click();
  await expect(page.getByText('We are finding out whether your order was taken')).toBeVisible();
  await expect(page.getByRole('group', { name: 'Pay with' }).getByRole('radio').first(), 'it cannot be changed now').toBeDisabled();
  // Answers arrive only after the reload. An answer just before it would have ended the wish, and this would be another case.
  await page.reload();
  await page.unrouteAll({ behavior: 'wait' });
  await expect(placedHeading(page)).toBeVisible();
  expect(sent.length).toBeGreaterThan(1);
  expect(new Set(sent.map(({ key, body }) => key + JSON.stringify(body))).size, 'one key, one body').toBe(1);
  expect(await ordersOf(phone)).toHaveLength(1);
  // The wish is finished: the next visit begins a new one.
  await page.goto('/checkout');
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
});

test('a line that the other device removes is reported and not ordered', async ({ newBrowser, newDevice, products }) => {
  const [first, second] = products as [string, string];
  const [person, phone] = await buyer(newDevice, [first, second]);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await expect(orderLines(page)).toHaveCount(2);
  const line = (await phone.cart()).lines.find(({ productId }) => productId === first)!;
  const { commandId } = await phone.addition(first, 1);
  expect((await phone.call('DELETE', `/api/cart/lines/${line.lineId}`, { commandId, seen: line.seen })).status).toBe(202);
  await expect(summary(page).getByRole('alert')).toContainText('was removed.');
  await expect(orderLines(page)).toHaveCount(1);
  await placeButton(page).click();
  await expect(placedHeading(page)).toBeVisible();
  const [order] = await ordersOf(phone);
  expect(order!.lines.map(({ productId }) => productId)).toEqual([second]);
});

test('coupons are judged as they are added, and removing the one that counts brings the price back', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const [person] = await buyer(newDevice, [products[0]!]);
  const page = await newBrowser(gateways[1]);
  await openCheckOut(page, gateways[1], person);
  const full = (await page.getByTestId(total).textContent())!;
  await page.goto('/cart');
  const field = page.getByRole('textbox', { name: 'Coupon' });
  const coupon = (code: string) => page.getByRole('list', { name: 'Coupons' }).getByRole('listitem', { name: code });
  for (const code of ['welcome10', 'SUMMER20', 'NOSUCH']) {
    await field.fill(code);
    await page.keyboard.press('Enter');
    await expect(coupon(code.toUpperCase())).toBeVisible();
  }
  await expect(coupon('WELCOME10')).toContainText('−');
  await expect(coupon('SUMMER20')).toContainText('Expired.');
  await expect(coupon('NOSUCH')).toContainText('There is no such coupon.');
  await page.getByRole('link', { name: 'Check out' }).click();
  await expect(page.getByTestId(total)).not.toHaveText(full);
  await page.getByRole('button', { name: 'Remove coupon WELCOME10' }).click();
  await expect(page.getByTestId(total)).toHaveText(full);
  await expect(field).toBeFocused();
});

test('the check-out page can reduce a quantity to the stock that is left', async ({ newBrowser, newDevice }) => {
  const device = await newDevice();
  const { body } = await device.call('GET', '/api/products?pageSize=100');
  const few = (body.items as { productId: string; stock: number }[]).find(({ stock }) => stock > 0 && stock < 40)!;
  const [person, phone] = await buyer(newDevice, [few.productId]);
  await phone.add(few.productId, few.stock);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await expect(page.getByText(`Only ${few.stock} in stock.`)).toBeVisible();
  await expect(placeButton(page)).toBeDisabled();
  await page.getByRole('button', { name: `Take ${few.stock}` }).click();
  await expect(orderLines(page).first()).toHaveAttribute('aria-label', new RegExp(`^${few.stock} × `));
  await expect(page.getByText('in stock.')).toHaveCount(0);
  await expect(placeButton(page)).toBeEnabled();
});

test('a person gets from the cart to the order by keyboard alone, with a new address and a fresh proof', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const page = await newBrowser(gateways[1]);
  await page.goto(`/sign-in?next=/products/${products[2]}`);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Add to cart' }));
  await page.keyboard.press('Enter');
  await tabTo(page, drawer(page).getByRole('link', { name: 'Check out' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Check out' })).toBeFocused();

  await expect(page.getByLabel('Recipient')).toBeVisible();
  await tabTo(page, page.getByLabel('Recipient'));
  for (const [label, text] of [
    ['Recipient', 'Robin Example'],
    ['Street and number', 'Cloak Street 1'],
    ['Postal code', '10115'],
    ['City', 'Berlin'],
  ] as const) {
    const field = page.getByLabel(label);
    if (!(await field.evaluate((element) => element === document.activeElement))) await tabTo(page, field);
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('radio', { name: /Cloak Street 1/ }), 'after Save').toBeFocused();
  await tabTo(page, page.getByRole('radio', { name: /that pays/ }));
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: /is declined/ })).toBeChecked();
  await page.keyboard.press('ArrowUp');
  await tabTo(page, placeButton(page));
  // Tests do not wait five minutes for the proof to become old: the test itself plays the first refusal.
  await refuseOnce(page, '**/api/orders', 'POST');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Confirm that it is you' }).getByLabel('Password')).toBeFocused();
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expect(placedHeading(page)).toBeFocused();
});

test('a person who cancels the identity check has ordered nothing, and may go on', async ({ newBrowser, newDevice, products }) => {
  const [person, phone] = await buyer(newDevice, [products[3]!]);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  await refuseOnce(page, '**/api/orders', 'POST');
  await placeButton(page).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(summary(page).getByRole('alert')).toContainText('Nothing was ordered');
  expect(await ordersOf(phone)).toEqual([]);
  await chooseCard(page, /reports twice/);
  await placeButton(page).click();
  await expect(placedHeading(page)).toBeVisible();
});
