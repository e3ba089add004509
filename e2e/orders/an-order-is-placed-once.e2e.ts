/** Check-out exactly once, over the public API and across both gateways. */
import type { Order, Problem, SignedIn } from '@cloakroom/contracts/http';
import { expect, newCommandId, newPerson, quantitiesOf, test, type Answer, type Device } from '../kit/device.ts';
import { shopper, stepsCalled, stockOf } from '../kit/shopper.ts';
import { gateways } from '../kit/stack.ts';

const codesOf = (answers: readonly Answer[]): string[] =>
  answers.map(({ status, body }) => (status === 201 ? 'placed' : (body as Problem).code)).toSorted();
const idsOf = (answers: readonly Answer[]): string[] => [...new Set(answers.map(({ body }) => (body as Order).orderId))];
test('twenty requests with one key at once, over all gateways, make one order', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const device = await shopper(newDevice, { [first]: 2 });
  const before = await stockOf(device, first);
  const wish = { key: newCommandId(), seen: (await device.cart()).seen };
  const answers = await Promise.all(Array.from({ length: 20 }, () => device.checkout(wish)));
  expect(codesOf(answers)).toEqual(answers.map(() => 'placed'));
  expect(idsOf(answers)).toHaveLength(1);
  const orders = await device.orders();
  expect(orders.map(({ orderId }) => orderId)).toEqual(idsOf(answers));
  expect(stepsCalled(orders[0]!, 'PaymentCaptured')).toBe(1);
  expect(await stockOf(device, first), 'stock was taken once').toBe(before - 2);
  await device.expectCart({});
});

test('a key is for one body: a different body is refused, and the first order stays', async ({ newDevice, products }) => {
  const [first, second] = products as [string, string];
  const device = await shopper(newDevice, { [first]: 1 });
  const wish = { key: newCommandId(), seen: (await device.cart()).seen };
  const placed = await device.checkout(wish);
  await device.add(second);
  const other = await device.checkout({ ...wish, seen: (await device.expectCart({ [second]: 1 })).seen });
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  expect((await device.orders()).map(({ orderId }) => orderId)).toEqual(idsOf([placed]));
});

test('the dots of a cart are ordered once: of many keys at once, on two devices, one orders them and the others see the cart', async ({
  newDevice,
  products,
}) => {
  const [first, second] = products as [string, string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.register(person);
  await phone.signIn(person);
  await laptop.add(first, 2);
  await laptop.add(second);
  const { seen } = await laptop.expectCart({ [first]: 2, [second]: 1 });
  const addressId = await laptop.addressId();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? laptop : phone).checkout({ seen, addressId })),
  );
  expect(codesOf(answers)).toEqual([...Array.from({ length: 7 }, () => 'cart_changed'), 'placed']);
  for (const { body } of answers.filter(({ status }) => status === 409)) expect(body.cart.cartId).toBe((await laptop.cart()).cartId);
  expect(await phone.orders()).toHaveLength(1);
  await phone.expectCart({});
});

/**
 * A product with little stock from the first day and many sizes. Each size is a separate line, so
 * one person can order several times at once.
 */
const scarce = 'leather-loafers';
const linesEach = 5;
const buyerCount = 10;

