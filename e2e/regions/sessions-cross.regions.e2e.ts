/**
 * Sessions of two regions, with the real copy of the feed and an ocean that is really cut. The first gateway is eu's, the second is us'. In a cut the
 * last test waits for a passport's end, so it takes a minute.
 */
import type { Device } from '../kit/device.ts';
import { expect, test } from '../kit/device.ts';
import { decisionOf, ocean, registerAt, untilAnswered, untilUnreachable } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
/** Within the lease a revocation is heard, or auth is asked. Everything beyond is for a machine that is busy elsewhere. */
const refusedWithinMs = 30_000;
/** A passport lives so long, and no revocation makes it longer. */
const passportMs = 60_000;

test.afterEach(() => ocean({ do: 'heal' }));

const read = (device: Device, gateway: string, path = '/api/cart') => device.call('GET', path, undefined, { gateway });

/** Two devices of one person, both signed in at home, and the second one known abroad, under the lease of home's feed. */
async function twoDevices(newDevice: () => Promise<Device>, home: string, abroad: string): Promise<[Device, Device]> {
  const [first, second] = [await newDevice(), await newDevice()];
  const { email, password } = await registerAt(first, home);
  await untilAnswered(200, () => second.call('POST', '/api/session/login', { email, password }, { gateway: home }));
  await expect.poll(async () => decisionOf(await read(second, abroad)), { message: 'known there, under the lease' }).toBe('hybrid hit');
  return [first, second];
}

for (const [home, abroad, names] of [
  [eu, us, { here: 'us', home: 'eu' }],
  [us, eu, { here: 'eu', home: 'us' }],
] as const)
  test(`a session of ${names.home} is used in ${names.here}, and a device that is ended at home is refused there`, async ({
    newDevice,
  }) => {
    const [first, second] = await twoDevices(newDevice, home, abroad);
    const regions = () => read(second, abroad, '/api/session').then(({ body }) => [body.state, body.region]);
    await expect.poll(regions, { intervals: [200] }).toEqual(['user', { ...names, homeReachable: true }]);
    // Home answers for the list of devices, also from here.
    await untilAnswered(200, () => read(second, abroad, '/api/session/devices'));
    await untilAnswered(204, () => first.call('DELETE', '/api/session/devices', undefined, { gateway: home }));
    const endedMs = Date.now();
    const refused = () => read(second, abroad).then(({ status }) => status);
    await expect.poll(refused, { timeout: refusedWithinMs, intervals: [10] }).toBe(401);
    test.info().annotations.push({ type: 'refused abroad', description: `${Date.now() - endedMs} ms after home answered` });
    // The device that is left.
    await untilAnswered(200, () => read(first, abroad));
    // The other way round: what ends abroad, ends at home.
    await untilAnswered(204, () => first.call('POST', '/api/session/logout', undefined, { gateway: abroad }));
    await expect.poll(() => read(first, home).then(({ status }) => status), { intervals: [200] }).toBe(401);
  });

test('in a cut nothing that home ended is accepted beyond a passport, and nothing after the heal', async ({ newDevice, playwright }) => {
  const [first, second] = await twoDevices(newDevice, eu, us);
  const copied = await playwright.request.newContext({ storageState: { cookies: (await second.cookies()) as never, origins: [] } });
  await ocean({ do: 'cut' });
  // Home goes on.
  await untilAnswered(204, () => first.call('DELETE', '/api/session/devices', undefined, { gateway: eu }));
  const endedMs = Date.now();
  // Sensitive: at once. The lease may last for 2 s more, and this never rests on it.
  await untilUnreachable(() => read(second, us, '/api/session/devices'));
  let lastAcceptedMs = endedMs;
  let degraded = false;
  const answered = async (): Promise<number> => {
    const askedMs = Date.now();
    const told = await read(second, us);
    if (told.status === 200) lastAcceptedMs = askedMs;
    degraded ||= decisionOf(told) === 'hybrid degraded';
    return told.status;
  };
  await expect.poll(answered, { timeout: passportMs + refusedWithinMs, intervals: [500] }).toBe(503);
  expect(degraded, 'the shop went on for what is not sensitive').toBe(true);
  expect(lastAcceptedMs - endedMs).toBeLessThanOrEqual(passportMs);
  // People of this region do not notice.
  const local = await newDevice();
  await registerAt(local, us);
  await untilAnswered(200, () => read(local, us));

  await ocean({ do: 'heal' });
  const after: number[] = [];
  await expect
    .poll(async () => after[after.push((await copied.get(`${us}/api/cart`)).status()) - 1], { timeout: refusedWithinMs, intervals: [50] })
    .toBe(401);
  expect(
    after.filter((status) => status === 200),
    'accepted after the heal',
  ).toEqual([]);
  await copied.dispose();
});
