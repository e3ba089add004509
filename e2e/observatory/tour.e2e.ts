/**
 * The guided tour of docs/tour.md, walked to its end, with what each step says that one sees. No step is ticked off by a click on the tour: each tick
 * is what the Observatory saw happen.
 */
import type { Page } from '@playwright/test';
import { addToCart, lines, signIn } from '../kit/browser.ts';
import type { Person } from '../kit/device.ts';
import { e2eProvider } from '../kit/stack.ts';
import { expect, list, openObservatory, type Stage, test } from './stage.ts';

/** Spans come a second after their end, from every process. A starved machine takes many times as long. */
const seen = { timeout: 120_000 };
test.describe.configure({ timeout: 900_000 });

const openView = (observatory: Page, name: string) =>
  observatory.getByRole('navigation', { name: 'Views' }).getByRole('link', { name, exact: true }).click();
const step = (observatory: Page, words: string) => observatory.getByRole('listitem').filter({ hasText: words });
const sessionBar = (shop: Page) => shop.getByRole('complementary', { name: 'Session bar' });

/** @param count of all steps: no other one was ticked off before it happened */
async function expectTicked(observatory: Page, title: string, count: number): Promise<void> {
  await observatory.bringToFront();
  await openView(observatory, 'Tour');
  await expect(step(observatory, `${title}, seen`)).toBeVisible(seen);
  await expect(observatory.getByText(`${count} of 7 seen.`)).toBeVisible();
}

/** The tour listens for faults in every view. The request that is to meet this one begins after it has heard of it. */
async function switchOn(observatory: Page, title: string, name: string, method?: string): Promise<void> {
  await observatory.bringToFront();
  await openView(observatory, 'Faults');
  await observatory.locator('summary').filter({ hasText: title }).click();
  const press = observatory.getByRole('button', { name: /^Switch on/ });
  const form = observatory.getByRole('listitem').filter({ has: press });
  if (method !== undefined) await form.getByLabel('Method').selectOption(method);
  await form.getByLabel('Ends by itself after').selectOption('10 minutes');
  await press.click();
  await expect(observatory.getByRole('button', { name: `End ${name}` })).toBeVisible(seen);
  // Here nothing but the tour reads the list. The first answer may still be that of the view before.
  await openView(observatory, 'Tour');
  for (let count = 0; count < 2; count++)
    await observatory.waitForResponse(async (answer) => {
      if (new URL(answer.url()).pathname !== '/api/faults') return false;
      return ((await answer.json()) as { on: { name: string }[] }).on.some((one) => one.name === name);
    }, seen);
}

async function endIt(observatory: Page, name: string): Promise<void> {
  await observatory.bringToFront();
  await openView(observatory, 'Faults');
  await observatory.getByRole('button', { name: `End ${name}` }).click();
  await expect(observatory.getByRole('button', { name: `End ${name}` })).toHaveCount(0);
}

async function pressAdd(shop: Page, productId: string): Promise<void> {
  await shop.bringToFront();
  await shop.goto(`/products/${productId}`);
  await shop.getByRole('button', { name: 'Add to cart' }).click();
}

async function signInByJwt(page: Page, { email, password }: Person): Promise<void> {
  await page.goto('/sign-in');
  await page.getByText('Session mode (for study)').click();
  await page.getByRole('radio', { name: /^JWT .*Outlives its end/ }).check();
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(sessionBar(page)).toContainText('jwt', seen);
}

/** Where the machine is busy, auth may answer too late. The page then says that one may try again. */
async function endAllOthers(shop: Page): Promise<void> {
  const press = shop.getByRole('button', { name: 'End all others' });
  const ended = shop.getByText('You are signed in nowhere else.');
  await shop.bringToFront();
  await expect(async () => {
    await shop.goto('/account/devices');
    await expect(press.or(ended)).toBeVisible();
    if (await press.isVisible()) await press.click();
    await expect(ended).toBeVisible();
  }).toPass(seen);
}

/** Before the other steps: later the shop would ask for the password once more. */
async function endADevice(shop: Page, otherWindow: Page, observatory: Page, person: Person): Promise<void> {
  await endAllOthers(shop);
  await otherWindow.bringToFront();
  await expect(otherWindow.getByText(/^You were signed out\. Your session has ended/)).toBeVisible(seen);
  await observatory.bringToFront();
  await openView(observatory, 'Session');
  await observatory
    .getByRole('navigation', { name: 'Sessions' })
    .getByRole('link', { name: /ended$/ })
    .first()
    .click(seen);
  await expect(observatory.getByRole('region', { name: /^It ended at/ })).toBeVisible(seen);
  await expect(observatory.getByRole('region', { name: 'Who may believe a copy now' }).getByRole('listitem').first()).toBeVisible(seen);

  await otherWindow.bringToFront();
  await signInByJwt(otherWindow, person);
  await otherWindow.goto('/cart');
  await expect(lines(otherWindow)).toHaveCount(1, seen);
  await endAllOthers(shop);
  await otherWindow.bringToFront();
  await otherWindow.reload();
  await expect(lines(otherWindow), 'a self-contained token outlives its end').toHaveCount(1, seen);
  await expect(sessionBar(otherWindow)).toContainText('verified here', seen);
  await otherWindow.goto('/account/devices');
  await expect(otherWindow.getByText('Your session has ended. Sign in again.')).toBeVisible(seen);
}

