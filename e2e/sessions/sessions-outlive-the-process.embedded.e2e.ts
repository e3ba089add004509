import { expect, newPerson, test } from '../kit/device.ts';
import { killAndWaitForSuccessor } from '../kit/stack.ts';

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`every live session survives ${signal}, and an ended session stays ended`, async ({ newDevice, products, playwright, baseURL }) => {
    const [person, guest, other] = [await newDevice(), await newDevice(), await newDevice()];
    const account = newPerson();
    await person.register(account);
    await person.add(products[0]!, 2);
    await guest.add(products[1]!, 1);
    await other.signIn(account);
    const copied = { cookies: (await other.cookies()) as never, origins: [] };
    expect((await other.call('POST', '/api/session/logout')).status).toBe(204);

    await killAndWaitForSuccessor('cloakroom', signal);

    expect((await person.insist('GET', '/api/session')).body.state).toBe('user');
    await person.expectCart({ [products[0]!]: 2 });
    expect((await guest.insist('GET', '/api/session')).body.state).toBe('guest');
    await guest.expectCart({ [products[1]!]: 1 });
    const thief = await playwright.request.newContext({ storageState: copied, ...(baseURL !== undefined && { baseURL }) });
    expect((await thief.get('/api/cart')).status(), 'signed out before, and after').toBe(401);
    await thief.dispose();
  });
}
