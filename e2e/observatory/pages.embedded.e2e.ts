/**
 * Every view of the Observatory at two widths: by all rules in the light theme, and by those of colours in the dark one. A page with nothing to show
 * says so.
 */
import { addToCart, goDark } from '../kit/browser.ts';
import { expect, expectContrast, expectSound, list, openObservatory, test } from './stage.ts';

test.describe.configure({ timeout: 900_000 });

test('every view is sound in both themes, wide and narrow', async ({ stage, newContext }) => {
  const laptop = await newContext(stage.shop[0]);
  const { page, complaints } = await openObservatory(laptop, stage);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await expect(page.getByRole('heading', { name: 'Nothing of yours has been seen yet' })).toBeVisible();
  await expectSound(page, 'the empty page');
  const { items } = (await (await fetch(`${stage.shop[0]}/api/products?pageSize=1`)).json()) as { items: { productId: string }[] };
  await addToCart(await laptop.newPage(), items[0]!.productId);
  await page.bringToFront();
  await list(page)
    .getByRole('link', { name: /POST \/api\/cart\/lines 20/ })
    .click();
  const request = new URL(page.url()).pathname;
  const views = [
    [request, 'POST /api/cart/lines'],
    ['/map', 'The shop as it runs'],
    ['/tour', 'A tour in ten minutes'],
    ['/sessions', 'One session, and everybody who decided about it'],
    ['/carts', 'One cart, as its log tells it'],
    ['/places', 'Where each cart lives, and how far behind its readers are'],
    ['/faults', 'Break something'],
    ['/forgeries', 'Try a forgery'],
    ['/labs', 'What everybody says, put to the test'],
    ['/nowhere', 'There is no such view'],
  ] as const;
  for (const [path, heading] of views) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      await page.goto(stage.url + path);
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
      if (path === request) await expect(page.getByRole('figure').getByRole('button').first()).toBeVisible();
      if (path === '/faults') await page.getByText('A service answers late', { exact: true }).click();
      if (path === '/map') {
        await page.getByText('Do something to it').first().click();
        await page.getByText('Its last log lines').first().click();
        await expect(page.getByRole('region', { name: /^Log of/ })).toContainText('started');
      }
      await expectSound(page, `${path}, light, ${width} px`);
      await goDark(page);
      await expectContrast(page, `${path}, dark, ${width} px`);
    }
  }
  expect(complaints).toEqual([]);
});

test('without the key the page tells nothing, and says how to get in; a new tab gets it from an open one', async ({
  stage,
  newContext,
}) => {
  const stranger = await newContext(stage.shop[0]);
  const page = await stranger.newPage();
  await page.goto(`${stage.url}/map`);
  await expect(page.getByRole('heading', { level: 1, name: 'This page needs the key of this start' })).toBeVisible();
  await expect(page.getByText('gateway-1')).toHaveCount(0);
  await expectSound(page, 'the page without a key');
  await page.getByLabel(/paste the address/).fill(`${stage.url}/#key=${stage.key}`);
  await page.getByRole('button', { name: 'Open the Observatory' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'The shop as it runs' })).toBeVisible();

  const second = await stranger.newPage();
  await second.goto(`${stage.url}/map`);
  await expect(second.getByRole('heading', { level: 1, name: 'The shop as it runs' })).toBeVisible();
  await second.reload();
  await expect(second.getByRole('heading', { level: 1, name: 'The shop as it runs' })).toBeVisible();
});

test('a word of the trade explains itself, and names the file that does it', async ({ stage, newContext }) => {
  const { page } = await openObservatory(await newContext(stage.shop[0]), stage, '/map');
  await page.getByRole('button', { name: 'trainee' }).press('Enter');
  await expect(page.getByRole('note', { name: 'What trainee means' })).toContainText('apps/observatory/web/src/api/trainee.ts');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('note', { name: 'What trainee means' })).toBeHidden();
});
