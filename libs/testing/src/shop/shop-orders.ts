/**
 * Check-outs as a device does them: a preview, then one Idempotency-Key until there is an answer. Sometimes a device sends
 * two at once, like a person who taps twice.
 */
import type { Order, OrderLine, OrderPage, OrderPreview, Product, Profile } from '@cloakroom/contracts/http';
import { reauthenticate } from './shop-sessions.ts';
import { commandsSeen } from './shop-dots.ts';
import type { ShopDevice, ShopSession, Told } from './shop-device.ts';

/** Attempts with one key. A person waits that long for an order. */
const attemptMax = 5;
const retryMs = 500;

/** How a simulated payment ends. Most payments succeed. */
const paymentMethods = {
  card_pays: 12,
  card_declined: 2,
  card_times_out_charged: 2,
  card_times_out_uncharged: 1,
  card_double_callback: 2,
};

/** A person orders in the region of the account. */
const atHome = ({ home }: ShopSession) => (home === undefined ? {} : { gateway: home });

/** An order needs an address; it is made once for each person. */
export async function giveAddress(device: ShopDevice): Promise<boolean> {
  const { person, shared } = device;
  const address = { name: person.name, line1: '1 Main Street', city: 'Utrecht', postalCode: '3511 AA', country: 'NL' };
  for (let attempt = 1; attempt <= attemptMax; attempt++) {
    const answer = await shared.transport.call({
      gateway: shared.gateways[attempt % shared.gateways.length]!,
      method: 'PATCH',
      path: '/api/profile',
      body: { addresses: [address] },
      headers: { cookie: device.cookies() },
      from: device.from,
    });
    const given = (answer.body as Profile | undefined)?.addresses?.[0]?.addressId;
    if (answer.status === 200 && given !== undefined) {
      person.addressId = given;
      return true;
    }
    await shared.time.sleep(retryMs);
  }
  return false;
}

/** Orders the cart as this device has seen it. */
export async function checkOut(device: ShopDevice, key: string): Promise<void> {
  const { seen, session, shared } = device;
  if (session?.kind !== 'user' || device.person.addressId === undefined || seen === '') return;
  const observed = commandsSeen(seen)?.map((id) => shared.names.of(id));
  const previewed = await device.ask({
    kind: 'preview',
    method: 'POST',
    path: '/api/orders/preview',
    body: { seen },
    token: true,
    ...atHome(session),
    input: { session: session.id, cart: session.cart, observed },
    output: ({ body }) => ({ total: (body as OrderPreview).total, lines: quantitiesOf((body as OrderPreview).lines) }),
  });
  const preview = previewed.answer.body as OrderPreview;
  if (previewed.operation.outcome !== 'ok' || preview.cartChanged || preview.lines.length === 0) return;
  const paymentMethod = device.random.weighted(paymentMethods);
  const body = { addressId: device.person.addressId, seen, expectedTotal: preview.total, paymentMethod };
  const lines = quantitiesOf(preview.lines);
  const submit = (attempt: number, gateway?: string): Promise<Told> =>
    device.ask({
      kind: 'checkout',
      method: 'POST',
      path: '/api/orders',
      headers: { 'idempotency-key': key },
      body,
      token: true,
      ...(gateway !== undefined && { gateway }),
      ...atHome(session),
      input: { session: session.id, cart: session.cart, key, attempt, observed, lines, expectedTotal: preview.total, paymentMethod },
      output: (answer) => orderOutput(answer.body as Order),
    });
  if (device.random.chance(0.3)) {
    const [first = ''] = shared.gateways;
    await Promise.all([submit(1, first), submit(2, shared.gateways.at(-1))]);
  }
  await insist(device, submit);
}

async function insist(device: ShopDevice, submit: (attempt: number) => Promise<Told>): Promise<void> {
  for (let attempt = 3; attempt < 3 + attemptMax && device.session?.kind === 'user'; attempt++) {
    const { operation } = await submit(attempt);
    if (operation.error === 'step_up_required' && (await reauthenticate(device))) continue;
    if (operation.outcome !== 'unknown') return;
    await device.shared.time.sleep(retryMs);
  }
}

const pageSize = 50;
/** 1,000 orders: more than a run makes for one person. */
const pageMax = 20;

/** Reads all orders of the person. */
export async function readOrders(device: ShopDevice, final = false): Promise<void> {
  const orders: Record<string, unknown>[] = [];
  const { session } = device;
  if (session?.kind !== 'user') return;
  for (let page = 1; page <= pageMax; page++) {
    const { operation } = await device.ask({
      kind: 'read-orders',
      method: 'GET',
      path: `/api/orders?page=${page}&pageSize=${pageSize}`,
      ...atHome(session),
      input: { session: session.id, page, ...(final && { final }) },
      output: (answer) => {
        const { items, total } = answer.body as OrderPage;
        orders.push(...items.map(orderOutput));
        return { total, orders: items.map(orderOutput) };
      },
    });
    if (operation.outcome !== 'ok' || orders.length >= Number(operation.output?.['total'])) return;
  }
}

/** Reads the stock that is left. */
export const readProduct = (device: ShopDevice, productId: string): Promise<Told> =>
  device.ask({
    kind: 'read-product',
    method: 'GET',
    path: `/api/products/${productId}`,
    input: { productId },
    output: ({ body }) => ({ stock: (body as Product).stock }),
  });

function orderOutput({ orderId, status, lines, subtotal, discount, total, steps, reason, coupon }: Order): Record<string, unknown> {
  return {
    orderId,
    status,
    lines: lines.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, unitPrice })),
    subtotal,
    discount,
    total,
    steps: steps.map(({ name }) => name),
    ...(reason !== undefined && { reason }),
    ...(coupon !== undefined && { coupon }),
  };
}

/** Two lines of one product count together: their sum leaves the stock. */
function quantitiesOf(lines: readonly Pick<OrderLine, 'productId' | 'quantity'>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { productId, quantity } of lines) sums[productId] = (sums[productId] ?? 0) + quantity;
  return sums;
}
