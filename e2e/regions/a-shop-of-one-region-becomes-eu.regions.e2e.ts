/** Two regions stand on data that an older build left, which knew of no regions (e2e/before): eu is that shop, and us is new. */
import { deviceOf, shopOfBefore } from '../before/shop-of-before.ts';
import { type Device, expect, quantitiesOf, test } from '../kit/device.ts';
import { untilAnswered } from '../kit/ocean.ts';
import { oneTimeCodeOf } from '../kit/one-time-code.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
const both = [
  [eu, 'eu'],
  [us, 'us'],
] as const;
const { robin, kim, guest } = shopOfBefore();

/** Each answer may be late on a busy machine. Then the same is asked again. */
async function asked(device: Device, gateway: string, path: string) {
  let told: Awaited<ReturnType<Device['call']>> | undefined;
  await untilAnswered(200, async () => (told = await device.call('GET', path, undefined, { gateway })));
  return told!.body;
}

for (const kind of ['hybrid', 'selfContained'] as const)
  test(`a session of before goes on in eu, and abroad, with its cart, orders and profile: ${kind}`, async ({ playwright }) => {
    const device = await deviceOf(playwright, robin[kind]);
    for (const [gateway, here] of both) {
      const session = { state: 'user', user: { email: robin.email }, region: { here, home: 'eu' } };
      expect(await asked(device, gateway, '/api/session')).toMatchObject(session);
      await expect.poll(async () => quantitiesOf(await asked(device, gateway, '/api/cart'))).toEqual(robin.cart);
      expect(await asked(device, gateway, `/api/orders/${robin.placed}`)).toMatchObject({ status: 'placed' });
      expect(await asked(device, gateway, `/api/orders/${robin.cancelled}`)).toMatchObject({ status: 'cancelled' });
      expect(await asked(device, gateway, '/api/profile')).toMatchObject({ name: robin.profileName, addresses: [{ city: robin.city }] });
    }
  });

test('a guest of before is still that guest, in both regions', async ({ playwright }) => {
  const device = await deviceOf(playwright, guest.cookies);
  for (const [gateway, here] of both) {
    expect(await asked(device, gateway, '/api/session')).toMatchObject({ state: 'guest', region: { here, home: 'eu' } });
    await expect.poll(async () => quantitiesOf(await asked(device, gateway, '/api/cart'))).toEqual(guest.cart);
  }
});

test('a device that a person ended before is refused in both regions', async ({ playwright }) => {
  const device = await deviceOf(playwright, robin.ended);
  for (const gateway of gateways) await untilAnswered(401, () => device.call('GET', '/api/cart', undefined, { gateway }));
});

for (const [gateway, here] of both)
  test(`an account of before signs in from ${here}, and lives in eu`, async ({ newDevice }) => {
    const device = await newDevice();
    const { email, password } = robin;
    await untilAnswered(200, () => device.call('POST', '/api/session/login', { email, password }, { gateway }));
    const session = { state: 'user', user: { email }, region: { here, home: 'eu' } };
    expect(await asked(device, gateway, '/api/session')).toMatchObject(session);
  });

test("an account of before, whose address us decides now, signs in from us with its app's code", async ({ newDevice }) => {
  const device = await newDevice();
  const { email, password } = kim;
  // A code counts once. Where the answer to it was lost, the next try has the code of another half minute.
  const signIn = async (): Promise<number> => {
    const half = await device.call('POST', '/api/session/login', { email, password }, { gateway: us });
    if (half.body.code !== 'second_factor_required') return half.status;
    const proof = { challenge: half.body.challenge, code: oneTimeCodeOf(kim.totpSecret) };
    return (await device.call('POST', '/api/session/login/second-factor', proof, { gateway: us })).status;
  };
  await expect.poll(signIn, { timeout: 150_000, intervals: [1_000, 10_000] }).toBe(200);
  expect(await asked(device, us, '/api/session')).toMatchObject({ state: 'user', user: { email }, region: { here: 'us', home: 'eu' } });
  await expect.poll(async () => quantitiesOf(await asked(device, us, '/api/cart'))).toEqual(kim.cart);
});

test('a session of before that signs out is over in both regions', async ({ playwright }) => {
  const [device, copied] = [await deviceOf(playwright, robin.hybrid), await deviceOf(playwright, robin.hybrid)];
  await untilAnswered(204, () => device.call('POST', '/api/session/logout', undefined, { gateway: us }));
  for (const gateway of gateways)
    await expect.poll(() => copied.call('GET', '/api/cart', undefined, { gateway }).then(({ status }) => status)).toBe(401);
});
