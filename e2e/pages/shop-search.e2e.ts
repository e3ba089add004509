import { expect, searchField, test } from '../kit/browser.ts';
import { gateways } from '../kit/stack.ts';

test('suggestions lead to a product or a category by arrows alone', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/');
  await searchField(page).fill('scar');
  const products = page.getByRole('listbox').getByRole('group', { name: 'Products' }).getByRole('option');
  await expect(products.filter({ hasText: /scarf/i }).first()).toBeVisible();
  const name = (await products.first().getByText(/\w/).first().textContent())!;
  await expect(async () => {
    await searchField(page).press('ArrowDown');
    await expect(products.first()).toHaveAttribute('data-focused', 'true', { timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  await searchField(page).press('Enter');
  await expect(page.getByRole('heading', { level: 1, name })).toBeFocused();
  await expect(page).toHaveURL(/\/products\//);
});

test('a search without results says so and offers ways on', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/');
  await searchField(page).fill('zzqxv');
  await searchField(page).press('Enter');
  await expect(page.getByText('Nothing found for “zzqxv”.')).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Coats' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Coats' })).toBeVisible();
  await expect(page.getByRole('list', { name: 'Products' }).getByRole('listitem').first()).toBeVisible();
});

test('a list that was filtered, sorted and paged comes back by its address', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[1]);
  await page.goto('/products');
  const count = page.getByRole('main').getByRole('status').first();
  await expect(count).toHaveText(/^\d+ products$/);
  const all = await count.textContent();
  await page.getByRole('group', { name: 'Size' }).getByRole('checkbox', { name: /^M / }).check();
  await expect(count).not.toHaveText(all!);
  await page.getByLabel('Sort by').selectOption({ label: 'Price, low to high' });
  await expect(page).toHaveURL(/option=Size%3AM/);
  await expect(page.locator('.results')).toHaveAttribute('aria-busy', 'false');
  const narrowed = await count.textContent();
  const pricesShown = async (): Promise<number[]> =>
    (await page.getByRole('list', { name: 'Products' }).locator('.price').allTextContents()).map((text) =>
      Number(text.replace(/[€,]/g, '')),
    );
  await expect.poll(async () => isAscending(await pricesShown())).toBe(true);
  await page.reload();
  await expect(count).toHaveText(narrowed!);
  expect(isAscending(await pricesShown())).toBe(true);
  await page.getByRole('button', { name: 'Clear all filters' }).click();
  await expect(count).toHaveText(all!);
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(page.getByText('Page 2 of')).toBeVisible();
});

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.length > 1 && numbers.every((number, index) => index === 0 || number >= numbers[index - 1]!);
