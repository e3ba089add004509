import type { PostApiPageSpansBody, Session } from '@cloakroom/contracts/http';
import type { Page } from '@playwright/test';
import { addToCart, drawer, expect, lines, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

const ground = (page: Page): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test('the theme is chosen, applied before anything is drawn, and remembered', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/');
  const light = await ground(page);
  await page.getByRole('button', { name: 'Theme: Like the system' }).click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect.poll(() => ground(page)).not.toBe(light);
  const dark = await ground(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Theme: Dark' })).toBeFocused();

  // The app's own script never arrives. The page that is drawn without it is dark already.
  await page.route('**/assets/*.js', (route) => route.abort());
  await page.reload();
  expect(await ground(page)).toBe(dark);
  await page.unroute('**/assets/*.js');
  await page.reload();
  await page.getByRole('button', { name: 'Theme: Dark' }).press('Enter');
  await expect(page.getByRole('radio', { name: 'Dark' }), 'the arrows work at once').toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: 'Like the system' })).toBeChecked();
  await expect.poll(() => ground(page)).toBe(light);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(() => ground(page)).toBe(dark);
});

test('the session bar shows a cache hit after a second request, the gateway, the budget and the cart', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const page = await newBrowser(gateways[1]);
  await page.goto('/');
  const bar = page.getByRole('complementary', { name: 'Session bar' });
  await expect(bar).toContainText('no session');
  await expect(bar).toContainText('no cart');
  await expect(bar).toContainText('nobody yet');
  await signIn(page, person);
  await expect(bar).toContainText(person.name);
  await addToCart(page, products[0]!);
  await page.goto('/cart');
  await expect(bar).toContainText('gateway-2');
  await page.reload();
  await expect(bar).toContainText(/hybrid\s*cache hit/);
  await expect(bar).toContainText('converged');
  await expect(bar.getByRole('meter')).toHaveAttribute('aria-label', /^[\d.]+ of \d+ ms$/);

  await bar.getByRole('button', { name: 'What is this?' }).click();
  const panel = page.getByRole('dialog', { name: 'What the session bar tells' });
  await expect(panel.getByRole('table', { name: 'Last answers' }).getByRole('row')).not.toHaveCount(1);
  const { cartId, handle } = (await (await page.request.get('/api/session')).json()) as Session;
  await expect(panel).toContainText(`You${person.name}, signed in`);
  await expect(panel).toContainText('Decided byThe gateway knew this session');
  await expect(panel).toContainText(`Session${handle}`);
  await expect(panel).toContainText(`npm run cart -- history ${cartId}`);
  await expect(panel).toContainText(/Last trace\s*[0-9a-f]{32}/);
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await expect(bar.getByRole('button', { name: 'What is this?' })).toBeFocused();

  await bar.getByRole('button', { name: 'Hide the session bar' }).click();
  await expect(bar).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Show the session bar' })).toBeVisible();
  await expect(bar).toHaveCount(0);
  await page.getByRole('button', { name: 'Show the session bar' }).click();
  await expect(bar).toBeVisible();
});

/** Plays the part of a gateway with this Observatory, or with none. */
async function tellOfObservatory(page: Page, observatory: string | undefined): Promise<void> {
  await page.route('**/api/session', async (route) => {
    const answer = await route.fetch();
    const { observatory: _own, ...session } = (await answer.json()) as Session;
    await route.fulfill({ response: answer, json: { ...session, ...(observatory !== undefined && { observatory }) } });
  });
}

/** @returns the spans that the page sends for its Observatory */
async function playObservatory(page: Page): Promise<PostApiPageSpansBody['spans'][number][]> {
  const told: PostApiPageSpansBody['spans'][number][] = [];
  await tellOfObservatory(page, 'http://localhost:4009');
  await page.route('**/api/page-spans', async (route) => {
    told.push(...(route.request().postDataJSON() as PostApiPageSpansBody).spans);
    await route.fulfill({ status: 204 });
  });
  return told;
}

