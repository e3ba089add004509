/** The pages of one region, for people whose account, or whose address, is the other region's business. */
import type { Locator } from '@playwright/test';
import { addAuthenticator, section } from '../kit/account.ts';
import { expect, signIn, test } from '../kit/browser.ts';
import { newPersonOf } from '../kit/device.ts';
import { ocean, registerAt } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
test.afterEach(() => ocean({ do: 'heal' }));

test('a passkey that was made in us signs in and steps up at the pages of eu, whose bar says where home is', async ({
  browser,
  newDevice,
}) => {
  const person = await registerAt(await newDevice(), us);
  // One browser that visits both regions, as a person who travels.
  const context = await browser.newContext({ baseURL: us });
  const page = await context.newPage();
  await addAuthenticator(page);
  await signIn(page, person);
  await page.goto('/account/security');
  const passkeys = section(page, 'Passkeys');
  await passkeys.getByLabel('Name of the new passkey').fill('Test key');
  await passkeys.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('I saved them').check();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.goto('/account');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('link', { name: /^Account of/ })).toHaveCount(0);

  await page.goto(`${eu}/sign-in`);
  const door = page.getByRole('button', { name: 'Sign in with a passkey' });
  const bar = page.getByRole('complementary', { name: 'Session bar' });
  // A busy machine may miss the seconds that home has for an answer. Then a person presses again.
  await expect(async () => {
    if (await door.isVisible()) await door.click();
    await expect(bar).toContainText('region eu · home us', { timeout: 10_000 });
  }).toPass({ timeout: 90_000 });
  const stepUp = () =>
    page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch('/api/session/reauthenticate/passkey/options', { method: 'POST', headers, body: '{}' })).status;
    });
  await expect.poll(stepUp, { message: 'home makes the challenge of a step-up', intervals: [500] }).toBe(200);
  await context.close();
});

test('in a cut the pages of sign-in and sign-up name the region that is silent, and say what still works', async ({ newBrowser }) => {
  await ocean({ do: 'cut' });
  const page = await newBrowser(eu);
  const alert = page.getByRole('main').getByRole('alert');
  /** A busy machine may refuse in other words at first. */
  const told = (button: Locator, words: string) =>
    expect(async () => {
      await button.click();
      await expect(alert).toContainText(words, { timeout: 10_000 });
    }).toPass({ timeout: 90_000 });
  const { email, password, name } = newPersonOf('us');
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  const enter = page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true });
  await told(enter, 'the account lives in the region "us", which cannot be reached now');
  await expect(alert).toContainText('everybody may look around and fill a cart');

  await page.goto('/sign-up');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  const create = page.getByRole('main').getByRole('button', { name: 'Create an account' });
  await told(create, 'The region "us" must say whether this e-mail address is free');
  // Another address, which this side decides.
  await page.getByLabel('E-mail').fill(newPersonOf('eu').email);
  await create.click();
  await expect(page.getByRole('complementary', { name: 'Session bar' })).toContainText('region eu');
  await expect(page.getByRole('link', { name: /^Account of/ })).toBeVisible();
});
