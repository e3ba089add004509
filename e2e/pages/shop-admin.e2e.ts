/** The pages of an administrator: actions on one person, and on everybody. */
import { accountLink, refusal, refuseOnce, section, signedIn } from '../kit/account.ts';
import { expect, signIn, test } from '../kit/browser.ts';
import { gateways } from '../kit/stack.ts';

test('only administrators find people, disable one, whose open page says so, and end every session by typing it', async ({
  newBrowser,
  newDevice,
}) => {
  const [page, person] = await signedIn(newBrowser, newDevice);
  await page.goto('/admin');
  await expect(page.getByRole('heading', { name: 'Nothing hangs on this peg' }), 'there is no such page for others').toBeVisible();
  await page.goto('/account');

  const admin = await newBrowser(gateways[1]);
  await signIn(admin, { email: 'admin@example.com', password: person.password, name: '' });
  await admin.goto('/account');
  // Until the next proof the list is refused, as it is to a session that signed in more than five minutes ago.
  let isProven = false;
  admin.on('response', (answer) => (isProven ||= answer.url().endsWith('/api/session/reauthenticate') && answer.ok()));
  await admin.route('**/api/admin/users?*', (route) => (isProven ? route.continue() : route.fulfill(refusal)));
  await admin.getByRole('link', { name: 'Administration' }).click();
  await expect(admin.getByText('Confirm that it is you to do this.')).toBeVisible();
  await expect(admin.getByRole('dialog'), 'nobody is asked before they want it').toHaveCount(0);
  await admin.getByRole('button', { name: 'Try again' }).click();
  await admin.getByRole('dialog').getByLabel('Password').fill(person.password);
  await admin.keyboard.press('Enter');
  await expect(admin.getByText('The newest accounts.')).toBeVisible();
  const find = async (query: string): Promise<void> => {
    await admin.getByLabel('Part of a name or an e-mail').fill(query);
    await admin.keyboard.press('Enter');
  };
  await find('nobody-is-called-this');
  await expect(admin.getByText(/^Nobody has/)).toBeVisible();
  await find(person.email);
  const line = admin.getByRole('listitem', { name: `${person.name}, ${person.email}` });
  await expect(line).toContainText('2 sessions');
  await refuseOnce(admin, '**/api/admin/users/*/disable', 'POST');
  await line.getByRole('button', { name: /^Disable/ }).click();
  await expect(line.getByRole('group', { name: /^Disable .*\? They are signed out everywhere/ })).toBeFocused();
  await line.getByRole('button', { name: 'Yes, disable' }).click();
  await admin.getByRole('dialog').getByLabel('Password').fill(person.password);
  await admin.keyboard.press('Enter');
  await expect(line).toContainText('Disabled');
  await expect(line).toContainText('no sessions');
  await expect(page.getByText('You were signed out. Your session has ended')).toBeVisible();
  expect((await (await newDevice()).signIn(person)).body.code).toBe('invalid_credentials');
  await line.getByRole('button', { name: /^Enable/ }).click();
  await expect(line.getByRole('button', { name: /^Disable/ })).toBeFocused();
  await signIn(page, person);
  await line.getByRole('button', { name: /^End sessions/ }).click();
  await expect(page.getByText('You were signed out. Your session has ended')).toBeVisible();
  await signIn(page, person);

  const everything = section(admin, 'End every session of everybody');
  await everything.getByLabel(/^To confirm, type/).fill('end');
  await admin.keyboard.press('Enter');
  await expect(everything.getByRole('alert')).toBeVisible();
  await expect(accountLink(admin)).toBeVisible();
  await everything.getByLabel(/^To confirm, type/).fill('end every session');
  await admin.keyboard.press('Enter');
  await expect(accountLink(admin)).toHaveCount(0);
  await expect(page.getByText('You were signed out. Your session has ended')).toBeVisible();
});
