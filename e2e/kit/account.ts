/** A person's actions on their account in a browser. */
import type { Page } from '@playwright/test';
import { expect, signIn } from './browser.ts';
import { newPerson, type Device, type Person } from './device.ts';
import { gateways } from './stack.ts';

/**
 * Tests do not wait five minutes for the proof to become old: the test itself plays the first refusal.
 * The proof and the second attempt are real.
 */
export const refusal = {
  status: 401,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: 'Prove it again.', status: 401, code: 'step_up_required' }),
};

export async function refuseOnce(page: Page, path: string, method: string): Promise<void> {
  let refusals = 0;
  await page.route(path, (route) => (route.request().method() !== method || refusals++ > 0 ? route.continue() : route.fulfill(refusal)));
}

/** An authenticator for this page alone. It confirms everything by itself, like a phone with the right finger on it. */
export async function addAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

export async function signedIn(
  newBrowser: (gateway: string) => Promise<Page>,
  newDevice: () => Promise<Device>,
): Promise<[Page, Person, Device]> {
  const person = newPerson();
  const phone = await newDevice();
  expect((await phone.register(person)).status).toBe(201);
  const page = await newBrowser(gateways[0]);
  await signIn(page, person);
  return [page, person, phone];
}

export const section = (page: Page, name: string) => page.getByRole('region', { name });
export const accountLink = (page: Page) => page.getByRole('link', { name: /^Account of/ });

export async function signOut(page: Page): Promise<void> {
  await page.goto('/account');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(accountLink(page)).toHaveCount(0);
}

export async function typePassword(page: Page, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
