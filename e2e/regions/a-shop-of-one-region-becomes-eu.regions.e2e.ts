/** Two regions stand on the data of a shop of one region (one-region-before.ts): eu is that shop, and us is new. */
import { Device, expect, quantitiesOf, test } from '../kit/device.ts';
import { untilAnswered } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';
import { type Left, readLeft } from './one-region-before.ts';

const [eu, us] = gateways;
const left = readLeft();

const deviceOf = async (playwright: { request: typeof import('@playwright/test').request }, { cookies }: Left) =>
  new Device(await playwright.request.newContext({ storageState: cookies }));

/** Each answer may be late on a busy machine. Then the same is asked again. */
async function asked(device: Device, gateway: string, path: string) {
  let told: Awaited<ReturnType<Device['call']>> | undefined;
  await untilAnswered(200, async () => (told = await device.call('GET', path, undefined, { gateway })));
  return told!.body;
}

for (const kind of ['hybrid', 'selfContained'] as const)
  test(`a session of before goes on in eu, and abroad, with its cart and its orders: ${kind}`, async ({ playwright }) => {
    const device = await deviceOf(playwright, left[kind]);
    const who = { state: 'user', user: { email: left.person.email } };
    expect(await asked(device, eu, '/api/session')).toMatchObject({ ...who, region: { here: 'eu', home: 'eu' } });
    expect(quantitiesOf(await asked(device, eu, '/api/cart'))).toEqual(left[kind].cart);
    expect(await asked(device, eu, `/api/orders/${left.orderId}`)).toMatchObject({ orderId: left.orderId, status: 'placed' });
    expect(await asked(device, us, '/api/session')).toMatchObject({ ...who, region: { here: 'us', home: 'eu' } });
  });

test('a guest of before is still that guest', async ({ playwright }) => {
  const device = await deviceOf(playwright, left.guest);
  expect(await asked(device, eu, '/api/session')).toMatchObject({ state: 'guest', region: { here: 'eu', home: 'eu' } });
  expect(quantitiesOf(await asked(device, eu, '/api/cart'))).toEqual(left.guest.cart);
});

for (const [gateway, name] of [
  [eu, 'eu'],
  [us, 'us'],
] as const)
  test(`an account of before signs in from ${name}, and lives in eu`, async ({ newDevice }) => {
    const device = await newDevice();
    const { email, password } = left.person;
    await untilAnswered(200, () => device.call('POST', '/api/session/login', { email, password }, { gateway }));
    expect(await asked(device, gateway, '/api/session')).toMatchObject({
      state: 'user',
      user: { email },
      region: { here: name, home: 'eu' },
    });
  });

test('a session of before that signs out is over in both regions', async ({ playwright }) => {
  const device = await deviceOf(playwright, left.selfContained);
  const copied = await deviceOf(playwright, {
    ...left.selfContained,
    cookies: { cookies: (await device.cookies()) as never, origins: [] },
  });
  await untilAnswered(204, () => device.call('POST', '/api/session/logout', undefined, { gateway: us }));
  for (const gateway of [eu, us])
    await expect.poll(() => copied.call('GET', '/api/cart', undefined, { gateway }).then(({ status }) => status)).toBe(401);
});
