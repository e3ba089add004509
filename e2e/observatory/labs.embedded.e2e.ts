/** A lab in the Observatory: the prediction comes first and is kept, a run can be followed and stopped, and the result is that of the terminal. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, expectSound, labsKeptDir, openObservatory, test } from './stage.ts';

const published = JSON.parse(readFileSync(join(import.meta.dirname, '../../labs/sticky/result.json'), 'utf8')) as {
  readonly judged: readonly { readonly says: string; readonly verdict: string }[];
};

test('a lab asks before it shows, keeps the prediction, shows the published result, and runs until it is stopped', async ({
  stage,
  newContext,
}) => {
  rmSync(labsKeptDir, { recursive: true, force: true });
  const { page, complaints } = await openObservatory(await newContext(stage.shop[0]), stage, '/labs/sticky');
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await expect(page.getByRole('heading', { name: 'Predict first' })).toBeVisible();
  const found = published.judged[0]!;
  await expect(page.getByText(found.says)).toHaveCount(0);
  await expect(page.getByRole('img', { name: /numbers/ })).toHaveCount(0);
  // By keyboard alone.
  await page.getByRole('radio', { name: /^a\)/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/You predicted b\)/)).toBeVisible();
  expect(readFileSync(join(labsKeptDir, 'sticky', 'prediction.txt'), 'utf8')).toBe('b');
  const result = page.getByRole('region', { name: 'The published run' });
  await expect(result.getByRole('listitem').first()).toContainText(`${found.verdict} ${found.says}`);
  await expect(result.getByRole('img')).toHaveCount(1);
  await expectSound(page, 'a lab, light, 1280 px');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.setViewportSize({ width: 360, height: 800 });
  await expect(result.getByRole('img')).toHaveClass('in-dark');
  await expectSound(page, 'a lab, dark, 360 px');

  const run = page.getByRole('region', { name: 'Run it yourself' });
  await run.getByRole('button', { name: 'Run quickly, within a minute' }).click();
  await expect(run).toContainText('round 1 of 2');
  await run.getByRole('button', { name: 'Stop' }).click();
  await expect(run).toContainText('was stopped', { timeout: 60_000 });
  expect(existsSync(join(labsKeptDir, 'sticky', 'result.json'))).toBe(false);
  expect(complaints).toEqual([]);
});
