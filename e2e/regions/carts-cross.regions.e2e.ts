/** Carts of two regions, with the real copies of both logs, an ocean that is really cut, and a MirrorMaker that is paused and killed. */
import type { Browser, Page } from '@playwright/test';
import type { Cart } from '@cloakroom/contracts/http';
import { addToCart, expect, lines, signIn, test } from '../kit/browser.ts';
import { type Answer, Device, newCommandId, quantitiesOf } from '../kit/device.ts';
import { decisionOf, ocean, registerAt, untilAnswered } from '../kit/ocean.ts';
import { gateways, killAndWaitForSuccessor, whilePaused } from '../kit/stack.ts';

const [eu, us] = gateways;
test.afterEach(() => ocean({ do: 'heal' }));

/** MirrorMaker finds the other region again within seconds. The rest is for a machine that is busy elsewhere. */
const equalWithinMs = 60_000;

/** A machine that is busy elsewhere may miss the time that an answer has, and says so. Then a person looks again. */
async function look(device: Device, gateway: string, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { 'consistency-token': token };
  let told: Answer | undefined;
  await expect(async () => {
    told = await device.call('GET', '/api/cart', undefined, { gateway, headers });
    expect(told.status, JSON.stringify(told.body)).toBe(200);
  }).toPass({ timeout: equalWithinMs, intervals: [200] });
  return told!;
}
const cartOf = async (...of: Parameters<typeof look>): Promise<Cart> => (await look(...of)).body as Cart;

/** A command under its id: however often it is sent, it counts once. */
type Command = () => Promise<Answer>;
const addition = async (device: Device, gateway: string, productId: string, quantity: number): Promise<Command> => {
  const line = await device.addition(productId, quantity);
  return () => device.call('POST', '/api/cart/lines', line, { gateway });
};
const removal = async (device: Device, gateway: string, productId: string): Promise<Command> => {
  const { lineId, seen } = (await cartOf(device, gateway)).lines.find((line) => line.productId === productId)!;
  const body = { commandId: newCommandId(), seen };
  return () => device.call('DELETE', `/api/cart/lines/${encodeURIComponent(lineId)}`, body, { gateway });
};
const add = async (...of: Parameters<typeof addition>): Promise<void> => untilAnswered(202, await addition(...of));
const remove = async (...of: Parameters<typeof removal>): Promise<void> => untilAnswered(202, await removal(...of));

const shows = (device: Device, gateway: string, quantities: Record<string, number>) =>
  expect.poll(async () => quantitiesOf(await cartOf(device, gateway)), { timeout: equalWithinMs, intervals: [100] }).toEqual(quantities);
async function bothShow(device: Device, quantities: Record<string, number>): Promise<void> {
  for (const gateway of [eu, us]) await shows(device, gateway, quantities);
  // Nothing comes or goes afterwards: each side says that it lacks nothing.
  for (const gateway of [eu, us])
    await expect
      .poll(() => cartOf(device, gateway).then(({ stale, incomplete, ...cart }) => [stale, incomplete, quantitiesOf(cart as Cart)]), {
        timeout: equalWithinMs,
        intervals: [100],
      })
      .toEqual([false, false, quantities]);
}

/** A person of eu whom the gateway of us knows under the lease of eu's feed, so that it goes on in a cut. */
async function knownAbroad(newDevice: () => Promise<Device>): Promise<Device> {
  const device = await newDevice();
  await registerAt(device, eu);
  const known = async () => decisionOf(await device.call('GET', '/api/cart', undefined, { gateway: us }));
  await expect.poll(known, { intervals: [200] }).toBe('hybrid hit');
  return device;
}

test('a cart is one in both regions: what is added, changed or removed in one shows in the other', async ({ newDevice, products }) => {
  const device = await knownAbroad(newDevice);
  const [mug, cup] = products as [string, string];
  await add(device, eu, mug, 2);
  await add(device, us, cup, 1);
  await bothShow(device, { [mug]: 2, [cup]: 1 });
  await remove(device, us, mug);
  await bothShow(device, { [cup]: 1 });
});

