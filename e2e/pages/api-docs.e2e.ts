/** The page of the API in a real browser, which enforces the content policy. */
import { expect, test } from '@playwright/test';
import { gateways } from '../kit/stack.ts';

for (const gateway of gateways.slice(0, 2))
  test(`${gateway}/api-docs shows every operation, and "Try it out" asks this gateway, without breaking the content policy`, async ({
    page,
  }) => {
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    const elsewhere: string[] = [];
    page.on(
      'request',
      (request) => request.url().startsWith(gateway) || request.url().startsWith('data:') || elsewhere.push(request.url()),
    );
    await page.goto(`${gateway}/api-docs`);
    const { paths } = (await (await fetch(`${gateway}/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> };
    const operations = Object.values(paths).flatMap((path) => Object.keys(path));
    await expect(page.locator('.opblock')).toHaveCount(operations.length);
    const health = page.locator('.opblock', { hasText: '/healthz' });
    await health.locator('.opblock-summary-control').click();
    await health.getByRole('button', { name: 'Try it out' }).click();
    await health.getByRole('button', { name: 'Execute' }).click();
    await expect(health.locator('.live-responses-table .response-col_status').last()).toContainText('200');
    await expect(health.locator('.request-url')).toContainText(`${gateway}/healthz`);
    await page.screenshot({ path: test.info().outputPath('api-docs.png') });
    expect([complaints, elsewhere]).toEqual([[], []]);
  });
