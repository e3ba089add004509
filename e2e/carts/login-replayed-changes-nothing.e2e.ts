import { expect, newPerson, test } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';

test('a repeated login with the cookie of the guest changes neither cart', async ({ newDevice, products, playwright }) => {
  const [first, second] = products as [string, string];
  const person = newPerson();
  const device = await newDevice();
  await (await newDevice()).register(person);

  await device.add(first, 2);
  await device.add(second, 1);
  const guestCookies = await device.cookies();
  const login = await device.signIn(person);
  expect(login.status).toBe(200);
  expect(login.body.merge.state).toBe('pending');
  await device.expectCart({ [first]: 2, [second]: 1 });

  // The same request from a browser that never saw the answer: the guest's cookie, twice, at both gateways.
  for (const gateway of gateways) {
    const replay = await playwright.request.newContext({ storageState: { cookies: guestCookies as never, origins: [] } });
    const answer = await replay.post(`${gateway}/api/session/login`, {
      data: { email: person.email, password: person.password },
      headers: { origin: gateway },
    });
    expect(answer.status()).toBe(200);
    await replay.dispose();
  }
  const after = await device.expectCart({ [first]: 2, [second]: 1 });
  expect(after.merge.state).toBe('merged');
});

test('a guest cart belongs for ever to the first person who claims it', async ({ newDevice, products, playwright }) => {
  const [first] = products as [string];
  const [owner, thief] = [newPerson(), newPerson()];
  for (const person of [owner, thief]) await (await newDevice()).register(person);
  const device = await newDevice();
  await device.add(first, 3);
  const guestCookies = await device.cookies();
  await device.signIn(owner);
  await device.expectCart({ [first]: 3 });

  const replay = await playwright.request.newContext({ storageState: { cookies: guestCookies as never, origins: [] } });
  const answer = await replay.post(`${gateways[0]}/api/session/login`, {
    data: { email: thief.email, password: thief.password },
    headers: { origin: gateways[0] },
  });
  expect(answer.status()).toBe(200);
  const stolen = await replay.get(`${gateways[1]}/api/cart`);
  expect((await stolen.json()).lines).toEqual([]);
  await replay.dispose();
});
