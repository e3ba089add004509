/** The life of one cart and of one session, as the Observatory's page shows them. */
import { addToCart, lines, signIn } from '../kit/browser.ts';
import { expect, openObservatory, type Stage, test } from './stage.ts';

/** A crowded machine takes its time over a log that is read from its beginning, and over a page that shows many spans. */
const patience = { timeout: 120_000 };

interface Step {
  readonly offset: string;
  readonly after: { readonly lines: readonly { readonly lineId: string; readonly quantity: number }[] };
}

/** As cart's own program folds the log. */
async function foldedLog({ url, key }: Stage, cartId: string): Promise<readonly Step[]> {
  const answer = await fetch(`${url}/api/carts/${cartId}`, { headers: { authorization: `Bearer ${key}` } });
  // Few logs are read at once, and the page reads too.
  return ((await answer.json()) as { steps?: readonly Step[] }).steps ?? [];
}

test('the slider shows the cart at each offset as cart folds the log, with a guest that joined and a line removed', async ({
  stage,
  newContext,
  person,
}) => {
  const laptop = await newContext(stage.shop[0]);
  const { page, complaints } = await openObservatory(laptop, stage);
  const shop = await laptop.newPage();
  for (const product of ['road-runners', 'roll-top-backpack']) await addToCart(shop, product);
  await signIn(shop, person);
  await shop.goto('/cart');
  await expect(lines(shop)).toHaveCount(2);
  await shop
    .getByRole('button', { name: /^Remove/ })
    .first()
    .click();
  await expect(lines(shop)).toHaveCount(1);

  await page.bringToFront();
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Cart', exact: true }).click();
  await page.getByRole('navigation', { name: 'Carts' }).getByRole('link', { name: /^user/ }).click();
  const cartId = new URL(page.url()).pathname.split('/').at(-1)!;
  await expect.poll(async () => (await foldedLog(stage, cartId)).at(-1)?.after.lines.length, patience).toBe(1);
  await page.reload();
  const slider = page.getByRole('slider');
  await expect(slider).toBeVisible(patience);
  let steps: readonly Step[] = [];
  await expect.poll(async () => (steps = await foldedLog(stage, cartId)).length, patience).toBeGreaterThan(1);
  expect(
    steps.some(({ after }) => after.lines.length === 2),
    'the guest’s lines joined',
  ).toBe(true);
  const shown = page.getByRole('table', { name: 'The lines of the cart' });
  for (const [index, { offset, after }] of steps.entries()) {
    await slider.fill(String(index));
    await expect(slider).toHaveAttribute('aria-valuetext', new RegExp(`^offset ${offset},`));
    await expect(shown.getByRole('rowheader')).toHaveCount(after.lines.length);
    for (const { lineId, quantity } of after.lines)
      await expect(shown.locator(`tr[data-line="${lineId}"]`).getByRole('cell').first()).toHaveText(String(quantity));
  }
  await page.getByRole('link', { name: 'The request that caused this event' }).click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f]{32}$/);
  expect(complaints).toEqual([]);
});

test('each device stands where its last read came to, and both reach the end of the log', async ({ stage, newContext, person }) => {
  const [laptop, phone] = [await newContext(stage.shop[0]), await newContext(stage.shop[1])];
  const { page, complaints } = await openObservatory(laptop, stage);
  const otherWindow = await phone.newPage();
  await signIn(otherWindow, person);
  await otherWindow.goto('/cart');
  const shop = await laptop.newPage();
  await signIn(shop, person);
  await addToCart(shop, 'road-runners');
  await expect(lines(otherWindow)).toHaveCount(1);

  await page.bringToFront();
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Cart', exact: true }).click();
  await page.getByRole('navigation', { name: 'Carts' }).getByRole('link', { name: /^user/ }).click();
  const cartId = new URL(page.url()).pathname.split('/').at(-1)!;
  const rows = page.getByRole('table', { name: 'How far each device has seen this cart' }).locator('tbody tr');
  // A page that waited too long asks again, and then the log holds a repeat. So both devices read until they stand at the last record.
  await expect(async () => {
    await Promise.all([otherWindow.reload(), shop.goto('/cart')]);
    const { offset } = (await foldedLog(stage, cartId)).at(-1)!;
    await expect(rows.filter({ has: page.getByRole('cell', { name: new RegExp(`^${offset} at `) }) })).toHaveCount(2);
    await expect(rows.filter({ hasText: 'up to the end' })).toHaveCount(2);
  }).toPass({ timeout: 240_000 });
  await expect(rows.filter({ hasText: '(yours)' })).toHaveCount(1);
  expect(complaints).toEqual([]);
});

