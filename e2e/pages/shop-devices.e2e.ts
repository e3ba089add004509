import type { Session } from '@cloakroom/contracts/http';
import { refusal, typePassword } from '../kit/account.ts';
import { expect, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

/** Tests do not wait five minutes: the test plays the first refusal. The password, its proof and the second attempt are real. */
test('a refusal for lack of a fresh password (played by the test) asks for it, and then the device is ended', async ({
  newBrowser,
  newDevice,
}) => {
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  const page = await newBrowser(gateways[0]);
  await signIn(page, person);
  await page.goto('/account/devices');
  let refusals = 0;
  await page.route('**/api/session/devices/*', (route) => {
    if (route.request().method() !== 'DELETE' || refusals++ > 0) return route.continue();
    return route.fulfill(refusal);
  });

  const end = page.getByRole('button', { name: /^End session on/ });
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await end.click();
  await expect(dialog.getByLabel('Password')).toBeFocused();
  await dialog.getByLabel('Password').fill('not the password of anyone');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toBeVisible();
  expect(await phone.state(), 'nothing is ended yet').toBe('user');

  await dialog.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
  await expect(page.getByText('That session is ended.')).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('You are signed in nowhere else.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Devices you are signed in on' })).toBeFocused();
  await expect.poll(() => phone.call('GET', '/api/profile').then(({ status }) => status)).toBe(401);
});

test('a person who does not prove the password (asked for by the test) ends no device', async ({ newBrowser, newDevice }) => {
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  const page = await newBrowser(gateways[1]);
  await signIn(page, person);
  await page.goto('/account/devices');
  await page.route('**/api/session/devices/*', (route) => route.fulfill(refusal));
  const end = page.getByRole('button', { name: /^End session on/ });
  await end.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(end).toBeFocused();
  expect(await phone.state()).toBe('user');
});

test('each session says how it is checked, and the 11th sign-in is told that it ended the oldest', async ({ newBrowser, newDevice }) => {
  const person = newPerson();
  const first = await newDevice();
  await first.register(person);
  for (let count = 1; count < 10; count++) expect((await (await newDevice()).signIn(person)).status).toBe(200);
  const page = await newBrowser(gateways[0]);
  await page.goto('/sign-in');
  await page.getByText('Session mode (for study)').click();
  await page.getByLabel(/^JWT \+ denylist/).check();
  await typePassword(page, person);
  await expect(page.getByText(/The one you left alone longest was signed out/)).toBeVisible();
  await expect.poll(() => first.state()).toBe('none');
  await page.goto('/account/devices');
  const here = page.getByRole('listitem', { name: /this device$/ });
  await expect(here).toContainText('JWT + denylist');
  await expect(page.getByRole('list', { name: 'Devices you are signed in on' }).getByRole('listitem')).toHaveCount(10);
  await expect(page.getByText(/You were signed in on too many devices/)).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Session bar' })).toContainText('jwt-denylist');
  await page.getByRole('button', { name: 'End all others' }).click();
  await expect(page.getByText('You are signed in nowhere else.')).toBeVisible();
});

test('a shop on this machine offers all four modes at the sign-in, and marks the one that outlives its end', async ({
  newBrowser,
  newDevice,
}) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const page = await newBrowser(gateways[0]);
  await page.goto('/sign-in');
  await page.getByText('Session mode (for study)').click();
  const choice = page.getByRole('group', { name: /^How the shop shall check this session/ });
  await expect(choice.getByRole('radio')).toHaveCount(4);
  await expect(choice.getByRole('radio', { checked: true })).toHaveAccessibleName(/^Hybrid \(usual\)/);
  const marked = choice.getByRole('radio', { name: /Outlives its end/ });
  await expect(marked).toHaveCount(1);
  await expect(marked).toHaveAccessibleName(/^JWT .*up to 5 minutes.*thief who signs in as you/);
  await marked.check();
  await typePassword(page, person);
  await expect(page.getByRole('link', { name: /^Account of/ })).toBeVisible();
  const { mode } = (await (await page.request.get('/api/session')).json()) as Session;
  expect(mode).toBe('jwt');
  await expect(page.getByRole('complementary', { name: 'Session bar' })).toContainText('jwt');
});
