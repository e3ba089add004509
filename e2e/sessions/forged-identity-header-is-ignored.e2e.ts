import { expect, newPerson, test } from '../kit/device.ts';

const forged = 'eyJhbGciOiJub25lIiwidHlwIjoicGFzc3BvcnQrand0In0.eyJzdWIiOiJ1X2FkbWluIiwiYXVkIjoiY2FydCJ9.';

for (const header of ['x-passport', 'X-Passport', 'x_passport', 'x-passport-bin', 'x-user-id', 'authorization']) {
  test(`an identity sent in ${header} neither grants nor removes an identity`, async ({ newDevice, products }) => {
    const stranger = await newDevice();
    const refused = await stranger.call('GET', '/api/profile', undefined, { headers: { [header]: forged } });
    expect(refused.status).toBe(401);
    expect(await stranger.state()).toBe('none');

    const person = newPerson();
    const device = await newDevice();
    await device.register(person);
    await device.add(products[0]!);
    // The profile hears of a sign-up through the log, so it may not know the address at once.
    await expect
      .poll(
        async () => {
          const own = await device.call('GET', '/api/profile', undefined, { headers: { [header]: forged } });
          return { status: own.status, email: own.body.email };
        },
        { timeout: 30_000 },
      )
      .toEqual({ status: 200, email: person.email });
  });
}

test('a token with a forged seal counts as no cookie', async ({ newDevice, playwright }) => {
  const device = await newDevice();
  await device.register(newPerson());
  const cookies = await device.cookies();
  const token = cookies.find(({ name }) => name === '__Host-session')!;
  const last = token.value.at(-5) === 'A' ? 'B' : 'A';
  const tampered = { ...token, value: token.value.slice(0, -5) + last + token.value.slice(-4) };
  const forger = await playwright.request.newContext({ storageState: { cookies: [tampered] as never, origins: [] } });
  const answer = await forger.get('/api/cart');
  expect(answer.status()).toBe(401);
  expect((await answer.json()).code).toBe('session_required');
  await forger.dispose();
});
