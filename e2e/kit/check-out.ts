/** A person's actions at check-out in a browser, by the names that the page shows. */
import type { Order, OrderPage } from '@cloakroom/contracts/http';
import type { Page } from '@playwright/test';
import { expect } from './browser.ts';
import { newPerson, type Device, type Person } from './device.ts';

export const address = { name: 'Robin Example', line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };

/** A person with an address and these products in the cart, on a device other than the browser. */
export async function buyer(newDevice: () => Promise<Device>, productIds: readonly string[]): Promise<[Person, Device]> {
  const person = newPerson();
  const phone = await newDevice();
  expect((await phone.register(person)).status).toBe(201);
  expect((await phone.insist('PATCH', '/api/profile', { addresses: [address] })).status).toBe(200);
  for (const productId of productIds) await phone.add(productId);
  await phone.expectCart(Object.fromEntries(productIds.map((productId) => [productId, 1])));
  return [person, phone];
}

/** The sign-in happens outside the page: other tests cover the sign-in form. */
export async function openCheckOut(page: Page, gateway: string, { email, password }: Person): Promise<void> {
  const login = await page.request.post(`${gateway}/api/session/login`, { data: { email, password }, headers: { origin: gateway } });
  expect(login.status()).toBe(200);
  await page.goto('/checkout');
  await expect(placeButton(page)).toBeVisible();
}

export const placeButton = (page: Page) => page.getByRole('button', { name: /^Place order · / });
export const orderLines = (page: Page) => page.getByRole('list', { name: 'Order lines' }).getByRole('listitem');
export const summary = (page: Page) => page.getByRole('region', { name: 'Your order' });
export const chooseCard = (page: Page, name: RegExp) => page.getByRole('group', { name: 'Pay with' }).getByRole('radio', { name }).check();
export const placedHeading = (page: Page) => page.getByRole('heading', { level: 1, name: 'Thank you. Your order is placed.' });

export async function ordersOf(device: Device): Promise<readonly Order[]> {
  const answer = await device.insist('GET', '/api/orders');
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return (answer.body as OrderPage).items;
}

/** The key and body of each request that places an order. */
export function watchPlacing(page: Page): { readonly key: string; readonly body: unknown }[] {
  const sent: { key: string; body: unknown }[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && new URL(request.url()).pathname === '/api/orders')
      sent.push({ key: request.headers()['idempotency-key'] ?? '', body: request.postDataJSON() });
  });
  return sent;
}
