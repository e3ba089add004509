/** The Observatory of two regions: one cart as each of them knows it, and whose session lives where, while the ocean is cut and after the heal. */
import { readState } from '@cloakroom/infra';
import type { Page } from '@playwright/test';
import { goDark } from '../kit/browser.ts';
import { Device, expect, test } from '../kit/device.ts';
import { ocean, registerAt, untilAnswered } from '../kit/ocean.ts';
import { dataDir, gateways } from '../kit/stack.ts';
import { expectContrast, expectSound, openObservatory } from '../observatory/stage.ts';

test.describe.configure({ timeout: 600_000 });

const [eu, us] = gateways;
/** A page reads both logs anew every few seconds while they differ, and MirrorMaker finds the other region again within seconds. */
const some = { timeout: 120_000 };

test.afterEach(() => ocean({ do: 'heal' }));

const cartIn = (page: Page, region: string) => page.getByRole('region', { name: `The cart in ${region}`, exact: true });
const lineIn = (page: Page, region: string, productId: string) =>
  cartIn(page, region)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: new RegExp(`^${productId}\\b`) }) });
const leasesIn = (page: Page, region: string) => page.getByRole('list', { name: `Leases in ${region}` }).getByRole('listitem');
const isSame = (page: Page) => expect(page.getByText('eu and us show the same cart')).toBeVisible(some);

async function add(device: Device, gateway: string, productId: string): Promise<void> {
  const line = await device.addition(productId, 1);
  await untilAnswered(202, () => device.call('POST', '/api/cart/lines', line, { gateway }));
}

/**
 * us lets somebody of eu in for a minute after the last word of eu. A busy machine may spend it elsewhere: then the ocean is healed for a moment, and cut
 * again. The earlier addition of us may have come over then, so each try adds another one.
 */
async function cutAndAddAbroad(device: Device, productId: string): Promise<void> {
  await expect(async () => {
    await ocean({ do: 'heal' });
    expect((await device.call('GET', '/api/cart', undefined, { gateway: us })).status).toBe(200);
    const line = await device.addition(productId, 1);
    await ocean({ do: 'cut' });
    expect((await device.call('POST', '/api/cart/lines', line, { gateway: us })).status).toBe(202);
  }).toPass(some);
}

async function expectGood(page: Page, where: string): Promise<void> {
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await expectSound(page, `${where}, light, ${width} px`);
    await goDark(page);
    await expectContrast(page, `${where}, dark, ${width} px`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

test('one cart is shown as eu and as us know it: different in a cut, with what each lacks of the other’s log, and the same after the heal', async ({
  browser,
  products,
}) => {
  const [mug, cup, hat] = products as [string, string, string];
  const { url, pageKey: key } = readState(dataDir)!.observatory!;
  const context = await browser.newContext({ baseURL: eu, viewport: { width: 1280, height: 900 } });
  const { page, complaints } = await openObservatory(context, { url, key }, '/carts');
  // The same browser as the page, so these requests are its trainee's.
  const device = new Device(context.request);
  // A crowded machine may need more than one sign-up until one is answered in time.
  await expect(() => registerAt(device, eu)).toPass(some);
  await add(device, eu, mug);
  await add(device, us, cup);
  await page.getByRole('navigation', { name: 'Carts' }).getByRole('link', { name: /^user/ }).click(some);
  await isSame(page);
  for (const region of ['eu', 'us'])
    for (const product of [mug, cup]) await expect(lineIn(page, region, product).getByRole('cell')).toHaveText('1', some);

  await cutAndAddAbroad(device, hat);
  await add(device, eu, mug);
  await expect(page.getByText('eu and us do not show the same cart now.')).toBeVisible(some);
  await expect(lineIn(page, 'eu', mug).getByRole('cell')).toHaveText('2, which differs', some);
  await expect(lineIn(page, 'us', mug).getByRole('cell')).toHaveText('1, which differs', some);
  await expect(cartIn(page, 'us')).toContainText(/its copy of euup to offset \d+; 1 event has not come/, some);
  await expect(cartIn(page, 'eu')).toContainText(/its copy of us.*not come/, some);
  await expect(page.getByText('eu to us: bytes are lost.')).toBeVisible(some);
  await expectGood(page, 'one cart in a cut');
  // The events one by one, as the other region has them.
  await page.getByRole('navigation', { name: 'Whose logs' }).getByRole('link', { name: 'as us has it' }).click();
  await expect(page.getByRole('heading', { name: 'What each device has seen in us' })).toBeVisible(some);
  await expect(page.getByRole('button', { name: /^\d+ of us ItemAdded/ }).last()).toHaveAttribute('aria-current', 'step');

  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Session', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Sessions' }).getByRole('link', { name: /^user .* home eu/ })).toBeVisible(some);
  await expect(page.getByText('The session lives in eu')).toBeVisible(some);
  await expect(leasesIn(page, 'us').filter({ hasText: 'gateway-us' })).toContainText('over: it asks auth', some);
  await expect(leasesIn(page, 'eu').filter({ hasText: 'gateway-eu' })).toContainText('ms left', some);
  await expectGood(page, 'a session in a cut');

  await ocean({ do: 'heal' });
  await expect(leasesIn(page, 'us').filter({ hasText: 'gateway-us' })).toContainText('ms left', some);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Cart', exact: true }).click();
  await isSame(page);
  for (const region of ['eu', 'us']) {
    await expect(lineIn(page, region, mug).getByRole('cell')).toHaveText('2');
    await expect(cartIn(page, region)).not.toContainText('not come');
  }
  expect(await lineIn(page, 'eu', hat).getByRole('cell').innerText()).toBe(await lineIn(page, 'us', hat).getByRole('cell').innerText());
  expect(complaints).toEqual([]);
  await context.close();
});
