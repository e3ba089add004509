/** The actions of the Map are really done: to the process, to its log, and with the hops of a request that happened. */
import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';
import { addToCart } from '../kit/browser.ts';
import { expect, openObservatory, test } from './stage.ts';

const card = (page: Page, name: string) => page.locator(`li[data-node="${name}"]`);
/** "T" is stopped by a signal. */
const stateOf = (pid: number): string => execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim();

test('a click pauses, resumes, kills and restarts the process, and its log is shown', async ({ stage, newContext }) => {
  const { page, complaints } = await openObservatory(await newContext(stage.shop[0]), stage, '/map');
  const victim = stage.stack.process('profile');
  const menu = card(page, 'profile');
  await menu.getByText('Do something to it').click();
  const press = (action: string) => menu.getByRole('button', { name: `${action} profile` }).click();
  const first = victim.pid()!;

  await press('Pause');
  await expect.poll(() => stateOf(first)).toBe('T');
  await expect(menu).toContainText('paused');
  await press('Resume');
  await expect.poll(() => stateOf(first)).not.toBe('T');
  expect(victim.pid()).toBe(first);

  await press('Kill');
  const second = await victim.waitUntilReplaced(first);
  await expect(menu).toContainText(`pid ${second}`.replace(' ', ''));
  await press('Restart');
  const third = await victim.waitUntilReplaced(second);
  expect(new Set([first, second, third]).size).toBe(3);

  await menu.getByText('Its last log lines').click();
  await expect(page.getByRole('region', { name: 'Log of profile' })).toContainText('started');
  expect(complaints).toEqual([]);
});

test('a request of one’s own travels over the edges that its spans tell, and stands still for those who want no motion', async ({
  stage,
  newContext,
}) => {
  const laptop = await newContext(stage.shop[0]);
  const { page, complaints } = await openObservatory(laptop, stage, '/map');
  await expect(page.getByText('Do something in the shop, on this browser')).toBeVisible();
  await addToCart(await laptop.newPage(), 'road-runners');
  await page.bringToFront();
  const mark = page.locator('circle[data-hop="gateway-1 cart"]').first();
  await expect(mark).toHaveCSS('animation-name', 'travel');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expect(page.locator('circle[data-hop]').first()).toHaveCSS('animation-name', 'none');
  const way = page.getByRole('region', { name: 'The way of my last request' });
  await expect(way.getByRole('listitem').first()).toHaveText('browser → gateway-1');
  await way.getByRole('link').click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f]{32}$/);
  expect(complaints).toEqual([]);
});
