import type { Locator, Page } from '@playwright/test';

/** More stops than any page of the shop has before the target. */
const stopCountMax = 90;

/** Presses Tab until the target has the focus. A target that cannot be reached with Tab fails here. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let stops = 0; stops < stopCountMax; stops++) {
    await page.keyboard.press(key);
    if ((await target.count()) > 0 && (await target.first().evaluate((element) => element === document.activeElement))) return;
  }
  throw new Error(`${String(target)} was not reached in ${stopCountMax} stops`);
}
