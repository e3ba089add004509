/** Each forgery is really sent to the shop that runs, and the page names the check that refused it. */
import { expect, openObservatory, test } from './stage.ts';

test('each forgery is refused, and the page names the check and its file', async ({ stage, newContext }) => {
  const { page, complaints } = await openObservatory(await newContext(stage.shop[0]), stage, '/forgeries');
  const forgeries = page
    .getByRole('main')
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading', { level: 2 }) });
  await expect(forgeries.first()).toBeVisible();
  const count = await forgeries.count();
  expect(count).toBeGreaterThanOrEqual(6);
  for (let index = 0; index < count; index++) {
    const forgery = forgeries.nth(index);
    await forgery.getByRole('button', { name: /^Send it/ }).click();
    // An expired passport needs a minute to expire. The page says so, and claims nothing.
    await expect(forgery).toContainText(/It was refused\. The check: .+\(\w+\)\. Code \w+|It cannot be sent yet: try again in/, {
      useInnerText: true,
    });
    await expect(forgery).toContainText(/The check is in libs\/identity\/src\/\w+\.ts/);
    await expect(forgery).not.toContainText('It was accepted');
  }
  // The expired one too, where the forger's passport has been old enough by then.
  await expect.poll(() => page.getByText(/^It was refused/).count()).toBeGreaterThanOrEqual(count - 1);
  expect(await page.locator('body').innerText(), 'no signature is shown').not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
  expect(complaints).toEqual([]);
});
