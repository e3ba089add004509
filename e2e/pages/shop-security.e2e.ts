/**
 * Passkeys, one-time codes and passwords, changed and used on the pages. The browser's virtual authenticator takes the place of a finger.
 */
import { createHmac } from 'node:crypto';
import type { Page } from '@playwright/test';
import { accountLink, addAuthenticator, refuseOnce, section, signedIn, signOut, typePassword } from '../kit/account.ts';
import { expect, signIn, test } from '../kit/browser.ts';
import { newPerson } from '../kit/device.ts';
import { tabTo } from '../kit/keyboard.ts';
import { gateways } from '../kit/stack.ts';

const stepOf = (nowMs: number): number => Math.floor(nowMs / 30_000);

/** RFC 6238, 6 digits, SHA-1. */
function totpCode(base32: string, step: number): string {
  const bits = base32
    .split('')
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The codes are shown only this once. The page is left only by confirming that they are saved. */
async function takeRecoveryCodes(page: Page): Promise<string[]> {
  const list = page.getByRole('list', { name: 'Recovery codes' });
  await expect(list.getByRole('listitem').first()).toBeVisible();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page.getByRole('group', { name: /^Your recovery codes are not saved yet/ })).toBeFocused();
  await page.getByRole('button', { name: 'Back to the codes' }).click();
  await expect(page.getByRole('button', { name: 'Sign out', exact: true })).toBeFocused();
  await expect(list.getByRole('listitem').first()).toBeVisible();
  const codes = await list.getByRole('listitem').allInnerTexts();
  const done = page.getByRole('button', { name: 'Done' });
  await done.click({ force: true });
  await expect(list, 'nobody leaves them by mistake').toBeVisible();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  expect((await downloading).suggestedFilename()).toBe('cloakroom-recovery-codes.txt');
  await page.getByLabel('I saved them').check();
  await done.click();
  await expect(list).toHaveCount(0);
  return codes;
}

test('a passkey is added, signs in by itself, is the second step after a password, and steps up', async ({ newBrowser, newDevice }) => {
  const [page, person, phone] = await signedIn(newBrowser, newDevice);
  await addAuthenticator(page);
  await page.goto('/account/security');
  const passkeys = section(page, 'Passkeys');
  await expect(passkeys.getByText('You have none yet.')).toBeVisible();
  await passkeys.getByLabel('Name of the new passkey').fill('Test key');
  await passkeys.getByRole('button', { name: 'Add a passkey' }).click();
  expect((await takeRecoveryCodes(page)).length).toBeGreaterThan(5);
  await expect(passkeys.getByRole('listitem')).toContainText('not used yet');
  await expect(passkeys.getByText(/still signed in on 1 other device/)).toBeVisible();
  await passkeys.getByRole('button', { name: 'Sign out that device' }).click();
  await expect(passkeys.getByText('All your other sessions are ended.')).toBeVisible();
  await expect.poll(() => phone.state()).toBe('none');

  await signOut(page);
  await page.goto('/sign-in?next=/account/security');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('heading', { name: `Hello, ${person.name}` })).toBeVisible();
  await expect(passkeys.getByRole('listitem')).toContainText('last used');

  await refuseOnce(page, '**/api/session/password', 'PUT');
  const password = section(page, 'Password');
  await password.getByLabel('New password').fill('another horse battery staple');
  await password.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(password.getByText('Your password is changed.')).toBeVisible();
  await expect(dialog).toHaveCount(0);

  await signOut(page);
  await page.goto('/sign-in');
  await typePassword(page, { ...person, password: 'another horse battery staple' });
  await expect(page.getByRole('heading', { name: 'One more step' })).toBeVisible();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(accountLink(page)).toBeVisible();

  await page.goto('/account/security');
  await passkeys.getByRole('button', { name: 'Remove passkey Test key' }).click();
  await expect(passkeys.getByText('You have none yet.')).toBeVisible();
});

test('the page reports a missing passkey, and the password still works', async ({ newBrowser, newDevice }) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const page = await newBrowser(gateways[1]);
  await addAuthenticator(page);
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(page.getByRole('alert')).toContainText('No passkey was used');
  await typePassword(page, person);
  await expect(accountLink(page)).toBeVisible();
});

