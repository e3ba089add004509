import { selfContainedModes, tokenModeNames } from '@cloakroom/contracts';
import type { Devices } from '@cloakroom/contracts/http';
import type { APIRequest } from '@playwright/test';
import { type Device, expect, newPerson, type Person, test } from '../kit/device.ts';
import { accessTokenLifetimeMs, gateways } from '../kit/stack.ts';
import { leaseMs, untilHeard } from '../kit/until-heard.ts';

const untilRefused = (ask: () => Promise<number>, withinMs?: number): Promise<void> => untilHeard(ask, 401, 'refused', withinMs);

const decisionOf = (headers: Readonly<Record<string, string>>) =>
  /session;dur=[\d.]+;desc="([^"]+)"/.exec(headers['server-timing'] ?? '')?.[1];
const everywhere = (device: Device, path: string) =>
  Promise.all(gateways.map((gateway) => device.call('GET', path, undefined, { gateway })));

async function signedIn(newDevice: () => Promise<Device>, person: Person, mode: string): Promise<Device> {
  const device = await newDevice();
  const answer = await device.signIn(person, mode);
  expect([answer.status, answer.body.mode]).toEqual([200, mode]);
  return device;
}

/** The same cookies in other hands, without the cookies named in `leftOut`. */
async function copyOf(playwright: APIRequest, device: Device, leftOut: readonly string[] = []) {
  const cookies = (await device.cookies()).filter(({ name }) => !leftOut.includes(name)) as never;
  return playwright.newContext({ storageState: { cookies, origins: [] } });
}

test('one person is signed in on four devices in four modes, each serves at every gateway, and the list says which is which', async ({
  newDevice,
}) => {
  const person = newPerson();
  const first = await newDevice();
  await first.register(person);
  for (const mode of tokenModeNames) {
    const device = await signedIn(newDevice, person, mode);
    const held = (await device.cookies()).map(({ name }) => name).filter((name) => name.startsWith('__Host-') && !name.includes('known'));
    expect(held.toSorted()).toEqual(mode.startsWith('jwt') ? ['__Host-access', '__Host-refresh'] : ['__Host-session']);
    for (const { status, headers } of [...(await everywhere(device, '/api/cart')), ...(await everywhere(device, '/api/cart'))]) {
      expect(status).toBe(200);
      expect(decisionOf(headers)).toMatch(new RegExp(`^${mode} (local|hit|asked|joined)$`));
      if (mode.startsWith('jwt')) expect(decisionOf(headers)).toBe(`${mode} local`);
    }
  }
  const { body } = await first.call('GET', '/api/session/devices');
  expect((body as Devices).map(({ mode }) => mode).toSorted()).toEqual([...tokenModeNames, 'hybrid'].toSorted());
});

test('every gateway refuses a revoked session within the feed’s bound in jwt-denylist, and at its token’s end in jwt', async ({
  newDevice,
}) => {
  const person = newPerson();
  const master = await newDevice();
  await master.register(person);
  const jwt = await signedIn(newDevice, person, 'jwt');
  const denylist = await signedIn(newDevice, person, 'jwt-denylist');
  for (const device of [jwt, denylist]) for (const { status } of await everywhere(device, '/api/cart')) expect(status).toBe(200);

  expect((await master.call('DELETE', '/api/session/devices')).status).toBe(204);
  const endedAtMs = Date.now();
  for (const gateway of gateways) {
    await untilRefused(async () => (await denylist.call('GET', '/api/cart', undefined, { gateway })).status);
    const goesOn = await jwt.call('GET', '/api/cart', undefined, { gateway });
    expect([goesOn.status, decisionOf(goesOn.headers)], 'the lesson of mode jwt').toEqual([200, 'jwt local']);
    expect((await jwt.call('GET', '/api/session/devices', undefined, { gateway })).body.code, 'but for what is sensitive').toBe(
      'session_ended',
    );
  }
  await untilRefused(async () => (await jwt.call('GET', '/api/cart')).status, endedAtMs + accessTokenLifetimeMs + leaseMs - Date.now());
  for (const { body } of await everywhere(jwt, '/api/cart')) expect(body.code).toBe('session_ended');
});

for (const mode of selfContainedModes) {
  test(`twenty requests without an access token are renewed silently across the gateways, in one lineage: ${mode}`, async ({
    newDevice,
    playwright,
  }) => {
    const device = await signedIn(newDevice, await registered(newDevice), mode);
    const cookies = (await device.cookies()) as { name: string; value: string }[];
    const refresh = cookies.find(({ name }) => name === '__Host-refresh')!.value;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        fetch(`${gateways[i % gateways.length]}/api/cart`, { headers: { cookie: `__Host-refresh=${refresh}` } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const successors = answers.map((answer) => /__Host-refresh=([^;]+)/.exec(answer.headers.getSetCookie().join('\n'))?.[1]);
    expect(new Set(successors).size).toBe(1);
    const next = await fetch(`${gateways[0]}/api/cart`, { headers: { cookie: `__Host-refresh=${successors[0]}` } });
    expect([next.status, decisionOf(Object.fromEntries(next.headers))]).toEqual([200, `${mode} refreshed`]);

    const page = await copyOf(playwright.request, await signedIn(newDevice, await registered(newDevice), mode), ['__Host-access']);
    expect((await page.get(`${gateways[1]}/api/session`)).status()).toBe(200);
    expect((await page.storageState()).cookies.map(({ name }) => name)).toContain('__Host-access');
    await page.dispose();
  });
}

test('a sign-out in jwt-denylist clears all cookies, and every gateway refuses their copy', async ({ newDevice, playwright }) => {
  const device = await signedIn(newDevice, await registered(newDevice), 'jwt-denylist');
  const thief = await copyOf(playwright.request, device);
  expect((await device.call('POST', '/api/session/logout')).status).toBe(204);
  expect((await device.cookies()).map(({ name }) => name).filter((name) => /session|access|refresh/.test(name))).toEqual([]);
  for (const gateway of gateways) {
    await untilRefused(async () => (await thief.get(`${gateway}/api/cart`)).status());
  }
  await thief.dispose();
});

test('proving the password renews a self-contained session, and the token before it is refused at once', async ({
  newDevice,
  playwright,
}) => {
  const person = newPerson();
  const device = await signedIn(newDevice, await registered(newDevice, person), 'jwt-denylist');
  const before = await copyOf(playwright.request, device, ['__Host-access']);
  expect((await device.call('POST', '/api/session/reauthenticate', { password: person.password })).status).toBe(200);
  for (const gateway of gateways) {
    const refused = await before.get(`${gateway}/api/cart`);
    expect([refused.status(), (await refused.json()).code]).toEqual([401, 'session_ended']);
  }
  for (const { status } of await everywhere(device, '/api/cart')) expect(status, 'and nobody was signed out for it').toBe(200);
  await before.dispose();
});

async function registered(newDevice: () => Promise<Device>, person = newPerson()): Promise<Person> {
  expect((await (await newDevice()).register(person)).status).toBe(201);
  return person;
}