test('beside an Observatory (played by the test) the session bar and its list of answers lead to the same requests there', async ({
  newBrowser,
  products,
}) => {
  const page = await newBrowser(gateways[0]);
  await playObservatory(page);
  const traceIds: string[] = [];
  page.on('response', (response) => {
    const traceId = response.headers()['traceresponse']?.split('-')[1];
    if (traceId !== undefined && response.url().includes('/api/')) traceIds.push(traceId);
  });
  await addToCart(page, products[0]!);
  await page.keyboard.press('Escape');
  await expect(drawer(page)).toHaveCount(0);
  const bar = page.getByRole('complementary', { name: 'Session bar' });
  await expect(bar).toContainText('guest');
  const link = bar.getByRole('link', { name: 'Watch this request in the Observatory' });
  await expect
    .poll(async () => traceIds.map((id) => `http://localhost:4009/requests/${id}`).includes((await link.getAttribute('href'))!))
    .toBe(true);
  await bar.getByRole('button', { name: 'What is this?' }).click();
  const row = page.getByRole('table', { name: 'Last answers' }).getByRole('link', { name: 'POST cart/lines' });
  const watched = /^http:\/\/localhost:4009\/requests\/([0-9a-f]{32})$/.exec((await row.getAttribute('href')) ?? '')?.[1];
  expect(traceIds).toContain(watched);
});

test('beside an Observatory (played by the test) a page tells when a click was answered, and when it showed what another device changed', async ({
  newBrowser,
  newDevice,
  products,
}) => {
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  const page = await newBrowser(gateways[0]);
  const told = await playObservatory(page);
  const sent = new Map<string, string>();
  page.on('request', (request) => {
    const { traceparent } = request.headers();
    if (traceparent !== undefined) sent.set(`${request.method()} ${new URL(request.url()).pathname}`, traceparent);
  });
  const tells = (name: string) => expect.poll(() => told.map((span) => span.name)).toContain(name);
  await signIn(page, person);
  await tells('sign in');
  await addToCart(page, products[0]!);
  await tells('add to cart');
  const added = told.find(({ name }) => name === 'add to cart')!;
  expect(added.traceparent).toBe(sent.get('POST /api/cart/lines'));
  expect(Math.abs(Date.now() - added.startedAtMs)).toBeLessThan(60_000);
  expect(added.durationMs).toBeGreaterThan(0);

  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
  await phone.add(products[1]!, 1);
  await expect(lines(page)).toHaveCount(2);
  await tells('show the changed cart');
  const shown = told.find(({ name }) => name === 'show the changed cart')!;
  expect(shown.traceparent, 'the page continues the trace of the change').toBe(sent.get('GET /api/cart'));
});

test('without an Observatory (played by the test) a page begins no trace, tells no times and links to none', async ({
  newBrowser,
  products,
}) => {
  const page = await newBrowser(gateways[0]);
  await tellOfObservatory(page, undefined);
  const odd: string[] = [];
  page.on('request', (request) => {
    if (request.headers()['traceparent'] !== undefined || request.url().endsWith('/api/page-spans')) odd.push(request.url());
  });
  await addToCart(page, products[0]!);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
  expect(odd).toEqual([]);
  await expect(page.getByRole('link', { name: 'Watch this request in the Observatory' })).toHaveCount(0);
});

test('a sign-up with a common password, or one made from the person’s name, is told to choose another', async ({ newBrowser }) => {
  const page = await newBrowser(gateways[0]);
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill('Robin Example');
  await page.getByLabel('E-mail').fill('robin.weak@example.com');
  for (const password of ['password', '12345678', 'robin2026']) {
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create an account' }).click();
    await expect(page.getByRole('alert')).toContainText('This password is too easy to guess');
  }
  await expect(page).toHaveURL(/sign-up/);
});

test('no page scrolls sideways on a screen of 360 pixels, and the session bar fits', async ({ newBrowser, products }) => {
  const page = await newBrowser(gateways[0]);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/sign-up');
  const person = newPerson();
  await page.getByLabel('Name').fill('Maximiliane Bartholomea Longname');
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByRole('link', { name: /^Account of/ })).toBeVisible();
  await addToCart(page, products[0]!);
  await expectNoSidewaysScroll(page, 'drawer');
  await page.goto('/cart');
  await expect(page.getByRole('complementary', { name: 'Session bar' })).toContainText('converged');
  await expectNoSidewaysScroll(page, '/cart');
  const paths = ['/', '/products', '/category/Bags', '/search?query=zzqxv', `/products/${products[0]}`, '/sign-in', '/sign-up', '/nowhere'];
  const personal = ['/account', '/account/addresses', '/account/recently-viewed', '/account/devices', '/account/security'];
  for (const path of [...paths, ...personal, '/checkout', '/orders']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await expectNoSidewaysScroll(page, path);
  }
  await expect(drawer(page)).toHaveCount(0);
});

async function expectNoSidewaysScroll(page: Page, where: string): Promise<void> {
  const { wide, inBar } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    inBar: [...document.querySelectorAll('.session-bar *')].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length,
  }));
  expect(wide, `${where} is as wide as the screen`).toBeLessThanOrEqual(0);
  expect(inBar, `nothing of the session bar is cut off on ${where}`).toBe(0);
}