test('two-step sign-in asks for a code, keeps the typed text, and accepts each recovery code once', async ({ newBrowser, newDevice }) => {
  const [page, person] = await signedIn(newBrowser, newDevice);
  await page.goto('/account/security');
  const twoStep = section(page, 'Two-step sign-in');
  await twoStep.getByRole('button', { name: 'Set up two-step sign-in' }).click();
  await expect(twoStep.getByRole('img', { name: 'QR code of the key below' })).toBeVisible();
  const secret = (await twoStep.locator('.secret-key').innerText()).replaceAll(' ', '');
  const code = twoStep.getByLabel('The code that the app shows now');
  await expect(code).toBeFocused();
  await code.fill('000000');
  await page.keyboard.press('Enter');
  await expect(twoStep.getByRole('alert')).toBeVisible();
  const confirmedAt = stepOf(Date.now());
  await code.fill(totpCode(secret, confirmedAt));
  await page.keyboard.press('Enter');
  const codes = await takeRecoveryCodes(page);
  await expect(twoStep.getByText('Two-step sign-in is on.')).toBeVisible();
  await expect(section(page, 'Recovery codes').getByText(`You have ${codes.length} recovery codes left.`)).toBeVisible();
  await expect(section(page, 'What happened to your account').getByText('A way to prove who you are was added')).toBeVisible();

  await signOut(page);
  await page.goto('/sign-in?next=/account/addresses');
  await typePassword(page, person);
  const step = page.getByLabel('Code of your authenticator app');
  await expect(step).toBeFocused();
  await page.getByRole('button', { name: 'Back' }).click();
  await expect(page.getByLabel('E-mail'), 'what was typed is still there').toHaveValue(person.email);
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.press('Enter');
  await step.fill(totpCode(secret, confirmedAt));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert'), 'a code that was used').toBeVisible();
  await expect(step).toBeFocused();
  await step.fill(totpCode(secret, confirmedAt + 1));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Addresses' }), 'where they wanted to go').toBeVisible();

  for (const opens of [true, false]) {
    await signOut(page);
    await page.goto('/sign-in');
    await typePassword(page, person);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(codes[0]!);
    await page.keyboard.press('Enter');
    if (opens) await expect(accountLink(page)).toBeVisible();
    else await expect(page.getByRole('alert')).toBeVisible();
    if (opens) continue;
    await page.getByLabel('Recovery code').fill(codes[1]!);
    await page.keyboard.press('Enter');
    await expect(accountLink(page)).toBeVisible();
  }

  await refuseOnce(page, '**/api/session/factors/totp', 'DELETE');
  await page.goto('/account/security');
  await twoStep.getByRole('button', { name: 'Turn off' }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
  await expect(dialog.getByLabel('Code of your authenticator app')).toBeFocused();
  await dialog.getByRole('button', { name: 'Use a recovery code' }).click();
  await dialog.getByLabel('Recovery code').fill(codes[2]!);
  await page.keyboard.press('Enter');
  await expect(twoStep.getByText('Two-step sign-in by app is off.')).toBeVisible();
  await signOut(page);
  await signIn(page, person);
});

test('a new password ends the other devices, and their pages say so', async ({ newBrowser, newDevice }) => {
  const [page, person] = await signedIn(newBrowser, newDevice);
  const tablet = await newBrowser(gateways[1]);
  await signIn(tablet, person);
  await tablet.goto('/account/devices');
  await expect(tablet.getByText('This device', { exact: true })).toBeVisible();
  await page.goto('/account/security');
  const password = section(page, 'Password');
  await expect(password.getByLabel('Sign out my other devices (2)')).toBeChecked();
  await password.getByLabel('New password').fill('yet another horse');
  await password.getByRole('button', { name: 'Change password' }).click();
  await expect(password.getByText('Your password is changed. 2 other devices signed out.')).toBeVisible();
  await expect(tablet.getByText('You were signed out. Your session has ended')).toBeVisible();
  await expect(accountLink(page)).toBeVisible();
  await expect(section(page, 'What happened to your account').getByText('Your password was changed.')).toBeVisible();

  const email = `moved-${person.email}`;
  await section(page, 'E-mail').getByLabel('New e-mail').fill(email);
  await section(page, 'E-mail').getByRole('button', { name: 'Change e-mail' }).click();
  await expect(section(page, 'E-mail').getByText(`You sign in with ${email} from now on.`)).toBeVisible();
  await signOut(page);
  await signIn(page, { ...person, email, password: 'yet another horse' });
});

test('a passkey is added, a password changed and a device ended by keyboard alone, the focus never lost', async ({
  newBrowser,
  newDevice,
}) => {
  const [page, person] = await signedIn(newBrowser, newDevice);
  await addAuthenticator(page);
  await page.goto('/account');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await tabTo(page, page.getByRole('link', { name: 'Security' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: `Hello, ${person.name}` })).toBeFocused();

  const password = section(page, 'Password');
  await tabTo(page, password.getByLabel('New password'));
  await page.keyboard.type('a horse by keyboard');
  await tabTo(page, password.getByLabel(/^Sign out my other devices/));
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await expect(password.getByRole('status')).toBeFocused();
  await tabTo(page, password.getByRole('button', { name: 'Sign out that device' }));
  await page.keyboard.press('Enter');
  await expect(password.getByText('All your other sessions are ended.')).toBeVisible();
  await expect(password.getByRole('status')).toBeFocused();

  const passkeys = section(page, 'Passkeys');
  await tabTo(page, passkeys.getByLabel('Name of the new passkey'));
  await page.keyboard.type('Key by keyboard');
  await page.keyboard.press('Enter');
  await expect(passkeys.getByRole('heading', { name: 'Your recovery codes' })).toBeFocused();
  await tabTo(page, passkeys.getByLabel('I saved them'));
  await page.keyboard.press('Space');
  await tabTo(page, passkeys.getByRole('button', { name: 'Done' }));
  await page.keyboard.press('Enter');
  await expect(passkeys.getByRole('status')).toBeFocused();
  await tabTo(page, passkeys.getByRole('button', { name: 'Remove passkey Key by keyboard' }));
  await page.keyboard.press('Enter');
  await expect(passkeys.getByText('You have none yet.')).toBeVisible();
  await expect(passkeys.getByRole('status'), 'after Remove').toBeFocused();

  await tabTo(page, page.getByRole('button', { name: /^Theme/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('radio', { name: 'Like the system' })).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked();
});
