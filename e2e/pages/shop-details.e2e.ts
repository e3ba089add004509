/** Small things that a page owes to its users. Each test is one row of a list of findings. */
import { expect, lines, searchField, signIn, test } from '../kit/browser.ts';
import { newPerson, type Device } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';
import { accountLink, signedIn } from '../kit/account.ts';

interface Found {
  readonly productId: string;
  readonly stock: number;
  readonly options: readonly { readonly name: string; readonly values: readonly string[] }[];
}

async function productWhere(device: Device, fits: (product: Found) => boolean): Promise<Found> {
  for (let page = 1; page <= 4; page++) {
    const found = ((await device.call('GET', `/api/products?pageSize=100&page=${page}`)).body.items as Found[]).find(fits);
    if (found) return found;
  }
  throw new Error('no such product');
}

test('a list address without results says so and offers a way on: a page, a category, two prices', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/products?page=999');
  await expect(page.getByText(/^There is no page 999: this list has \d+ pages\.$/)).toBeVisible();
  await page.getByRole('link', { name: 'To the last page' }).click();
  await expect(page.getByRole('list', { name: 'Products' }).getByRole('listitem').first()).toBeVisible();
  await page.goto('/category/Nope');
  await expect(page.getByText('There is no such category.')).toBeVisible();
  await page.goto('/products?from=300&to=100');
  await expect(page.getByText('No price is €300.00 or more and €100.00 or less at once.')).toBeVisible();
  await page.getByRole('button', { name: 'Swap the two prices' }).click();
  await expect(page).toHaveURL(/from=100&to=300/);
  await expect(page.getByRole('list', { name: 'Products' }).getByRole('listitem').first()).toBeVisible();
});

test('"umbre", down and Enter open the umbrella', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/');
  await searchField(page).fill('umbre');
  await expect(page.getByRole('option', { name: /umbrella/i }).first()).toBeVisible();
  await searchField(page).press('ArrowDown');
  await searchField(page).press('Enter');
  await expect(page).toHaveURL(/\/products\/[^?]*umbrella/);
});

test('a cart line above the stock says so, and can take the stock that is left', async ({ newBrowser, newDevice }) => {
  const device = await newDevice();
  const { productId, stock } = await productWhere(device, (product) => product.stock > 2 && product.stock < 30);
  const person = newPerson();
  await device.register(person);
  await device.add(productId, stock + 5);
  const page = await newBrowser(gateways[0]);
  await signIn(page, person);
  await page.goto('/cart');
  await expect(lines(page).first()).toContainText(`Only ${stock} in stock.`);
  await page.getByRole('button', { name: `Take ${stock} of` }).click();
  await expect(lines(page).first()).not.toContainText('in stock');
  await expect(page.getByLabel('Quantity', { exact: true })).toHaveText(String(stock));
  await page.goto(`/products/${productId}`);
  await page.getByRole('spinbutton', { name: 'Quantity' }).fill(String(stock + 1));
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByRole('spinbutton', { name: 'Quantity' }), 'the browser says that it is too many').toBeFocused();
});

test('a product picture stands on the chosen colour', async ({ newBrowser, newDevice }) => {
  const isColour = ({ name }: { readonly name: string }): boolean => /^colou?r$/i.test(name);
  const { productId, options } = await productWhere(await newDevice(), (product) =>
    product.options.some((option) => isColour(option) && option.values.length > 1),
  );
  const page = await newBrowser(gateways[0]);
  await page.goto(`/products/${productId}`);
  const values = options.find(isColour)!.values;
  const picture = page.getByRole('main').locator('.picture.large');
  for (const value of [values.at(-1)!, values[0]!]) {
    await page
      .getByRole('group', { name: /^Colou?r/ })
      .getByRole('radio', { name: value, exact: true })
      .check();
    await expect(picture).toHaveAttribute('data-colour', value);
  }
});

test('a signed-in person is offered no new account, sees a new name at once, and gets postal codes checked by country', async ({
  newBrowser,
  newDevice,
}) => {
  const [page, , device] = await signedIn(newBrowser, newDevice);
  await page.goto('/sign-up');
  await expect(page.getByRole('heading', { level: 1, name: 'You have an account' })).toBeVisible();
  await expect(page.getByText('Create an account')).toHaveCount(0);
  await device.insist('PATCH', '/api/profile', { name: 'Countess Lovelace' });
  const shown: string[] = [];
  await page.exposeFunction('noteName', (name: string) => void shown.push(name));
  await page.addInitScript(() => {
    const look = (): void => {
      const name = document.querySelector('a[href="/account"] .action-text')?.textContent;
      if (name) (globalThis as unknown as { noteName: (text: string) => void }).noteName(name);
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.goto('/account/addresses');
  await expect(accountLink(page)).toHaveAccessibleName('Account of Countess Lovelace');
  expect(new Set(shown), 'never the old name').toEqual(new Set(['Account', 'Countess Lovelace']));

  await page.getByRole('button', { name: 'Add an address' }).click();
  const fields = { Recipient: 'Ada', 'Street and number': 'Weg 1', 'Postal code': 'ABC', City: 'Berlin' };
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value);
  await page.getByRole('button', { name: 'Save address' }).click();
  const fault = () => page.getByLabel('Postal code').evaluate((input: HTMLInputElement) => input.validationMessage);
  expect(await fault()).toBe('A postal code of Germany looks like 10115.');
  await page.getByLabel('Postal code').fill('10115');
  await page.getByRole('button', { name: 'Save address' }).click();
  await expect(page.getByText('Address saved.')).toBeVisible();
});