for (const cut of [{ do: 'cut' }, { do: 'cut', way: 'eu-us' }, { do: 'hold' }])
  test(`both regions take commands in a cut (${cut.do} ${cut.way ?? 'both ways'}), and afterwards both carts are the same: nothing lost, doubled or back`, async ({
    newDevice,
    products,
  }) => {
    const device = await knownAbroad(newDevice);
    const guest = await newDevice();
    const [mug, cup, hat] = products as [string, string, string];
    await add(device, eu, mug, 1);
    await add(device, eu, hat, 1);
    await bothShow(device, { [mug]: 1, [hat]: 1 });

    const abroad = [await addition(device, us, mug, 2), await addition(device, us, cup, 1), await removal(device, us, hat)];
    // Looked at before the cut: what us takes may still come over, see below.
    const atHome = await removal(device, eu, mug);
    await ocean(cut);
    const taken = await Promise.all(abroad.map((command) => command()));
    await untilAnswered(202, atHome);
    await add(device, eu, cup, 4);
    await add(guest, us, hat, 3);
    // A mirror's question that was on its way when no byte left eu any more is still answered. So eu may have heard some of what us took.
    if (cut.way === undefined) await shows(device, eu, { [cup]: 4, [hat]: 1 });
    await shows(guest, us, { [hat]: 3 });

    await ocean({ do: 'heal' });
    // Somebody from abroad goes on for as long as a passport lives: on a slow machine it may have ended. A page then asks again.
    test.info().annotations.push({ type: 'taken abroad in the cut', description: taken.map(({ status }) => status).join(' ') });
    for (const command of abroad) await untilAnswered(202, command);
    // The removal of eu had seen one mug. The two that us added meanwhile stay.
    await bothShow(device, { [mug]: 2, [cup]: 5 });
    await bothShow(guest, { [hat]: 3 });
  });

test('a guest of us who signs in to an account of eu finds the cart of both, once, in both regions', async ({ newDevice, products }) => {
  const [home, abroad] = [await newDevice(), await newDevice()];
  const [mug, cup] = products as [string, string];
  const person = await registerAt(home, eu);
  await add(home, eu, mug, 1);
  await add(abroad, us, cup, 2);
  await untilAnswered(200, () => abroad.call('POST', '/api/session/login', person, { gateway: us }));
  await bothShow(home, { [mug]: 1, [cup]: 2 });
  await bothShow(abroad, { [mug]: 1, [cup]: 2 });
});

test('a guest of us who moves to eu and signs in there finds the cart of both', async ({ newDevice, products }) => {
  const [home, moved] = [await newDevice(), await newDevice()];
  const [mug, cup] = products as [string, string];
  const person = await registerAt(home, eu);
  await add(home, eu, mug, 1);
  await add(moved, us, cup, 2);
  await untilAnswered(200, () => moved.call('POST', '/api/session/login', person, { gateway: eu }));
  await bothShow(moved, { [mug]: 1, [cup]: 2 });
  await bothShow(home, { [mug]: 1, [cup]: 2 });
});

test('a page that moves to the other region shows what it saw in the first, or says by how much that region is ahead', async ({
  newDevice,
  products,
}) => {
  const device = await knownAbroad(newDevice);
  const [mug, cup] = products as [string, string];
  await add(device, eu, mug, 1);
  await bothShow(device, { [mug]: 1 });
  // The copy stands still, and the ocean does not.
  await whilePaused('mirror-us', async () => {
    await add(device, eu, cup, 1);
    await shows(device, eu, { [mug]: 1, [cup]: 1 });
    const token = (await look(device, eu)).headers['consistency-token']!;
    const moved = async () => {
      const cart = await cartOf(device, us, token);
      return [quantitiesOf(cart), cart.stale, cart.behindRegions];
    };
    await expect.poll(moved, { intervals: [200] }).toEqual([{ [mug]: 1 }, true, [{ region: 'eu', records: 1 }]]);
  });
  const token = (await look(device, eu)).headers['consistency-token']!;
  const moved = async () => {
    const cart = await cartOf(device, us, token);
    return [quantitiesOf(cart), cart.stale];
  };
  await expect.poll(moved, { timeout: equalWithinMs, intervals: [200] }).toEqual([{ [mug]: 1, [cup]: 1 }, false]);
});

