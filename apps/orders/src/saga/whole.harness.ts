/** The invariants of a shop that has come to rest, after any kills. */
import type { Database } from '../orders.ts';
import type { Shop } from '../orders.harness.ts';

/** Checks the promises of the issue in a shop that has come to rest. @throws when one does not hold */
export async function assertWhole({ db, catalog }: Shop, stockAtFirst: ReadonlyMap<string, number>): Promise<void> {
  const orders = await db.selectFrom('orders').selectAll().execute();
  const charges = await db.selectFrom('provider_charges').selectAll().where('outcome', '=', 'captured').execute();
  const placed = orders.filter(({ phase }) => phase === 'placed');
  const wrong: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || wrong.push(what));

  for (const { order_id, phase } of orders) must(phase === 'placed' || phase === 'cancelled', `${order_id} is ${phase} for ever`);
  const paid = placed.reduce((sum, { total }) => sum + total, 0);
  const captured = charges.reduce((sum, { amount }) => sum + amount, 0);
  must(paid === captured, `${captured} was captured for orders of ${paid}`);
  const chargedIds = new Set(charges.map(({ charge_key: key }) => key));
  must(chargedIds.size === placed.length && placed.every((order) => chargedIds.has(order.order_id)), 'charged is not placed');

  const left = new Map(stockAtFirst);
  for (const order of placed)
    for (const { productId, quantity } of JSON.parse(order.lines) as { productId: string; quantity: number }[])
      left.set(productId, left.get(productId)! - quantity);
  for (const [productId, stock] of left)
    must(catalog.stock.get(productId) === stock && stock >= 0, `stock of ${productId} does not balance`);

  await assertTold(db, placed.length, orders.length, must);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/** Checks the published events: every order is accepted once, ends once, and no dot is confirmed twice. */
async function assertTold(
  db: Database,
  placedCount: number,
  orderCount: number,
  must: (holds: boolean, what: string) => void,
): Promise<void> {
  const events = await db.selectFrom('order_events').selectAll().orderBy('sequence').execute();
  const byOrder = Map.groupBy(events, (event) => event.order_id);
  must(byOrder.size === orderCount, 'an order of which nobody heard');
  const dots: string[] = [];
  for (const [orderId, its] of byOrder) {
    const names = its.map(({ name }) => name);
    const told = names.join(' ');
    must(legalHistory.test(`${told} `), `${orderId}: ${told}`);
    for (const { name, event } of its)
      if (name === 'OrderConfirmed') {
        const { confirmed } = JSON.parse(event) as { confirmed: { dots: { cartId: string; commandId: string }[] } };
        dots.push(...confirmed.dots.map(({ cartId, commandId }) => `${cartId} ${commandId}`));
      }
  }
  must(new Set(dots).size === dots.length, 'a dot was ordered twice');
  must(
    [...byOrder.values()].filter((its) => its.some(({ name }) => name === 'OrderConfirmed')).length === placedCount,
    'placed is not told',
  );
  const held = await db.selectFrom('order_dots').select('dot').execute();
  must(held.length === dots.length, `${held.length} dots are held for ${dots.length} that were ordered`);
}

const legalHistory = new RegExp(
  '^OrderAccepted (' +
    'StockShort OrderCancelled |OrderCancelled |' +
    'StockReserved (PaymentUnknown )?(PaymentCaptured OrderConfirmed |PaymentDeclined OrderCancelled StockReleased )' +
    ')$',
);
