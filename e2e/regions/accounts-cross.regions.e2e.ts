/** Accounts of two regions, over an ocean that is really cut: sign-in from the other side, and sign-up. */
import type { Answer, Device } from '../kit/device.ts';
import { expect, newPerson, newPersonOf, type Person, test } from '../kit/device.ts';
import { ocean, registerAt, untilAnswered, untilUnreachable } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
const regions = { eu, us } as const;
const otherOf = { eu: 'us', us: 'eu' } as const;
const names = ['eu', 'us'] as const;

test.afterEach(() => ocean({ do: 'heal' }));

const signIn = (device: Device, gateway: string, { email, password }: Person) =>
  device.call('POST', '/api/session/login', { email, password }, { gateway });
const signUp = (device: Device, gateway: string, person: Person) => device.call('POST', '/api/session/register', person, { gateway });

/** As untilAnswered, for a test that needs the answer too. */
async function answered(status: number, call: () => Promise<Answer>): Promise<Answer> {
  let told: Answer | undefined;
  await untilAnswered(status, async () => (told = await call()));
  return told!;
}

/** A silence of the other side may cost one of ten attempts in 15 minutes. So these wait longer than others, and run out of time first. */
const intervals = [3_000];

/** Somebody who read that the other side did not answer tries again, until the address has an account. An answer that came too late counts too. */
const untilSignedUp = (newDevice: () => Promise<Device>, gateway: string, person: Person) =>
  expect.poll(async () => [201, 409].includes((await signUp(await newDevice(), gateway, person)).status), { intervals }).toBe(true);

/** A question about an address that the other side decides costs nothing while it is not answered. */
const untilAsked = (newDevice: () => Promise<Device>, from: 'eu' | 'us') =>
  untilAnswered(201, async () => signUp(await newDevice(), regions[from], newPersonOf(otherOf[from])));

const personOf = async (newDevice: () => Promise<Device>, region: 'eu' | 'us') => registerAt(await newDevice(), regions[region]);

/** The words of the refusal. */
async function unreachable(call: () => Promise<Answer>): Promise<string> {
  let told: Answer | undefined;
  await untilUnreachable(async () => (told = await call()));
  return told!.body.detail as string;
}

/** Everybody who may sign in with it, on each side. */
async function accountsOf(newDevice: () => Promise<Device>, person: Person): Promise<unknown[]> {
  const ids = new Set<unknown>();
  for (const name of names) {
    const { body } = await answered(200, async () => signIn(await newDevice(), regions[name], person));
    ids.add(body.user.id);
  }
  return [...ids];
}

for (const home of names)
  test(`an account of ${home} signs in from ${otherOf[home]} with a guest's cart, and its session lives at home`, async ({
    newDevice,
    products,
  }) => {
    const abroad = otherOf[home];
    const person = await personOf(newDevice, home);
    const device = await newDevice();
    const gateway = regions[abroad];
    await untilAnswered(401, () => signIn(device, gateway, { ...person, password: 'not the right one' }));
    expect((await device.call('POST', '/api/session/guest', undefined, { gateway })).status).toBe(201);
    const line = await device.addition(products[0]!, 1);
    await untilAnswered(202, () => device.call('POST', '/api/cart/lines', line, { gateway }));
    const { body } = await answered(200, () => signIn(device, gateway, person));
    expect(body).toMatchObject({ state: 'user', user: { email: person.email }, merge: { state: 'pending' } });
    const told = await answered(200, () => device.call('GET', '/api/session', undefined, { gateway }));
    expect(told.body).toMatchObject({ state: 'user', user: { email: person.email }, region: { here: abroad, home } });
    // The other gateway knows the same session.
    const atHome = await answered(200, () => device.call('GET', '/api/session', undefined, { gateway: regions[home] }));
    expect(atHome.body).toMatchObject({ handle: told.body.handle, region: { here: home, home } });
    await untilAnswered(204, () => device.call('POST', '/api/session/logout', undefined, { gateway }));
  });

test('in a cut accounts of this side sign in, every failure is told alike, and an account abroad gets in after the heal', async ({
  newDevice,
}) => {
  const [ofEu, ofUs] = [await personOf(newDevice, 'eu'), await personOf(newDevice, 'us')];
  const device = await newDevice();
  await ocean({ do: 'cut' });
  for (const person of [ofEu, newPerson(), { ...ofUs, password: 'not the right one' }]) {
    expect(await unreachable(() => signIn(device, us, person))).toContain('"eu"');
  }
  await untilAnswered(200, () => signIn(device, us, ofUs));
  await ocean({ do: 'heal' });
  await untilAnswered(200, async () => signIn(await newDevice(), us, ofEu));
});

for (const cut of [{ do: 'cut' }, { do: 'cut', way: 'us-eu' }, { do: 'cut', way: 'eu-us' }])
  test(`an address that eu decides signs up in us while they are connected; in a cut (${cut.way ?? 'both ways'}) it waits`, async ({
    newDevice,
  }) => {
    const before = newPersonOf('eu');
    await untilSignedUp(newDevice, us, before);
    await untilAsked(newDevice, 'eu');
    await expect.poll(async () => (await signUp(await newDevice(), eu, before)).status, { intervals }).toBe(409);

    await ocean(cut);
    const waiting = newPersonOf('eu');
    const told = await unreachable(async () => signUp(await newDevice(), us, waiting));
    expect(told).toContain('The region "eu" must say whether this e-mail address is free');
    // Each side goes on with the addresses that it decides.
    for (const name of names) await personOf(newDevice, name);
    // An address that was given to us stays there.
    await untilUnreachable(async () => signUp(await newDevice(), eu, before));

    await ocean({ do: 'heal' });
    await untilSignedUp(newDevice, us, waiting);
    expect(await accountsOf(newDevice, waiting)).toHaveLength(1);
    expect(await accountsOf(newDevice, before)).toHaveLength(1);
  });

for (const decider of names)
  for (const isCut of [false, true])
    test(`both sides sign up one address at once, ${decider} decides, ${isCut ? 'in a cut' : 'connected'}: one account comes of it`, async ({
      newDevice,
    }) => {
      const person = newPersonOf(decider);
      const devices = [await newDevice(), await newDevice()] as const;
      if (isCut) await ocean({ do: 'cut' });
      const told = await Promise.all([signUp(devices[0], eu, person), signUp(devices[1], us, person)]);
      const made = told.filter(({ status }) => status === 201);
      expect(made.length, JSON.stringify(told.map(({ status, body }) => [status, body.code]))).toBeLessThanOrEqual(1);
      const there = told[names.indexOf(otherOf[decider])];
      if (isCut) expect(there?.status, 'the decider is not heard').toBeGreaterThanOrEqual(500);
      await ocean({ do: 'heal' });
      for (const gateway of [eu, us]) await untilSignedUp(newDevice, gateway, person);
      expect(await accountsOf(newDevice, person)).toHaveLength(1);
    });
