import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { problem, uuidV7 } from '@cloakroom/contracts';
import { ask, type Ask, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  const { cart, orders, seen } = stage.services;
  Object.assign(cart, { failing: undefined, coupons: [], lines: [] });
  Object.assign(orders, { failing: undefined, previewFailing: undefined });
  seen.length = 0;
  token = stage.auth.begin('user');
});

const calls = (method: string) => stage.services.seen.filter((call) => call.method === method);
const newId = (): string => uuidV7(Date.now(), randomBytes(10));
const place = (changes: Ask & { key?: string } = {}) => {
  const { key = newId(), ...rest } = changes;
  return ask(stage.url, '/api/orders', {
    method: 'POST',
    token,
    body: { addressId: 'a1', seen: 'all' },
    headers: { 'idempotency-key': key },
    ...rest,
  });
};

describe('check-out', () => {
  it('hands on what was seen, agreed to and chosen, under the key of the client and a passport for orders', async () => {
    const key = newId();
    const told = await place({ key, body: { addressId: 'a1', seen: 'all', expectedTotal: 3_420, paymentMethod: 'card_declined' } });
    expect([told.status, told.body]).toEqual([
      201,
      {
        orderId: expect.any(String),
        status: 'placed',
        lines: [{ lineId: 'line-cap', productId: 'cap', name: 'Cap', options: { Colour: 'Red' }, quantity: 2, unitPrice: 1_900 }],
        subtotal: 3_800,
        discount: 380,
        coupon: 'WELCOME10',
        total: 3_420,
        currency: 'EUR',
        placedAt: '2026-09-21T14:13:20.000Z',
        address: { name: 'Ada', line1: '1 Main Street', city: 'Berlin', postalCode: '10115', country: 'DE' },
        paymentMethod: 'card_declined',
        steps: [{ name: 'OrderAccepted', at: '2026-09-21T14:13:20.000Z' }],
      },
    ]);
    const [call] = calls('placeOrder');
    expect(call?.request).toMatchObject({
      idempotencyKey: key,
      seen: 'all',
      addressId: 'a1',
      expectedTotal: 3_420n,
      paymentMethod: 'card_declined',
    });
    expect(call?.ctx.identity?.subject).toBe(stage.auth.sessionOf(token).view.subject);
    expect(told.headers.get('server-timing')).toMatch(/orders/);
  });

  it('takes the price of the moment where no total was agreed to', async () => {
    await place();
    expect(calls('placeOrder').map(({ request }) => (request as { expectedTotal?: bigint }).expectedTotal)).toEqual([undefined]);
  });

  it('asks auth anew who this is, whatever is cached', async () => {
    await ask(stage.url, '/api/orders', { token });
    await place();
    const asked = stage.auth.requests.filter(({ request }) => (request as { audience?: string }).audience === 'orders');
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['without a key', {}],
    ['with an empty key', { 'idempotency-key': '' }],
    ['with a key that is too long', { 'idempotency-key': 'k'.repeat(65) }],
    ['with two keys', { 'idempotency-key': 'one, two' }],
  ])('is refused %s', async (_, headers) => {
    const told = await place({ headers: headers as Record<string, string> });
    expect([told.status, told.body.code, told.body.errors[0].field]).toEqual([400, 'invalid_request', 'header.idempotency-key']);
    expect(calls('placeOrder')).toEqual([]);
  });

  it.each(['guest', undefined] as const)('is for those who have signed in: %s', async (state) => {
    const told = await place({ token: state === undefined ? '' : stage.auth.begin(state) });
    expect([told.status, told.body.code]).toEqual([401, 'sign_in_required']);
  });

  it('shows the cart as it is now when it has changed', async () => {
    stage.services.orders.failing = problem('cart_changed');
    stage.services.cart.lines = [{ lineId: 'line-scarf', productId: 'scarf', options: [], quantity: 1, seen: 's' }];
    const told = await place();
    expect([told.status, told.body]).toMatchObject([409, { code: 'cart_changed', cart: { lines: [{ name: 'Scarf' }], subtotal: 2_500 } }]);
    // A page that shows this cart must not be shown an older one afterwards.
    expect(told.headers.get('consistency-token')).toBe('local:3:57');
    const shown = await ask(stage.url, '/api/cart', { token });
    expect(told.body.cart).toEqual(shown.body);
  });

  it.each(['price_changed', 'out_of_stock'] as const)('shows what an order would be now: %s', async (code) => {
    stage.services.orders.failing = problem(code);
    const told = await place();
    expect([told.status, told.body]).toMatchObject([409, { code, preview: { total: 3_420 } }]);
    expect(calls('previewOrder')[0]?.request).toMatchObject({ seen: 'all' });
  });

  it('is refused all the same when that cannot be read', async () => {
    stage.services.orders.failing = problem('price_changed');
    stage.services.orders.previewFailing = problem('unavailable');
    const priced = await place();
    expect([priced.status, priced.body.code, 'preview' in priced.body]).toEqual([409, 'price_changed', false]);
    stage.services.orders.failing = problem('cart_changed');
    stage.services.cart.failing = problem('unavailable');
    const changed = await place();
    expect([changed.status, changed.body.code, 'cart' in changed.body]).toEqual([409, 'cart_changed', false]);
  });

  it.each([
    ['step_up_required', 401],
    ['payment_declined', 402],
    ['idempotency_key_reused', 422],
    ['unknown_address', 422],
    ['nothing_to_order', 422],
    ['limit_exceeded', 422],
  ] as const)('says %s as orders does, and looks at nothing more', async (code, status) => {
    stage.services.orders.failing = problem(code);
    const told = await place();
    expect([told.status, told.body.code]).toEqual([status, code]);
    expect([...calls('previewOrder'), ...calls('getCart')]).toEqual([]);
  });

  it.each(['deadline_exceeded', 'internal'] as const)('whose answer was lost is of unknown outcome: %s', async (code) => {
    stage.services.orders.failing = problem(code);
    const told = await place();
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'outcome_unknown', '1']);
  });

  it('that orders says was not taken is not of unknown outcome', async () => {
    stage.services.orders.failing = problem('unavailable', undefined, 1);
    const told = await place();
    expect([told.status, told.body.code, told.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
  });
});

