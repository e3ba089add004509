import { expect, signIn, test } from './browser.ts';
import { newPerson } from './device.ts';
import { gateways } from './stack.ts';

const refusal = {
  status: 401,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: 'Confirm your password.', status: 401, code: 'step_up_required' }),
};

/** Nobody waits five minutes here: the first refusal is put in by the test. The password, its proof and the second attempt are real. */
test('a refusal for want of a fresh password (played by the test) asks for it, and the device is ended after all', async ({
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

test('who does not prove the password (asked for by the test) ends nothing', async ({ newBrowser, newDevice }) => {
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