test('exactly one of fifty check-outs, over all gateways, gets the last piece', async ({ newDevice }) => {
  test.setTimeout(180_000);
  const people: Device[] = [];
  // One after the other: hashing is bounded on purpose, and a long queue would be refused in the end.
  while (people.length < buyerCount) people.push(await shopper(newDevice, {}));
  const [anyone] = people as [Device];
  const { body } = await anyone.insist('GET', `/api/products/${scarce}`);
  const options = body.options as { name: string; values: string[] }[];
  const choices = options[0]!.values
    .flatMap((one) => options[1]!.values.map((other) => ({ [options[0]!.name]: one, [options[1]!.name]: other })))
    .slice(0, linesEach);
  expect(choices).toHaveLength(linesEach);
  if ((body.stock as number) > 1) {
    await anyone.add(scarce, (body.stock as number) - 1);
    await anyone.expectCart({ [scarce]: (body.stock as number) - 1 });
    expect((await anyone.checkout()).status).toBe(201);
    await anyone.expectCart({});
  }
  expect(await stockOf(anyone, scarce)).toBe(1);
  const wishes = await Promise.all(people.map((device) => wishesOf(device, choices)));

  const answers = await answersTo(people.flatMap((device, index) => wishes[index]!.map((wish) => () => place(device, wish))));
  expect(codesOf(answers)).toEqual([...Array.from({ length: buyerCount * linesEach - 1 }, () => 'out_of_stock'), 'placed']);
  for (const gateway of gateways) {
    const seen = await anyone.call('GET', `/api/products/${scarce}`, undefined, { gateway });
    expect(seen.body.stock, 'and nobody is told otherwise').toBe(0);
  }
  const bought = (await Promise.all(people.map((device) => device.orders()))).flat();
  const units = bought.filter(({ status, lines }) => status === 'placed' && lines.some(({ productId }) => productId === scarce));
  expect(
    units.reduce((sum, { lines }) => sum + lines[0]!.quantity, 0),
    'as many as there were',
  ).toBe(body.stock);
});

/** One check-out for each of these lines, each with the `seen` of that line only. */
async function wishesOf(device: Device, choices: readonly Record<string, string>[]) {
  for (const options of choices) {
    const command = { commandId: newCommandId(), productId: scarce, quantity: 1, options };
    expect((await device.insist('POST', '/api/cart/lines', command)).status).toBe(202);
  }
  await expect.poll(async () => (await device.cart()).lines.length).toBe(choices.length);
  const addressId = await device.addressId();
  return (await device.cart()).lines.map(({ seen }) => ({ seen, addressId, key: newCommandId() }));
}

const place = (device: Device, { key, ...body }: { key: string; seen: string; addressId: string }): Promise<Answer> =>
  device.call('POST', '/api/orders', body, { headers: { 'idempotency-key': key } });

/** Sends all at once. Then it repeats those that a busy shop refused, a few at a time, under their keys. */
async function answersTo(asks: readonly (() => Promise<Answer>)[]): Promise<Answer[]> {
  const answers = new Map<number, Answer>();
  for (let round = 0, width = asks.length; round < 12 && answers.size < asks.length; round++, width = 5) {
    const open = [...asks.keys()].filter((at) => !answers.has(at));
    for (let from = 0; from < open.length; from += width) {
      const asked = open.slice(from, from + width);
      const told = await Promise.allSettled(asked.map((at) => asks[at]!()));
      for (const [index, answer] of told.entries())
        if (answer.status === 'fulfilled' && answer.value.status < 500) answers.set(asked[index]!, answer.value);
    }
  }
  expect(answers.size, 'everybody is answered in the end').toBe(asks.length);
  return [...answers.values()];
}

test('one of two people who sign in with one guest cart at once gets it, and the other gets nothing of it', async ({
  newDevice,
  products,
  playwright,
}) => {
  const [first] = products as [string];
  const people = [newPerson(), newPerson()];
  for (const person of people) await (await newDevice()).register(person);
  const guest = await newDevice();
  await guest.add(first, 3);
  const { cartId } = await guest.expectCart({ [first]: 3 });
  const cookies = await guest.cookies();
  const claims = await Promise.all(
    people.map(async ({ email, password }, index) => {
      const gateway = gateways[index]!;
      const context = await playwright.request.newContext({ storageState: { cookies: cookies as never, origins: [] } });
      const answer = await context.post(`${gateway}/api/session/login`, { data: { email, password }, headers: { origin: gateway } });
      const { merge } = (await answer.json()) as SignedIn;
      await context.dispose();
      return merge?.from;
    }),
  );
  expect(claims.filter((from) => from === cartId)).toHaveLength(1);
  const carts = await Promise.all(
    people.map(async (person, index) => {
      const device = await newDevice();
      await device.signIn(person);
      if (claims[index] === cartId) await device.expectCart({ [first]: 3 });
      return quantitiesOf(await device.cart());
    }),
  );
  expect(carts.filter((cart) => cart[first] === 3)).toHaveLength(1);
  expect(carts.filter((cart) => Object.keys(cart).length === 0)).toHaveLength(1);
});
