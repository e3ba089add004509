/** A page's messages and actions while a write may or may not have been taken. The answers are lost on their way back to the page. */
import type { Page } from '@playwright/test';
import { addToCart, expect, lines, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

const problem = (code: string) => ({
  status: 503,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: 'A part of the shop is not available. Try again in a moment.', status: 503, code }),
});

interface Losing {
  /** The command ids that the page sent, one for each request. */
  readonly ids: string[];
  /** From this call on answers arrive. */
  readonly heal: () => Promise<void>;
}

/** The first command is taken and its answer is lost. From then on the shop is away. */
async function loseAnswers(page: Page): Promise<Losing> {
  const ids: string[] = [];
  const pattern = '**/api/cart/lines';
  let losses = 0;
  await page.route(pattern, async (route) => {
    const isFirst = losses++ === 0;
    if (isFirst) await route.fetch();
    await route.fulfill(problem(isFirst ? 'outcome_unknown' : 'unavailable'));
  });
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/cart/lines'))
      ids.push((request.postDataJSON() as { commandId: string }).commandId);
  });
  return { ids, heal: () => page.unroute(pattern) };
}

const unsure = (page: Page) => page.getByText(/^Not sure yet about adding 1 × .*\. Still asking; it counts once\.$/);

async function pressAdd(page: Page, productId: string): Promise<void> {
  await page.goto(`/products/${productId}`);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(unsure(page)).toBeVisible();
}

async function signOut(page: Page): Promise<void> {
  await page.goto('/account');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('link', { name: 'Sign in' }).first()).toBeVisible();
}

test('an add that may have been taken is reported as unknown, repeated after a reload under its id, and counts once', async ({
  newBrowser,
  products,
}) => {
  const page = await newBrowser(gateways[0]);
  await addToCart(page, products[1]!);
  const { ids, heal } = await loseAnswers(page);
  await pressAdd(page, products[0]!);
  await expect(page.getByRole('button', { name: 'Not sure yet' })).toHaveAttribute('aria-disabled', 'true');
  await page.getByRole('button', { name: 'Not sure yet' }).click({ force: true });
  await page.goto('/cart');
  await expect(unsure(page)).toBeVisible();
  await expect(page.getByText(/try again/i)).toHaveCount(0);
  await page.reload();
  await expect(unsure(page)).toBeVisible();
  await heal();
  await expect(page.getByText(/^Done after all: adding 1 × /)).toBeVisible();
  await expect(unsure(page)).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Cart, 2 items' })).toBeVisible();
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids).size, 'one id').toBe(1);
});

test('the session bar and the heading of the cart page have the same word for the cart, whatever its state', async ({
  newBrowser,
  products,
}) => {
  const page = await newBrowser(gateways[0]);
  await addToCart(page, products[1]!);
  const heading = page.getByTitle('Whether all that you wrote or were shown is in view');
  const bar = page.getByRole('complementary', { name: 'Session bar' }).getByRole('definition').filter({ hasText: /./ }).last();
  const bothSay = async (word: string) => {
    await expect(heading).toHaveText(word);
    await expect(bar).toHaveText(word);
    expect(await heading.getAttribute('data-tone')).toBe(await bar.getAttribute('data-tone'));
  };
  let told: object = {};
  await page.route('**/api/cart', async (route) => {
    if (route.request().method() !== 'GET') return route.fallback();
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), ...told } });
  });
  const states: readonly (readonly [word: string, answer: object])[] = [
    ['converged', {}],
    ['merging', { stale: true, behind: 1, merge: { state: 'pending', from: 'g_1' } }],
    ['behind by 2', { stale: true, behind: 2 }],
    ['behind eu by 3', { stale: true, behind: 0, behindRegions: [{ region: 'eu', records: 3 }] }],
    ['incomplete', { incomplete: true }],
  ];
  for (const [word, answer] of states) {
    told = answer;
    await page.goto('/cart');
    await bothSay(word);
  }
  const { heal } = await loseAnswers(page);
  await pressAdd(page, products[0]!);
  for (const [, answer] of states) {
    told = answer;
    await page.goto('/cart');
    await expect(lines(page).first()).toBeVisible();
    await bothSay('not sure yet');
  }
  told = {};
  await heal();
  await bothSay('converged');
});

test('an uncertain command of a guest is repeated as the person who signs up, and as no other person', async ({ newBrowser, products }) => {
  const [ada, eve] = [newPerson(), newPerson()];
  const page = await newBrowser(gateways[0]);
  await addToCart(page, products[1]!);
  // The shop took it as the guest's add, and the page never heard. So the repeat by Ada is in her cart already, and counts once.
  const { ids, heal } = await loseAnswers(page);
  await pressAdd(page, products[0]!);
  await signUp(page, ada);
  await page.goto('/cart');
  await expect(lines(page), 'the guest cart has come along').toHaveCount(2);
  await expect(unsure(page)).toBeVisible();

  await signOut(page);
  await expect(page.getByText(/^1 change of your cart is not confirmed yet/)).toBeVisible();
  const sent = ids.length;
  await signUp(page, eve);
  await heal();
  await addToCart(page, products[2]!);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(1);
  await expect(unsure(page)).toHaveCount(0);
  expect(new Set(ids.slice(sent)).has(ids[0]!), "Ada's is not sent as Eve").toBe(false);

  await signOut(page);
  await signIn(page, ada);
  await expect.poll(() => ids.at(-1), { message: 'asked for as Ada, under its first id', timeout: 30_000 }).toBe(ids[0]);
  await expect(unsure(page)).toHaveCount(0);
  await page.goto('/cart');
  await expect(lines(page)).toHaveCount(2);
  await expect(page.getByRole('link', { name: 'Cart, 2 items' }), 'it counts once').toBeVisible();
});

async function signUp(page: Page, person: { name: string; email: string; password: string }): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill(person.name);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole('main').getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByRole('link', { name: /^Account of/ })).toBeVisible();
}

test('a page that saves says when it is not sure, repeats what is safe, and explains what pressing again does', async ({ newBrowser }) => {
  const person = newPerson();
  const page = await newBrowser(gateways[1]);
  await page.route('**/api/session/register', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.goto('/sign-up');
  await page.getByLabel('Name').fill(person.name);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole('main').getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByRole('alert')).toContainText('Not sure yet whether your account was made.');
  await page.unrouteAll({ behavior: 'wait' });
  await page.getByRole('main').getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByRole('alert')).toContainText('An account with this e-mail exists');

  await signIn(page, person);
  await page.goto('/account');
  let tries = 0;
  await page.route('**/api/profile', async (route) => {
    if (route.request().method() !== 'PATCH' || ++tries > 2) return route.continue();
    return route.abort();
  });
  await page.getByLabel('Name').fill('Grace Brewster Hopper');
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(page.getByText('Not sure yet whether your change was taken. Still asking; it counts once.')).toBeVisible();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Account of Grace Brewster Hopper' })).toBeVisible();
  expect(tries).toBe(3);
});
