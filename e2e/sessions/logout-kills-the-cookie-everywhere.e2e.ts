import { expect, newPerson, test } from '../kit/device.ts';
import { gateways } from '../kit/stack.ts';
import { untilHeard } from '../kit/until-heard.ts';

test('a cookie that was copied before sign-out is refused by every gateway after it', async ({ newDevice, playwright }) => {
  const device = await newDevice();
  await device.register(newPerson());
  const copied = { cookies: (await device.cookies()) as never, origins: [] };
  // Warm both identity caches: the refusal must not depend on a cold one.
  for (const gateway of gateways) expect((await device.call('GET', '/api/cart', undefined, { gateway })).status).toBe(200);
  expect((await device.call('POST', '/api/session/logout', undefined, { gateway: gateways[0] })).status).toBe(204);

  for (const gateway of gateways) {
    const thief = await playwright.request.newContext({ storageState: copied });
    await untilHeard(async () => (await thief.get(`${gateway}/api/cart`)).status(), 401, `refused by ${gateway}`);
    const answer = await thief.get(`${gateway}/api/cart`);
    expect((await answer.json()).code).toBe('session_ended');
    expect(answer.headers()['set-cookie'] ?? '', 'only logout clears a cookie').not.toContain('__Host-session');
    expect((await (await thief.get(`${gateway}/api/session`)).json()).state).toBe('none');
    await thief.dispose();
  }
});

test('a guest that signs in leaves no living guest token behind', async ({ newDevice, products, playwright }) => {
  const person = newPerson();
  await (await newDevice()).register(person);
  const device = await newDevice();
  await device.add(products[0]!);
  const guest = { cookies: (await device.cookies()) as never, origins: [] };
  await device.signIn(person);
  for (const gateway of gateways) {
    const replay = await playwright.request.newContext({ storageState: guest });
    await untilHeard(async () => (await replay.get(`${gateway}/api/cart`)).status(), 401);
    await replay.dispose();
  }
});
