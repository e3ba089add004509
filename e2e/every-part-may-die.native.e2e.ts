import { expect, newPerson, test, type Device } from './device.ts';
import { e2eProvider, killAndWaitForSuccessor } from './stack.ts';

/** Everything that can be killed, each while a person walks the journey. */
const parts =
  e2eProvider === 'native-postgres'
    ? (['auth', 'profile', 'catalog', 'postgres'] as const)
    : (['auth', 'cart', 'profile', 'catalog', 'gateway-1', 'gateway-2', 'redis-sessions', 'redis-carts', 'kafka'] as const);

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

/** Every call is repeated while it answers 503 within its budget; anything else that is not a success fails. */
async function walkJourney(device: Device, person: { email: string; password: string }, first: string, second: string): Promise<void> {
  await device.add(first, 2);
  const login = await device.insist('POST', '/api/session/login', { email: person.email, password: person.password });
  expect(login.status, JSON.stringify(login.body)).toBe(200);
  await device.add(second, 1);
  const profile = await device.insist('PATCH', '/api/profile', { name: 'Robin Survivor' });
  expect(profile.status).toBe(200);
  expect((await device.insist('GET', '/api/session/devices')).status).toBe(200);
}
