/** One stock that two regions sell, with an ocean that is really cut. */
import type { Cart, Product } from '@cloakroom/contracts/http';
import type { Device } from '../kit/device.ts';
import { expect, newCommandId, test } from '../kit/device.ts';
import { ocean, registerAt, untilAnswered } from '../kit/ocean.ts';
import { gateways } from '../kit/stack.ts';

const [eu, us] = gateways;
test.afterEach(() => ocean({ do: 'heal' }));

/** The regions look at each other every two seconds. The rest is for a machine that is busy elsewhere. */
const heardWithinMs = 60_000;
const address = { name: 'Ada', line1: '1 Lane', city: 'London', postalCode: 'N1', country: 'GB' };

async function buyerOf(gateway: string, newDevice: () => Promise<Device>) {
  const device = await newDevice();
  await registerAt(device, gateway);
  await untilAnswered(200, () => device.call('PATCH', '/api/profile', { addresses: [address] }, { gateway }));
  let addressId = '';
  await untilAnswered(200, async () => {
    const told = await device.call('GET', '/api/profile', undefined, { gateway });
    addressId = told.body.addresses?.[0]?.addressId;
    return told;
  });
  const lineOf = async (productId: string) => {
    const { body } = await device.call('GET', '/api/cart', undefined, { gateway });
    return (body as Cart).lines?.find((line) => line.productId === productId);
  };
  /** A press of "Place order" is repeated under its key until it has an answer. */
  const order = async (productId: string, quantity: number): Promise<readonly [status: number, code: string | undefined]> => {
    const line = await device.addition(productId, quantity);
    await untilAnswered(202, () => device.call('POST', '/api/cart/lines', line, { gateway }));
    await expect.poll(() => lineOf(productId).then((found) => found?.quantity), { intervals: [200] }).toBe(quantity);
    const { lineId, seen } = (await lineOf(productId))!;
    const headers = { 'idempotency-key': newCommandId() };
    const place = () => device.call('POST', '/api/orders', { seen, addressId }, { gateway, headers });
    let told = await place();
    for (; told.status === 503; told = await place()) await new Promise((resolve) => setTimeout(resolve, 200));
    if (told.status !== 201) {
      const body = { commandId: newCommandId(), seen };
      await untilAnswered(202, () => device.call('DELETE', `/api/cart/lines/${encodeURIComponent(lineId)}`, body, { gateway }));
    }
    await expect.poll(() => lineOf(productId), { intervals: [200] }).toBeUndefined();
    return [told.status, told.body.code];
  };
  return { device, order };
}

/** us gives eu 0.9 s, and a busy machine may miss that. Then the share decides, and a person orders again. */
const placed = [201, undefined] as const;
const soldOut = [409, 'out_of_stock'] as const;

for (const [cut, productId] of [
  [{ do: 'cut' }, 'document-case'],
  [{ do: 'cut', way: 'us-eu' }, 'evening-clutch'],
] as const)
  test(`one stock is sold by both regions, in a cut (${'way' in cut ? cut.way : 'both ways'}) from the share of us until it is used up, and no article twice`, async ({
    newDevice,
  }) => {
    const [here, there] = [await buyerOf(us, newDevice), await buyerOf(eu, newDevice)];
    const shown = async (gateway: string) =>
      (await here.device.call('GET', `/api/products/${productId}`, undefined, { gateway })).body as Product;
    const stockOf = async (gateway: string): Promise<number> => {
      const { stock, stockHeardAt } = await shown(gateway);
      return stockHeardAt === undefined ? stock : -1;
    };
    const poll = <Value>(look: () => Promise<Value>) => expect.poll(look, { intervals: [200], timeout: heardWithinMs });
    // us shows everything, since it hears what eu has left.
    await poll(() => stockOf(us)).toBeGreaterThan(10);
    const total = await stockOf(us);

    // More than the share: eu is asked.
    const half = Math.ceil(total / 2);
    await poll(() => here.order(productId, half)).toEqual(placed);
    let left = total - half;
    await poll(() => stockOf(us)).toBe(left);

    // The share is filled again within two seconds. A cut may come before that, and is healed then.
    let share = 0;
    // Late answers may have brought it everything. Then some of it goes back.
    for (; share === 0 || share >= left; share = (await shown(us)).stock) {
      await ocean({ do: 'heal' });
      await poll(() => stockOf(us)).toBe(left);
      await ocean(cut);
      await poll(() => shown(us).then(({ stockHeardAt }) => stockHeardAt !== undefined)).toBe(true);
    }
    expect(await here.order(productId, share + 1)).toEqual(soldOut);
    expect(await here.order(productId, share)).toEqual(placed);
    expect(await here.order(productId, 1)).toEqual(soldOut);
    left -= share;
    // eu has all the rest, and no more.
    expect((await shown(eu)).stock).toBeLessThanOrEqual(left);
    expect(await there.order(productId, left + 1)).toEqual(soldOut);
    expect(await there.order(productId, 1)).toEqual(placed);
    left -= 1;

    await ocean({ do: 'heal' });
    await poll(() => stockOf(us)).toBe(left);
    await poll(() => here.order(productId, left)).toEqual(placed);
    await poll(() => stockOf(us)).toBe(0);
    expect((await shown(eu)).stock).toBe(0);
    expect(await there.order(productId, 1)).toEqual(soldOut);
  });