test('leases run down while auth is paused, and are renewed when it runs again', async ({ stage, newContext }) => {
  const { page } = await openObservatory(await newContext(stage.shop[0]), stage, '/sessions');
  const leases = page.getByRole('region', { name: 'Who may believe a copy now' }).getByRole('listitem');
  const over = leases.filter({ hasText: 'over: it asks auth' });
  await expect(leases.filter({ hasText: 'gateway-1' })).toContainText('ms left', patience);
  const auth = stage.stack.process('auth');
  expect(auth.kill('SIGSTOP')).toBe(true);
  try {
    await expect(over.filter({ hasText: 'gateway-1' })).toHaveCount(1, patience);
    await expect(over.filter({ hasText: 'gateway-2' })).toHaveCount(1, patience);
    await expect(leases.filter({ hasText: 'ms left' })).toHaveCount(0, patience);
  } finally {
    auth.kill('SIGCONT');
  }
  await expect(leases.filter({ hasText: 'gateway-1' })).toContainText('ms left', patience);
  await expect(leases.filter({ hasText: 'gateway-2' })).toContainText('ms left', patience);
});

test('a session’s lifeline tells each decision, where it was made and how old the lease was', async ({ stage, newContext, person }) => {
  const laptop = await newContext(stage.shop[0]);
  const { page, complaints } = await openObservatory(laptop, stage, '/sessions');
  await expect(page.getByRole('heading', { name: 'No session of yours has been seen yet' })).toBeVisible();
  const shop = await laptop.newPage();
  await signIn(shop, person);
  await shop.goto('/cart');
  await page.bringToFront();
  await expect(page.getByRole('navigation', { name: 'Sessions' }).getByRole('link', { name: /^user/ })).toBeVisible(patience);
  const rows = page.getByRole('table', { name: /^What was decided about the session/ }).getByRole('row');
  await expect(
    rows
      .filter({ hasText: /gateway-1/ })
      .filter({ hasText: /hit|asked|joined/ })
      .first(),
  ).toBeVisible(patience);
  await expect(rows.filter({ hasText: /\d ms$/ }).first()).toBeVisible();
  expect(complaints).toEqual([]);
});

test('ending a device starts the stopwatch, and each line is that of the trace', async ({ stage, newContext, person }) => {
  const [laptop, phone] = [await newContext(stage.shop[0]), await newContext(stage.shop[1])];
  const { page, complaints } = await openObservatory(laptop, stage);
  const lost = await phone.newPage();
  await signIn(lost, person);
  const { handle } = (await (await lost.request.get('/api/session')).json()) as { handle: string };
  const shop = await laptop.newPage();
  await signIn(shop, person);
  const ended = await shop.request.delete(`/api/session/devices/${handle}`, { headers: { origin: stage.shop[0] } });
  expect(ended.ok(), String(ended.status())).toBe(true);

  await page.goto(`${stage.url}/sessions/${handle}`);
  const watch = page.getByRole('region', { name: /^It ended at/ });
  await expect(watch).toBeVisible(patience);
  // Both gateways, and the services that verify passports. Spans of the slowest come last.
  await expect.poll(() => watch.getByRole('term').count(), patience).toBeGreaterThanOrEqual(5);
  await expect(watch).toContainText('gateway-2 had heard it');
  const lines = await watch.getByRole('definition').allInnerTexts();
  await watch.getByRole('link', { name: 'The request that ended it' }).click();
  const traceId = new URL(page.url()).pathname.split('/').at(-1)!;
  const answer = await fetch(`${stage.url}/api/requests/${traceId}`, { headers: { authorization: `Bearer ${stage.key}` } });
  const { spans } = (await answer.json()) as { spans: { name: string; startMs: number; durationMs: number; attributes: object }[] };
  const answeredMs = endOf(spans.find(({ name }) => name.startsWith('DELETE '))!);
  const heardMs = spans.filter(({ name }) => name === 'process session.revocations').map((span) => endOf(span) - answeredMs);
  expect(lines).toHaveLength(heardMs.length);
  for (const [index, ms] of heardMs.toSorted((a, b) => a - b).entries()) expect(Math.abs(inMs(lines[index]!) - ms)).toBeLessThanOrEqual(5);
  expect(complaints).toEqual([]);
});

const endOf = ({ startMs, durationMs }: { readonly startMs: number; readonly durationMs: number }): number => startMs + durationMs;

/** "12 ms after it", "at once, 0.42 ms before the answer", "1.25 s after it" */
function inMs(line: string): number {
  const [, value, unit, when] = /^(?:at once, )?([\d.,]+) (ms|s) (before|after)/.exec(line)!;
  return Number(value!.replace(',', '')) * (unit === 's' ? 1_000 : 1) * (when === 'before' ? -1 : 1);
}
