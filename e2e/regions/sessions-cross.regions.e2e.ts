/**
 * Sessions of two regions, with the real copy of the feed. The first gateway is eu's, the second is us'. late-revocations.regions.e2e.ts has what
 * becomes of them while the ocean is broken.
 */
import type { Device } from '../kit/device.ts';
import { expect, test } from '../kit/device.ts';
import { decisionOf, registerAt, untilAnswered } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
/** Within the lease a revocation is heard, or auth is asked. Everything beyond is for a machine that is busy elsewhere. */
const refusedWithinMs = 30_000;

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