it('a preview is what orders says, with the reasons in small letters', async () => {
  const told = await ask(stage.url, '/api/orders/preview', { method: 'POST', token, body: { seen: 'all' } });
  const cap = { lineId: 'line-cap', productId: 'cap', name: 'Cap', options: { Colour: 'Red' }, quantity: 2, unitPrice: 1_900 };
  expect([told.status, told.body]).toEqual([
    200,
    {
      lines: [
        { ...cap, inStock: 7 },
        { ...cap, lineId: 'line-scarf', productId: 'scarf', inStock: 1, obstacle: 'out_of_stock' },
      ],
      coupons: [
        { code: 'WELCOME10', description: '10 % off', discount: 380 },
        { code: 'SUMMER20', description: '20 % off', discount: 0, obstacle: 'expired' },
      ],
      subtotal: 3_800,
      discount: 380,
      total: 3_420,
      currency: 'EUR',
      cartChanged: false,
    },
  ]);
});

it('a person reads their own orders, and of another’s is told that there is none', async () => {
  const key = newId();
  const { orderId } = (await place({ key })).body;
  expect((await place({ key })).body.orderId).toBe(orderId);
  const list = await ask(stage.url, '/api/orders?pageSize=5', { token });
  expect([list.status, list.body]).toMatchObject([200, { items: [{ orderId }], total: 1, page: 1, pageSize: 5 }]);
  expect((await ask(stage.url, `/api/orders/${orderId}`, { token })).body.orderId).toBe(orderId);
  const stranger = stage.auth.begin('user');
  const told = await ask(stage.url, `/api/orders/${orderId}`, { token: stranger });
  expect([told.status, told.body.code]).toEqual([404, 'not_found']);
  expect((await ask(stage.url, '/api/orders', { token: stranger })).body.items).toEqual([]);
});

it('orders of one person have a bound of their own, wherever they come from', async () => {
  await using second = await stage.another({ ORDER_LIMIT_PER_MINUTE: '1' });
  const order = (by: string) =>
    ask(second.url, '/api/orders', {
      method: 'POST',
      token: by,
      body: { addressId: 'a1', seen: 'all' },
      headers: { 'idempotency-key': newId() },
    });
  expect([(await order(token)).status, (await order(token)).body.code]).toEqual([201, 'too_many_requests']);
  expect((await order(stage.auth.begin('user'))).status).toBe(201);
});

describe('a coupon', () => {
  it('is shown with the cart, with what removes it', async () => {
    stage.services.cart.coupons = [{ code: 'WELCOME10', seen: 's1' }];
    expect((await ask(stage.url, '/api/cart', { token })).body.coupons).toEqual([{ code: 'WELCOME10', seen: 's1' }]);
  });

  it('is applied and removed in capital letters, as a cart command', async () => {
    const commandId = newId();
    const applied = await ask(stage.url, '/api/cart/coupons/welcome10', { method: 'PUT', token, body: { commandId } });
    expect([applied.status, applied.body, applied.headers.get('consistency-token')]).toEqual([
      202,
      { commandId, seen: `+${commandId}` },
      'local:3:41',
    ]);
    const removed = await ask(stage.url, '/api/cart/coupons/Welcome10', { method: 'DELETE', token, body: { commandId, seen: 's1' } });
    expect(removed.status).toBe(202);
    expect(calls('applyCoupon')[0]?.request).toMatchObject({ code: 'WELCOME10', commandId });
    expect(calls('removeCoupon')[0]?.request).toMatchObject({ code: 'WELCOME10', commandId, seen: 's1' });
  });

  it.each(['%20', 'a_b', 'x'.repeat(33), '%C3%9F'])('of another form is refused: %s', async (code) => {
    const told = await ask(stage.url, `/api/cart/coupons/${code}`, { method: 'PUT', token, body: { commandId: newId() } });
    expect([told.status, told.body.code]).toEqual([400, 'invalid_request']);
  });
});
