/** Makes the pictures of the README from the real shop. It tests nothing and runs only on request. */
import { join } from 'node:path';
import { addToCart, expect, lines, signIn, test } from './kit/browser.ts';
import { newPerson } from './kit/device.ts';
import { gateways } from './kit/stack.ts';
import { hop, hopPanel, list, openObservatory, test as observed } from './observatory/stage.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'images');
const picture = (name: string) => ({ path: join(folder, `${name}.png`), animations: 'disabled' }) as const;

test('pictures', async ({ newBrowser, newDevice, products }) => {
  const person = { ...newPerson(), name: 'Ada Lovelace' };
  const phone = await newDevice();
  await phone.register(person);
  await phone.add(products[2]!, 1);

  const page = await newBrowser(gateways[0]);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto('/');
  await expect(page.getByRole('link', { name: 'Coats', exact: true })).toBeVisible();
  await expect(page.getByRole('main').getByRole('listitem').locator('img').first()).toBeVisible();
  await page.screenshot(picture('home'));
  await addToCart(page, products[0]!);
  await addToCart(page, products[1]!);
  await signIn(page, person);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(3);
  await page.screenshot(picture('cart'));
});

observed('pictures of the Observatory', async ({ stage, newContext, person }) => {
  observed.setTimeout(300_000);
  const laptop = await newContext(stage.shop[0]);
  const phone = await newContext(stage.shop[1]);
  const { page } = await openObservatory(laptop, stage, '/requests');
  await page.setViewportSize({ width: 1280, height: 860 });
  const phonePage = await phone.newPage();
  await signIn(phonePage, person);
  await phonePage.goto('/cart');
  const shop = await laptop.newPage();
  const { items } = (await (await fetch(`${stage.shop[0]}/api/products?pageSize=1`)).json()) as { items: { productId: string }[] };
  await addToCart(shop, items[0]!.productId);
  await signIn(shop, person);
  await expect(lines(phonePage)).toHaveCount(1);
  await page.bringToFront();
  await list(page)
    .getByRole('link', { name: /POST \/api\/session\/login/ })
    .click();
  await expect(hop(page, /.*page.*/, /live event cart/)).toBeAttached();
  await hop(page, /auth/, /AuthService\/Login/).click();
  await expect(hopPanel(page)).toContainText('AuthService/Login');
  await page.screenshot(picture('observatory-request'));
});
