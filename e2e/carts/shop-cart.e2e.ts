import { addToCart, drawer, expect, lines, test } from '../kit/browser.ts';
import type { Device } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

interface Choosable {
  readonly productId: string;
  readonly name: string;
  readonly stock: number;
  readonly options: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** A product with two options of at least two values, and two pieces of it: other tests buy from the same stock. */
async function productWithOptions(device: Device): Promise<Choosable> {
  const { body } = await device.call('GET', '/api/products?pageSize=100');
  return (body.items as Choosable[]).find(
    ({ options, stock }) => stock > 1 && options.filter(({ values }) => values.length > 1).length > 1,
  )!;
}

test('the cart line shows the chosen options, and the drawer gives the focus back', async ({ newBrowser, newDevice }) => {
  const product = await productWithOptions(await newDevice());
  const page = await newBrowser(gateways[0]);
  await page.goto(`/products/${product.productId}`);
  const chosen = product.options.map(({ values }) => values.at(-1)!);
  for (const [index, option] of product.options.entries()) {
    await page
      .getByRole('group', { name: new RegExp(`^${option.name}`) })
      .getByRole('radio', { name: chosen[index]!, exact: true })
      .check();
  }
  await page.getByRole('button', { name: 'One more' }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(drawer(page).getByRole('status').first()).toHaveText(`Added to your cart: 2 × ${[product.name, ...chosen].join(', ')}.`);
  await expect(drawer(page).getByRole('listitem', { name: [product.name, ...chosen].join(', ') })).toBeVisible();
  await expect(drawer(page).getByLabel('Quantity', { exact: true })).toHaveText('2');
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab');
    expect(await drawer(page).evaluate((dialog) => dialog.contains(document.activeElement)), 'the focus stays inside').toBe(true);
  }
  await page.keyboard.press('Escape');
  await expect(drawer(page)).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Add to cart' })).toBeFocused();
  await expect(page.getByRole('button', { name: 'Cart, 2 items' })).toBeVisible();
});

test('a removed line comes back unchanged, by button and by key', async ({ newBrowser, newDevice }) => {
  const product = await productWithOptions(await newDevice());
  const page = await newBrowser(gateways[1]);
  await addToCart(page, product.productId);
  await page.goto('/cart');
  await page.getByRole('button', { name: 'One more' }).click();
  await expect(page.getByTestId('subtotal')).toBeVisible();
  const title = (await lines(page).first().getAttribute('aria-label'))!;
  await expect(page.getByRole('link', { name: 'Cart, 2 items' })).toBeVisible();
  await page.getByRole('button', { name: `Remove ${title}` }).click();
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
  await page.getByRole('region', { name: 'Notifications' }).getByRole('button', { name: 'Undo' }).press('Enter');
  await expect(page.getByRole('listitem', { name: title })).toBeVisible();
  // The button disappeared with its message; the focus must not disappear with it.
  await expect(page.getByRole('main')).toBeFocused();
  await expect(page.getByLabel('Quantity', { exact: true })).toHaveText('2');

  await page.getByRole('button', { name: 'Clear cart' }).click();
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(page.getByRole('listitem', { name: title })).toBeVisible();
  await expect(page.getByLabel('Quantity', { exact: true })).toHaveText('2');
});

test('undo is within reach while the drawer is open', async ({ newBrowser, products }) => {
  const page = await newBrowser(gateways[0]);
  await addToCart(page, products[0]!);
  await drawer(page)
    .getByRole('button', { name: /^Remove/ })
    .click();
  await expect(drawer(page).getByText('Your cart is empty.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(drawer(page).getByRole('list', { name: 'Cart lines' }).getByRole('listitem')).toHaveCount(1);
  // The drawer keeps Tab inside. A message tells people who only use keys about the shortcut.
  await drawer(page)
    .getByRole('button', { name: /^Remove/ })
    .press('Enter');
  await expect(page.getByText('Ctrl Z')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(drawer(page).getByRole('list', { name: 'Cart lines' }).getByRole('listitem')).toHaveCount(1);
});

test('a page that has seen more than the view holds says how far behind the view is, and a new page is not behind', async ({
  newBrowser,
  newDevice,
}) => {
  const product = await productWithOptions(await newDevice());
  const page = await newBrowser(gateways[0]);
  await addToCart(page, product.productId);
  // As if the view had been put back after this answer.
  const aheadBy = 40;
  let changed = '';
  await page.route('**/api/cart', async (route) => {
    const answer = await route.fetch();
    const [, place = '', offset = '0'] = /^(.*:)(\d+)$/.exec(answer.headers()['consistency-token'] ?? '') ?? [];
    changed ||= `${place}${Number(offset) + aheadBy}`;
    await route.fulfill({ response: answer, headers: { ...answer.headers(), 'consistency-token': changed } });
  });
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
  expect(changed).not.toBe('');
  await page.unrouteAll({ behavior: 'wait' });
  const asked = page.waitForRequest((request) => new URL(request.url()).pathname === '/api/cart' && request.method() === 'GET');
  await page.getByRole('button', { name: 'One more' }).click();
  expect((await asked).headers()['consistency-token']).toBe(changed);
  await expect(page.getByText(/^Showing an older state, \d+ events behind\./)).toBeVisible();
  await page.reload();
  await expect(page.getByRole('link', { name: 'Cart, 2 items' })).toBeVisible();
  await expect(page.getByText(/Showing an older state/)).toHaveCount(0);
});
