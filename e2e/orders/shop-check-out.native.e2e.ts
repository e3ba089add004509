import { expect, lines, test } from '../kit/browser.ts';
import { buyer, openCheckOut, ordersOf, placeButton, placedHeading, summary, watchPlacing } from '../kit/check-out.ts';
import { gateways, whilePaused } from '../kit/stack.ts';

test('check-out while the broker is silent places no order unnoticed: the page is not sure, and pressing again places one order', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  test.setTimeout(120_000);
  const [first] = products as [string];
  const [person, phone] = await buyer(newDevice, [first]);
  const page = await newBrowser(gateways[0]);
  await openCheckOut(page, gateways[0], person);
  const sent = watchPlacing(page);
  const again = summary(page).getByRole('button', { name: 'Ask again' });
  const unsure = summary(page).getByText('It is not known yet whether your order was taken. Pressing again is safe');
  await whilePaused('kafka', async () => {
    // The cart trusts what it heard last for two seconds; an order in that time is placed.
    await expect.poll(async () => (await phone.cart()).stale, { timeout: 15_000 }).toBe(true);
    await placeButton(page).click();
    // The page asks again by itself before it says that it is not sure.
    await expect(unsure).toBeVisible({ timeout: 45_000 });
    await page.reload();
    await expect(unsure, 'a reload forgets nothing').toBeVisible();
    expect(await ordersOf(phone), 'nothing is placed unsaid').toEqual([]);
  });

  // The broker needs a moment until it is heard again. Until then the button answers as before.
  await expect(async () => {
    if (await again.isVisible()) await again.click({ timeout: 1_000 });
    await expect(placedHeading(page)).toBeVisible({ timeout: 5_000 });
  }).toPass({ timeout: 45_000 });
  expect(sent.length, 'it was asked for again').toBeGreaterThan(1);
  expect(new Set(sent.map(({ key }) => key)).size, 'one wish, one key').toBe(1);
  expect((await ordersOf(phone)).map(({ status }) => status)).toEqual(['placed']);
  await phone.expectCart({}, 40_000);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(0);
});
