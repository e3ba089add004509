/** Two devices walk the golden journey, and the Observatory tells it as it happened. All is read from the page. */
import { addToCart, lines, signIn } from '../kit/browser.ts';
import { tabTo } from '../kit/keyboard.ts';
import { expect, factsIn, hop, hopPanel, lanes, list, openObservatory, pathRows, test } from './stage.ts';

async function productOf(gateway: string): Promise<string> {
  const answer = (await (await fetch(`${gateway}/api/products?pageSize=1`)).json()) as { items: { productId: string }[] };
  return answer.items[0]!.productId;
}

test('a sign-in is one request, from the click to the page of the other device, with path, policy and budget at each hop', async ({
  stage,
  newContext,
  person,
}) => {
  const laptop = await newContext(stage.shop[0]);
  const phone = await newContext(stage.shop[1]);
  const { page, complaints } = await openObservatory(laptop, stage);
  await expect(page.getByRole('heading', { name: 'Nothing of yours has been seen yet' })).toBeVisible();
  await expect(page).toHaveURL(`${stage.url}/requests`);

  const phonePage = await phone.newPage();
  await signIn(phonePage, person);
  await phonePage.goto('/cart');
  const shop = await laptop.newPage();
  await addToCart(shop, await productOf(stage.shop[0]));
  await signIn(shop, person);
  await expect(lines(phonePage), 'the guest’s cart joins, and the other device shows it').toHaveCount(1);

  const signInLink = list(page).getByRole('link', { name: /POST \/api\/session\/login/ });
  await expect(signInLink, 'the laptop’s own, and not the phone’s').toHaveCount(1);
  await signInLink.click();
  await expect(page.getByRole('heading', { level: 1, name: 'POST /api/session/login' })).toBeVisible();

  // The places it went through, in the drawing and in its text.
  for (const lane of [/gateway-\d/, /auth/, /Kafka/, /cart · projector/, /.*page.*/])
    await expect(hop(page, lane, /.+/), String(lane)).toBeAttached();
  // The answer does not wait for the other page, which may hear before it or after it.
  await expect(hop(page, /.*page.*/, /live event cart/)).toHaveAccessibleName(/after the answer|beside the path/);

  // The critical path: the parts are the whole, and the password check is among them.
  const rows = pathRows(page);
  await expect(rows.filter({ hasText: 'argon2 verify' })).toHaveCount(1);
  const shares = await rows.locator('[data-label=Share]').allTextContents();
  const sum = shares.map((text) => Number(/(\d+) %/.exec(text)![1])).reduce((a, b) => a + b, 0);
  expect(sum, 'shares of the path, each rounded').toBeGreaterThan(90);
  expect(sum).toBeLessThan(110);

  await hop(page, /auth/, /AuthService\/Login/).click();
  await expect(hopPanel(page)).toContainText('AuthService/Login');
  await expect(hopPanel(page).getByRole('list', { name: 'Policy' })).toContainText('class LOGIN');
  await expect(hopPanel(page)).toContainText(/[\d,]+ ms of 5,000 ms left/);
  expect(complaints, 'errors, refusals of the content policy, and questions to others').toEqual([]);
});

test('a read of the cart shows the passport that was believed: its claims, without its signature', async ({
  stage,
  newContext,
  person,
}) => {
  const laptop = await newContext(stage.shop[0]);
  const { page } = await openObservatory(laptop, stage);
  const shop = await laptop.newPage();
  await signIn(shop, person);
  await shop.goto('/cart');
  await expect(shop.getByRole('heading', { level: 1 })).toBeVisible();

  await list(page)
    .getByRole('link', { name: /GET \/api\/cart / })
    .first()
    .click();
  await hop(page, /cart/, /CartService\/GetCart/).click();
  await expect(hopPanel(page)).toContainText('passport verified');
  const claims = await factsIn(page, 'Claims');
  expect(claims['for this service alone aud']).toContain('cart');
  expect(claims['for this person sub']).toMatch(/^u_/);
  await expect(hopPanel(page).getByRole('list', { name: 'Policy' })).toContainText('audience cart');
  await expect(hopPanel(page).getByRole('meter', { name: 'Budget that is left' })).toBeVisible();
  const shown = await page.locator('body').innerText();
  expect(shown).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}/);
  expect(shown).not.toContain(person.email);
});

test('the hops are walked by keyboard alone, and the address holds the chosen one', async ({ stage, newContext }) => {
  const laptop = await newContext(stage.shop[0]);
  const { page } = await openObservatory(laptop, stage);
  const shop = await laptop.newPage();
  await addToCart(shop, await productOf(stage.shop[0]));
  const request = list(page).getByRole('link', { name: /POST \/api\/cart\/lines/ });
  await expect(request).toBeVisible();
  await page.bringToFront();
  await tabTo(page, request);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'POST /api/cart/lines' })).toBeVisible();
  // Late spans draw the lanes once more. The bar that has the focus then keeps it.
  await tabTo(page, lanes(page).locator('[aria-pressed=true]'));
  await page.keyboard.press('Home');
  await expect(lanes(page).locator('[aria-pressed=true]')).toBeFocused();
  const first = await hopPanel(page).getByRole('heading', { level: 2 }).textContent();
  await page.keyboard.press('ArrowDown');
  await expect(hopPanel(page).getByRole('heading', { level: 2 })).not.toHaveText(first!);
  await expect(lanes(page).locator('[aria-pressed=true]')).toBeFocused();
  const chosen = await hopPanel(page).getByRole('heading', { level: 2 }).textContent();
  await page.reload();
  await expect(hopPanel(page).getByRole('heading', { level: 2 })).toHaveText(chosen!);
});

test('everybody’s requests are a switch away, and mine are told from them', async ({ stage, newContext, person }) => {
  const laptop = await newContext(stage.shop[0]);
  const phone = await newContext(stage.shop[1]);
  await signIn(await phone.newPage(), person);
  const { page } = await openObservatory(laptop, stage);
  await expect(list(page).getByText('None yet.')).toBeVisible();
  await list(page).getByRole('link', { name: 'Everybody’s' }).click();
  await expect(
    list(page)
      .getByRole('link', { name: /POST \/api\/session\/login/ })
      .first(),
  ).toBeVisible();
});