async function loseAnAnswer(shop: Page, otherWindow: Page, observatory: Page): Promise<void> {
  await switchOn(observatory, 'An answer is lost', 'rpc-answer-lost', 'CartService/AddItem');
  await pressAdd(shop, 'roll-top-backpack');
  await expect(shop.getByText(/^Not sure yet about adding 1 × .* it counts once\.$/).first()).toBeVisible(seen);
  await addToCart(otherWindow, 'road-runners');
  await expectTicked(observatory, 'An answer is lost, for you alone', 5);
  await openView(observatory, 'Requests');
  await expect(
    list(observatory).getByRole('link').filter({ hasText: 'POST /api/cart/lines' }).filter({ hasText: '503' }).nth(1),
  ).toBeVisible(seen);
  await endIt(observatory, 'rpc-answer-lost');
  await shop.bringToFront();
  await shop.goto('/cart');
  await expect(lines(shop), 'it counts').toHaveCount(2, seen);
}

async function holdTheView(shop: Page, observatory: Page): Promise<void> {
  await switchOn(observatory, 'The projector stands still', 'projector-held');
  await pressAdd(shop, 'silk-scarf');
  await shop.goto('/cart');
  await expect(shop.getByText(/^Showing an older state/).first()).toBeVisible(seen);
  await expect(sessionBar(shop)).toContainText('behind by', seen);
  await expectTicked(observatory, 'The view stands still, for everybody', 6);
  await endIt(observatory, 'projector-held');
  await shop.bringToFront();
  await expect(lines(shop), 'the line appears by itself').toHaveCount(3, seen);
}

/** On embedded one process is the whole shop. */
async function killOne(shop: Page, observatory: Page, { stack }: Stage): Promise<void> {
  const name = e2eProvider === 'embedded' ? 'cloakroom' : 'auth';
  const victim = stack.process(name);
  const before = victim.pid()!;
  await observatory.bringToFront();
  await openView(observatory, 'Map');
  const card = observatory.locator(`li[data-node="${name}"]`);
  await card.getByText('Do something to it').click();
  await card.getByRole('button', { name: `Kill ${name}` }).click();
  await victim.waitUntilReplaced(before);
  await expectTicked(observatory, 'Kill something', 7);
  await shop.bringToFront();
  await shop.goto('/cart');
  await expect(lines(shop), 'nothing is lost').toHaveCount(3, seen);
  await expect(shop.getByRole('link', { name: /^Account of/ })).toBeVisible(seen);
}

test('each step is ticked off when it happened, and shows what the tour says', async ({ stage, newContext, person }) => {
  const [laptop, phone] = [await newContext(stage.shop[0]), await newContext(stage.shop[1])];
  const { page: observatory, complaints } = await openObservatory(laptop, stage, '/tour');
  await expect(observatory.getByText('0 of 7 seen.')).toBeVisible();
  const shop = await laptop.newPage();
  await addToCart(shop, 'road-runners');
  await expectTicked(observatory, 'One request', 1);
  await openView(observatory, 'Requests');
  // The page reads the cart after each addition. That is no look at the cart.
  await expect(list(observatory).getByRole('link').filter({ hasText: 'GET /api/cart' }).first()).toBeVisible(seen);
  await openView(observatory, 'Tour');
  await expect(step(observatory, 'Who decided who you are, not seen yet')).toBeVisible();

  await shop.goto('/cart');
  // A gateway whose lease lapsed for a moment, on a busy machine, asks auth. That is no hit.
  await expect(async () => {
    await shop.bringToFront();
    await shop.reload();
    await expect(lines(shop)).toHaveCount(1);
    await observatory.bringToFront();
    await expect(step(observatory, 'Who decided who you are, seen')).toBeVisible();
  }).toPass(seen);
  await expectTicked(observatory, 'Who decided who you are', 2);

  const otherWindow = await phone.newPage();
  await signIn(otherWindow, person);
  await otherWindow.goto('/cart');
  await shop.bringToFront();
  await signIn(shop, person);
  await otherWindow.bringToFront();
  await expect(lines(otherWindow)).toHaveCount(1, seen);
  await expectTicked(observatory, 'Why the other window changed', 3);

  await endADevice(shop, otherWindow, observatory, person);
  await expectTicked(observatory, 'End a device', 4);
  await signIn(otherWindow, person);
  await loseAnAnswer(shop, otherWindow, observatory);
  await holdTheView(shop, observatory);
  await killOne(shop, observatory, stage);
  await observatory.bringToFront();
  await expect(observatory.getByText('That was the tour.')).toBeVisible();
  expect(complaints).toEqual([]);
});