/** One browser that visits both regions, as a person who travels. Its device asks with the same cookies, since localhost's go to every port. */
async function traveller(browser: Browser, baseURL: string): Promise<{ readonly page: Page; readonly device: Device }> {
  const context = await browser.newContext({ baseURL });
  return { page: await context.newPage(), device: new Device(context.request) };
}

test('in a cut a guest of us signs in at a page of eu, reads that the cart comes later, and has it after the heal', async ({
  browser,
  newDevice,
  products,
}) => {
  test.setTimeout(300_000);
  const home = await newDevice();
  const [mug, cup] = products as [string, string];
  const person = await registerAt(home, eu);
  await add(home, eu, mug, 1);
  const { page, device } = await traveller(browser, eu);
  await add(device, us, cup, 2);
  await ocean({ do: 'cut' });
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  const enter = page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true });
  await expect(async () => {
    if (await enter.isVisible()) await enter.click();
    await expect(page.getByLabel('Notifications')).toContainText('The region us cannot be reached now', { timeout: 10_000 });
  }).toPass({ timeout: 120_000 });
  await shows(device, eu, { [mug]: 1 });
  await ocean({ do: 'heal' });
  await bothShow(device, { [mug]: 1, [cup]: 2 });
  await bothShow(home, { [mug]: 1, [cup]: 2 });
  await page.context().close();
});

test('in a cut the cart page of us says by how much eu is ahead, and after the heal it shows the whole cart', async ({
  browser,
  newDevice,
  products,
}) => {
  test.setTimeout(480_000);
  const [mug, cup] = products as [string, string];
  const person = await registerAt(await newDevice(), eu);
  const { page, device } = await traveller(browser, eu);
  await signIn(page, person);
  await addToCart(page, mug);
  const standing = page.getByTitle('Whether all that you wrote or were shown is in view');
  const known = async () => decisionOf(await device.call('GET', '/api/cart', undefined, { gateway: us }));
  // A person from abroad goes on for a minute, and so does what the browser remembers of a write. A slow machine may need more than one.
  await expect(async () => {
    await ocean({ do: 'heal' });
    await expect.poll(known, { intervals: [200] }).toBe('hybrid hit');
    await page.goto(`${us}/cart`);
    await expect(standing).toHaveText('converged', { timeout: equalWithinMs });
    await ocean({ do: 'cut' });
    await addToCart(page, cup);
    await page.goto(`${us}/cart`);
    await expect(standing).toHaveText(/^behind eu by [1-9]\d*$/, { timeout: 10_000 });
    await expect(page.getByRole('complementary', { name: 'Session bar' })).toContainText(/behind eu by [1-9]/, { timeout: 10_000 });
    await expect(page.getByRole('main')).toContainText(/[1-9]\d* events? of eu (is|are) not here yet, and will appear/, {
      timeout: 10_000,
    });
  }).toPass({ timeout: 300_000 });
  await ocean({ do: 'heal' });
  await expect(lines(page)).toHaveCount(2, { timeout: equalWithinMs });
  await expect(standing).toHaveText('converged', { timeout: equalWithinMs });
  const atHome = quantitiesOf(await cartOf(device, eu));
  expect(Object.keys(atHome).toSorted()).toEqual([mug, cup].toSorted());
  await bothShow(device, atHome);
  await page.context().close();
});

