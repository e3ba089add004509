/** The tests do not use the mouse: a person can reach and recognise by keys alone everything that shopping needs. */
import type { Page } from '@playwright/test';
import { drawer, expect, lines, searchField, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { tabTo } from '../kit/keyboard.ts';
import { gateways } from '../kit/stack.ts';

/** The focused element shows that it has the focus. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
  expect(outline).not.toBe('none');
}

test('a person gets from the home page to the cart and the account by keyboard alone', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');

  await expect(page.getByRole('list', { name: 'New in' }).getByRole('link').first()).toBeVisible();
  await tabTo(page, page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: 'Bags' }), 'Shift+Tab');
  await expectVisibleFocus(page);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Bags' })).toBeFocused();

  const product = page.getByRole('list', { name: 'Products' }).getByRole('link').filter({ hasNotText: 'Sold out' }).first();
  await expect(product).toBeVisible();
  await tabTo(page, product);
  await expectVisibleFocus(page);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Add to cart' })).toBeVisible();

  await tabTo(page, page.getByLabel('Quantity'));
  await page.keyboard.press('ArrowUp');
  await tabTo(page, page.getByRole('button', { name: 'Add to cart' }));
  await expectVisibleFocus(page);
  await page.keyboard.press('Enter');
  await expect(drawer(page)).toBeVisible();
  await expect(drawer(page).getByLabel('Quantity', { exact: true })).toHaveText('2');
  await tabTo(page, drawer(page).getByRole('link', { name: 'View cart' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Your cart' })).toBeFocused();

  await tabTo(page, page.getByRole('button', { name: 'One more' }));
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Quantity', { exact: true })).toHaveText('3');
  await tabTo(page, lines(page).getByRole('button', { name: /^Remove/ }));
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your cart is empty.')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(page.getByLabel('Quantity', { exact: true })).toHaveText('3');
});

test('a person makes an account and adds an address by keyboard alone, and never loses the focus', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[1]);
  const person = newPerson();
  await page.goto('/sign-up');
  await expect(page.getByRole('heading', { level: 1, name: 'Create an account' })).toBeVisible();
  await tabTo(page, page.getByLabel('Name'));
  await page.keyboard.type(person.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(person.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Hang it here' })).toBeFocused();
  await tabTo(page, page.getByRole('link', { name: /^Account of/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: `Hello, ${person.name}` })).toBeFocused();
  await tabTo(page, page.getByRole('link', { name: 'Addresses' }));
  await page.keyboard.press('Enter');

  const add = page.getByRole('button', { name: 'Add an address' });
  await expect(add).toBeVisible();
  await tabTo(page, add);
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Recipient')).toBeFocused();
  await tabTo(page, page.getByRole('button', { name: 'Cancel' }));
  await page.keyboard.press('Enter');
  await expect(add, 'after Cancel').toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Robin Example');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Cloak Street 1');
  await tabTo(page, page.getByLabel('Postal code'));
  await page.keyboard.type('10115');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Berlin');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Edit address of Robin Example, Berlin' }), 'after Save').toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Addresses' }), 'after Remove').toBeFocused();
});

test('arrows move through the search, Escape leaves it, and it never traps the keyboard', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/products');
  await expect(searchField(page)).toBeVisible();
  await tabTo(page, searchField(page));
  await page.keyboard.type('bag');
  await expect(page.getByRole('listbox')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('listbox')).toHaveCount(0);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(searchField(page)).not.toBeFocused();
});
