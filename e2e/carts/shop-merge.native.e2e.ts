import { addToCart, expect, lines, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways, whilePaused } from '../kit/stack.ts';

test('the cart page and the session bar say "merging" while the broker is paused, and "converged" with three lines after', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  test.setTimeout(120_000);
  const [first, second, third] = products as [string, string, string];
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  await phone.add(third, 1);
  await phone.expectCart({ [third]: 1 });
  const page = await newBrowser(gateways[0]);
  await addToCart(page, first);
  await addToCart(page, second);
  const bar = page.getByRole('complementary', { name: 'Session bar' });
  const merging = page.getByText(/^Merging your guest cart/);

  await whilePaused('kafka', async () => {
    await signIn(page, person);
    await page.goto('/cart');
    await expect(merging).toBeVisible();
    await expect(bar).toContainText('merging');
    await expect(lines(page), 'the lines are still apart').toHaveCount(1);
  });

  // The page shows it without a reload.
  await expect(lines(page)).toHaveCount(3, { timeout: 40_000 });
  await expect(merging).toHaveCount(0);
  await expect(page.getByText('Your guest cart has been added to this cart.')).toBeVisible();
  await expect(bar).toContainText('converged');
});
