import { expect, newPerson, test } from '../kit/device.ts';
import { walkJourney } from '../kit/journey.ts';
import { e2eProvider, killAndWaitForSuccessor } from '../kit/stack.ts';

/** Everything that can be killed. Each is killed while a person walks the journey. */
const parts =
  e2eProvider === 'native-postgres'
    ? (['auth', 'profile', 'catalog', 'orders', 'postgres'] as const)
    : (['auth', 'cart', 'profile', 'catalog', 'orders', 'gateway-1', 'gateway-2', 'redis-sessions', 'redis-carts', 'kafka'] as const);

for (const part of parts) {
  test(`kill -9 of ${part} during the journey: no raw error, nothing acknowledged is lost, no dead session lives`, async ({
    newDevice,
    products,
  }) => {
    test.setTimeout(180_000);
    const [first, second] = products as [string, string];
    const person = newPerson();
    const [laptop, phone, old] = [await newDevice(), await newDevice(), await newDevice()];
    await phone.register(person);
    await old.signIn(person);
    const dead = (await old.cookies()).find(({ name }) => name === '__Host-session')!;
    await old.call('POST', '/api/session/logout');

    const killed = killAndWaitForSuccessor(part);
    const walk = walkJourney(laptop, person, first, second);
    await Promise.all([killed, walk]);

    await laptop.expectCart({ [first]: 2, [second]: 1 }, 45_000);
    await phone.expectCart({ [first]: 2, [second]: 1 }, 45_000);
    const replay = await newDevice();
    const refused = await replay.insist('GET', '/api/session/devices', undefined, 30_000, { cookie: `__Host-session=${dead.value}` });
    expect(refused.status, 'the signed-out token stays dead').toBe(401);
  });
}
