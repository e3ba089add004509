/**
 * Every page in both themes: accessibility problems that axe finds, requests that the content policy
 * refuses, and layout shifts while it loads.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { watchCrowd } from '@cloakroom/testing';
import type { Page } from '@playwright/test';
import { addToCart, drawer, expect, goDark, searchField, signIn, test, untilStill } from '../kit/browser.ts';
import { address, chooseCard, placeButton, summary } from '../kit/check-out.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

/** web.dev/cls rates this as good. */
const layoutShiftMax = 0.1;

/** Begins to collect before the first script of each page. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { shift: 0, violations: [] as string[], lcpMs: 0 };
    Object.assign(globalThis, { seen });
    document.addEventListener('securitypolicyviolation', (event) => seen.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
        if (!entry.hadRecentInput) seen.shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.lcpMs = entry.startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
  });
}

interface Seen {
  readonly shift: number;
  readonly violations: readonly string[];
  readonly lcpMs: number;
}

/** All rules in the light theme. In the dark theme only the rules that a theme can break. */
async function expectSound(page: Page, where: string): Promise<void> {
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await untilStill(page);
  await expectNoViolation(axe(page), `axe on ${where}`);
  await goDark(page);
  await expectNoViolation(axe(page).withRules(['color-contrast', 'link-in-text-block']), `contrast in the dark theme on ${where}`);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);
  expect(seen.violations, `the content policy on ${where}`).toEqual([]);
  expect(seen.shift, `layout shift of ${where}`).toBeLessThan(layoutShiftMax);
}

/**
 * Rules that pass are not reported: reporting them takes most of the time. No page has a frame, so the rules run to their end in the page itself. The
 * other mode opens a second page for the results of all frames, which took a third of the time.
 */
function axe(page: Page): AxeBuilder {
  expect(page.frames(), 'this mode looks into no frame of another origin').toHaveLength(1);
  return new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
}

async function expectNoViolation(builder: AxeBuilder, where: string): Promise<void> {
  const { violations } = await builder.analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
    where,
  ).toEqual([]);
}

/** A change that follows a press may move the page, however long its answer took. */
async function forgetShift(page: Page): Promise<void> {
  await page.evaluate(() => void ((globalThis as unknown as { seen: { shift: number } }).seen.shift = 0));
}

/** A scan of a page takes a second or two, and a test has a dozen of them. A crowded machine takes several times as long. */
test.describe.configure({ timeout: 900_000 });

test('every page is sound in both themes, for a visitor', async ({ newBrowser, products }) => {
  const page = await newBrowser(gateways[0]);
  await page.emulateMedia({ colorScheme: 'light' });
  await watch(page);
  const paths = ['/', '/products', '/category/Coats', '/search?query=bag', '/search?query=zzqxv', `/products/${products[0]}`];
  for (const path of [...paths, '/cart', '/sign-in', '/sign-up', '/account', '/nowhere', '/products/no-such-product']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expectSound(page, path);
  }
  await page.goto('/');
  await searchField(page).fill('bag');
  await expect(page.getByRole('option').first()).toBeVisible();
  await expectSound(page, 'the suggestions');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'What is this?' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectSound(page, 'the session bar explained');
});

test('every page is sound in both themes, for a person with a cart', async ({ newBrowser, newDevice, products }) => {
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  await phone.insist('PATCH', '/api/profile', { addresses: [address] });
  const page = await newBrowser(gateways[1]);
  await page.emulateMedia({ colorScheme: 'light' });
  await watch(page);
  await signIn(page, person);
  await addToCart(page, products[0]!);
  await expectSound(page, 'the drawer');
  await drawer(page)
    .getByRole('button', { name: /^Remove/ })
    .click();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  await expectSound(page, 'the offer to undo');
  await addToCart(page, products[1]!);
  for (const path of [
    '/',
    '/cart',
    '/account',
    '/account/addresses',
    '/account/recently-viewed',
    '/account/devices',
    '/account/security',
    '/checkout',
  ]) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expectSound(page, path);
  }
  await chooseCard(page, /is declined/);
  await placeButton(page).click();
  await expect(summary(page).getByRole('alert')).toBeFocused();
  await forgetShift(page);
  await expectSound(page, 'a declined payment');
  await chooseCard(page, /late, and paid/);
  await placeButton(page).click();
  await expect(page.getByRole('list', { name: 'How it went' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('list', { name: 'How it went' })).toBeVisible();
  await expectSound(page, 'an order');
  await page.goto('/orders');
  await expect(page.getByRole('list', { name: 'Orders' }).getByRole('listitem')).toHaveCount(2);
  await expectSound(page, '/orders');
  await page.goto('/account/addresses');
  await page.getByRole('button', { name: 'Add an address' }).click();
  await expectSound(page, 'the address form');
  await page.goto('/account/security');
  await page.getByRole('button', { name: 'Set up two-step sign-in' }).click();
  await expect(page.getByRole('img', { name: /^QR code/ })).toBeVisible();
  await expectSound(page, 'the set-up of two-step sign-in');
  await signIn(page, { email: 'admin@example.com', password: person.password, name: '' });
  await page.goto('/admin');
  await expect(page.getByRole('heading', { name: 'People' })).toBeVisible();
  await expectSound(page, '/admin');
});

test('the largest element of the home page is drawn early', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await watch(page);
  const crowd = watchCrowd();
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  const preloaded = await page.evaluate(() => document.querySelector('link[rel=preload][as=image]')?.getAttribute('href'));
  expect(preloaded).toBe('/hero.svg');
  // web.dev/lcp calls 2.5 s good on a slow phone; this is a local server.
  expect((await page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen)).lcpMs).toBeLessThan(crowd.roomMs(2_500));
});
