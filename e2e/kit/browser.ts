/** A person's actions in a browser, by the names that the page shows. Two contexts are two devices. */
import { test as deviceTest, expect, type Person } from './device.ts';
import type { Browser, BrowserContext, Page } from '@playwright/test';

/** `newBrowser(gateway)` adds one more device with a page. A request to any address outside the shop fails the test. */
export const test = deviceTest.extend<{ newBrowser: (gateway: string) => Promise<Page> }>({
  newBrowser: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    const strangers: string[] = [];
    await use(async (gateway) => {
      const context = await newContext(browser, gateway, strangers);
      contexts.push(context);
      return context.newPage();
    });
    // A part that a test plays may be asked while the test ends. Its answer would fail on the closed page, and say nothing about the shop.
    await Promise.all(contexts.flatMap((context) => context.pages()).map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await Promise.all(contexts.map((context) => context.close()));
    expect(strangers, 'the shop asks nobody else').toEqual([]);
  },
});

async function newContext(browser: Browser, baseURL: string, strangers: string[]): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(baseURL).origin) strangers.push(request.url());
  });
  return context;
}

export async function signIn(page: Page, { email, password }: Person): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
  // A person who was signed in before has such a link too.
  await page.waitForURL(({ pathname }) => pathname !== '/sign-in');
  await expect(page.getByRole('link', { name: /^Account of/ })).toBeVisible();
}

export async function addToCart(page: Page, productId: string): Promise<void> {
  await page.goto(`/products/${productId}`);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(
    drawer(page)
      .getByRole('status')
      .getByText(/^Added to your cart/),
  ).toBeVisible();
}

/** A colour that is still fading proves nothing. With reduced motion it fades for 0.01 ms, which on a busy machine may end only frames later. */
export async function goDark(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await untilStill(page);
}

/** Waits until animations have ended: half faded in, a text has another contrast. One that repeats for ever, as of a placeholder, is not waited for. */
export async function untilStill(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((each) => Number.isFinite(each.effect?.getComputedTiming().endTime));
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
}

export const drawer = (page: Page) => page.getByRole('dialog', { name: /^Your cart/ });

/** The field is there at once and becomes a combobox when the suggestions have arrived. */
export const searchField = (page: Page) => page.getByRole('combobox', { name: 'Search products' });

export const lines = (page: Page) => page.getByRole('list', { name: 'Cart lines' }).getByRole('listitem');

export { expect };
