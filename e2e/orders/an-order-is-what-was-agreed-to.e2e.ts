/** An order has only what its person saw and agreed to, and other people cannot see it. */
import type { Order, OrderPreview, Problem } from '@cloakroom/contracts/http';
import { expect, newCommandId, newPerson, test } from '../kit/device.ts';
import { shopper, stockOf } from '../kit/shopper.ts';

test('a total that was not agreed to is refused and not charged; the right total is charged', async ({ newDevice, products }) => {
  const [first] = products as [string];
  const device = await shopper(newDevice, { [first]: 2 });
  const { seen } = await device.cart();
  const preview = await device.insist('POST', '/api/orders/preview', { seen });
  const total = preview.body.total as number;
  expect(total).toBe((preview.body as OrderPreview).lines[0]!.unitPrice * 2);
  const refused = await device.checkout({ seen, expectedTotal: total - 1 });
  expect([refused.status, refused.body.code, refused.body.preview.total]).toEqual([409, 'price_changed', total]);
  expect(await device.orders()).toEqual([]);
  const placed = await device.checkout({ seen, expectedTotal: total });
  expect([placed.status, placed.body.total]).toEqual([201, total]);
});

test('a cart that lost a seen line is shown again and not ordered, and a line added meanwhile stays in the cart', async ({
  newDevice,
  products,
}) => {
  const [first, second, third] = products as [string, string, string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.register(person);
  await phone.signIn(person);
  await laptop.add(first);
  await laptop.add(second, 2);
  const { seen } = await laptop.expectCart({ [first]: 1, [second]: 2 });
  const addressId = await laptop.addressId();
  const line = (await phone.cart()).lines.find(({ productId }) => productId === first)!;
  const removed = await phone.insist('DELETE', `/api/cart/lines/${line.lineId}`, { commandId: newCommandId(), seen: line.seen });
  expect(removed.status).toBe(202);
  await phone.add(third);
  await laptop.expectCart({ [second]: 2, [third]: 1 });
  const refused = await laptop.checkout({ seen, addressId });
  expect([refused.status, refused.body.code]).toEqual([409, 'cart_changed']);
  const shown = (refused.body as Problem).cart!.lines;
  expect(shown.map(({ productId }) => productId).toSorted()).toEqual([second, third].toSorted());
  // The `seen` of one line only.
  const only = (await laptop.cart()).lines.find(({ productId }) => productId === second)!;
  const placed = await laptop.checkout({ seen: only.seen, addressId });
  expect(placed.body.lines).toMatchObject([{ productId: second, quantity: 2 }]);
  for (const device of [laptop, phone]) await device.expectCart({ [third]: 1 });
});

test('an order above the stock is refused: the answer says how much there is, and no stock is held back', async ({ newDevice }) => {
  const few = 'pepper-mill';
  const device = await shopper(newDevice, {});
  const stock = await stockOf(device, few);
  await device.add(few, stock + 1);
  const { seen } = await device.expectCart({ [few]: stock + 1 });
  const refused = await device.checkout({ seen });
  expect([refused.status, refused.body.code]).toEqual([409, 'out_of_stock']);
  expect(refused.body.preview.lines).toMatchObject([{ productId: few, inStock: stock, obstacle: 'out_of_stock' }]);
  expect(await stockOf(device, few)).toBe(stock);
});

test("another person's order is invisible by its id and in lists, and their address cannot be used", async ({ newDevice, products }) => {
  const [first] = products as [string];
  const [owner, other] = [await shopper(newDevice, { [first]: 1 }), await shopper(newDevice, { [first]: 1 })];
  const { orderId } = (await owner.checkout()).body as Order;
  expect((await owner.insist('GET', `/api/orders/${orderId}`)).status).toBe(200);
  const answer = await other.insist('GET', `/api/orders/${orderId}`);
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  expect(await other.orders()).toEqual([]);
  const stolen = await other.checkout({ addressId: await owner.addressId() });
  expect([stolen.status, stolen.body.code]).toEqual([422, 'unknown_address']);
  const guest = await newDevice();
  await guest.add(first);
  expect((await guest.insist('GET', `/api/orders/${orderId}`)).body.code).toBe('sign_in_required');
});