test('a guest of us and a person of eu shop in two browsers during a cut, and after the heal each cart is the same in both regions', async ({
  browser,
  newDevice,
  products,
}) => {
  const [mug, cup, hat] = products as [string, string, string];
  const person = await registerAt(await newDevice(), eu);
  const [user, guest] = [await traveller(browser, eu), await traveller(browser, us)];
  await signIn(user.page, person);
  await addToCart(user.page, mug);
  await addToCart(guest.page, hat);
  await bothShow(user.device, { [mug]: 1 });
  await bothShow(guest.device, { [hat]: 1 });

  await ocean({ do: 'cut' });
  await addToCart(user.page, cup);
  await addToCart(guest.page, mug);
  // Each side may show what it has or refuse, but it has not heard of the other one.
  const shownAt = async (device: Device, gateway: string): Promise<string[]> => {
    const { status, body } = await device.call('GET', '/api/cart', undefined, { gateway });
    return status === 200 ? Object.keys(quantitiesOf(body as Cart)) : [];
  };
  expect(await shownAt(user.device, us)).not.toContain(cup);
  expect(await shownAt(guest.device, eu)).not.toContain(mug);
  await ocean({ do: 'heal' });
  const healedMs = Date.now();
  const carts = async () => {
    const asked = [user, guest].flatMap(({ device }) => [eu, us].map((gateway) => device.call('GET', '/api/cart', undefined, { gateway })));
    return (await Promise.all(asked)).map(({ status, body }) => (status === 200 && !body.stale ? quantitiesOf(body as Cart) : status));
  };
  const [ofUser, ofGuest] = [
    { [mug]: 1, [cup]: 1 },
    { [hat]: 1, [mug]: 1 },
  ];
  await expect.poll(carts, { timeout: equalWithinMs, intervals: [50] }).toEqual([ofUser, ofUser, ofGuest, ofGuest]);
  test.info().annotations.push({ type: 'both carts equal', description: `${Date.now() - healedMs} ms after the heal (goal: 5,000 ms)` });
  for (const { page } of [user, guest]) {
    for (const gateway of [eu, us]) {
      await page.goto(`${gateway}/cart`);
      await expect(lines(page)).toHaveCount(2, { timeout: equalWithinMs });
    }
    await page.context().close();
  }
});

test('an order leaves the cart in both regions, once', async ({ newDevice, products }) => {
  const device = await knownAbroad(newDevice);
  const [mug, cup] = products as [string, string];
  const addresses = [{ name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' }];
  await untilAnswered(200, () => device.call('PATCH', '/api/profile', { addresses }, { gateway: eu }));
  const { addressId } = (await device.call('GET', '/api/profile', undefined, { gateway: eu })).body.addresses[0];
  await add(device, us, mug, 1);
  await add(device, us, cup, 1);
  await bothShow(device, { [mug]: 1, [cup]: 1 });
  const { seen } = (await cartOf(device, eu)).lines.find(({ productId }) => productId === mug)!;
  const key = newCommandId();
  const order = () => device.call('POST', '/api/orders', { seen, addressId }, { gateway: eu, headers: { 'idempotency-key': key } });
  await untilAnswered(201, order);
  await bothShow(device, { [cup]: 1 });
  // Whoever still shows the mug cannot order it again.
  const keyAbroad = newCommandId();
  await untilAnswered(409, () =>
    device.call('POST', '/api/orders', { seen, addressId }, { gateway: us, headers: { 'idempotency-key': keyAbroad } }),
  );
  expect((await device.call('GET', '/api/orders', undefined, { gateway: eu })).body.items).toHaveLength(1);
});

test('a MirrorMaker that is paused, and one that is killed, copy on where they were', async ({ newDevice, products }) => {
  const device = await knownAbroad(newDevice);
  const [mug, cup] = products as [string, string];
  await whilePaused('mirror-us', async () => {
    await add(device, eu, mug, 1);
    await add(device, us, cup, 1);
    await shows(device, eu, { [mug]: 1, [cup]: 1 });
    await shows(device, us, { [cup]: 1 });
  });
  await bothShow(device, { [mug]: 1, [cup]: 1 });
  await killAndWaitForSuccessor('mirror-us');
  await add(device, eu, mug, 1);
  // The records that it had copied since its last note come again, and count once.
  await bothShow(device, { [mug]: 2, [cup]: 1 });
});
