import { isProblem, Obstacle, OrderStatus, problem } from '@cloakroom/contracts';
import { DatabaseUnavailable } from '@cloakroom/platform';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { getOrder } from '../reads/get-order.ts';
import { listOrders } from '../reads/list-orders.ts';
import type { Database } from '../orders.ts';
import { commandNamed, openShop, orderIdOf, personContext, type Replica, type Shop } from '../orders.harness.ts';
import { placeOrder } from './place-order.ts';
import { previewOrder } from './preview-order.ts';

let shop: Shop;
let replica: Replica;
beforeEach(async () => {
  shop = await openShop();
  replica = shop.replica();
  shop.catalog.put('hat', { price: 2_000, stock: 10 });
  shop.catalog.put('coat', { price: 15_000, stock: 1 });
  shop.cart.lines.set('a', { productId: 'hat', quantity: 2 });
  shop.cart.lines.set('b', { productId: 'coat' });
  shop.cart.coupons.set('w', 'WELCOME10');
  shop.cart.coupons.set('five', 'WINTER5');
  shop.cart.coupons.set('s', 'SUMMER20');
  shop.cart.coupons.set('x', 'FREE');
});

const place = (idempotencyKey: string, wanted: Partial<Parameters<Replica['place']>[1]> = {}, userId = 'u_1') =>
  replica.place(userId, { idempotencyKey, seen: 'a', ...wanted });
const preview = (seen: string, userId = 'u_1') => previewOrder(replica.parts, personContext(userId), { seen });
const failing = (): Promise<never> => Promise.reject(new DatabaseUnavailable('away'));

describe('placeOrder', () => {
  it('answers with what was bought, for how much, where it goes, and each step that led there', async () => {
    expect(await place('k', { seen: 'a,b,w' })).toMatchObject({
      status: OrderStatus.PLACED,
      lines: [
        { lineId: 'a', productId: 'hat', name: 'The hat', options: { size: 'M', colour: 'red' }, quantity: 2, unitPrice: 2_000n },
        { productId: 'coat', quantity: 1, unitPrice: 15_000n },
      ],
      subtotal: 19_000n,
      discount: 1_900n,
      coupon: 'WELCOME10',
      paymentMethod: 'card_pays',
      total: 17_100n,
      currency: 'EUR',
      address: { name: 'Ada', city: 'London', country: 'GB' },
      steps: ['OrderAccepted', 'StockReserved', 'PaymentCaptured', 'OrderConfirmed'].map((name) => ({ name })),
      reason: '',
    });
    expect([shop.catalog.stock.get('hat'), shop.catalog.stock.get('coat')]).toEqual([8, 0]);
  });

  it('names what was chosen in the order of the catalog, before and after', async () => {
    const [placed, shown] = [await place('k'), await preview('b')];
    if (isProblem(placed) || isProblem(shown)) throw new Error('refused');
    for (const line of [placed.lines?.[0], shown.lines?.[0]?.line]) expect(Object.keys(line?.options ?? {})).toEqual(['size', 'colour']);
  });

  it('confirms exactly the dots of what was ordered, and of every coupon that was shown with it, so that none discounts a later order', async () => {
    await place('k', { seen: 'a,w,five,x' });
    const { event } = await shop.db
      .selectFrom('order_events')
      .select('event')
      .where('name', '=', 'OrderConfirmed')
      .executeTakeFirstOrThrow();
    const { confirmed } = JSON.parse(event) as { confirmed: { cartId: string; dots: { commandId: string }[] } };
    expect(confirmed.cartId).toBe('u_1');
    const commands = confirmed.dots.map(({ commandId }) => Buffer.from(commandId, 'base64').toString('hex'));
    expect(commands.toSorted()).toEqual(['a', 'w', 'five', 'x'].map((name) => commandNamed(name).replaceAll('-', '')).toSorted());
  });

  it('answers one key with one order, also when it is asked for at once', async () => {
    const answers = await Promise.all([place('k'), place('k'), shop.replica().place('u_1', { idempotencyKey: 'k', seen: 'a' })]);
    expect(new Set(answers.map(orderIdOf)).size).toBe(1);
    expect(orderIdOf(await place('k'))).toBe(orderIdOf(answers[0]));
    expect(shop.catalog.stock.get('hat')).toBe(8);
  });

  it('answers with the order that the same key placed while this request looked at the cart', async () => {
    const other = shop.replica();
    const { prepareOrder } = replica.parts.cart;
    vi.spyOn(replica.parts.cart, 'prepareOrder').mockImplementationOnce(async (...asked) => {
      await other.place('u_1', { idempotencyKey: 'k', seen: 'a' });
      shop.cart.gone.add('a');
      return prepareOrder(...asked);
    });
    expect(orderIdOf(await place('k'))).toBe(orderIdOf(await place('k')));
    expect(shop.catalog.stock.get('hat')).toBe(8);
  });

  it('refuses a key that stands for something else, and takes the same key of another person', async () => {
    await place('k', { expectedTotal: 4_000n });
    for (const other of [{ expectedTotal: 4_001n }, {}, { expectedTotal: 4_000n, addressId: 'work' }, { expectedTotal: 4_000n, seen: 'b' }])
      expect(await place('k', other)).toMatchObject({ problem: 'idempotency_key_reused' });
    expect(await place('k', {}, 'u_2')).toMatchObject({ status: OrderStatus.PLACED });
  });

  it('orders nothing twice, whatever the key', async () => {
    await place('k');
    expect(await place('other')).toMatchObject({ problem: 'cart_changed' });
    expect(await place('third', { seen: 'a,b' })).toMatchObject({ problem: 'cart_changed' });
    expect(shop.catalog.stock.get('coat')).toBe(1);
  });

  it('says that a payment was declined, again at each repeat, and leaves the cart for another key', async () => {
    const declined = { paymentMethod: 'card_declined' };
    expect(await place('k', declined)).toEqual(problem('payment_declined'));
    expect(await place('k', declined)).toEqual(problem('payment_declined'));
    expect(shop.catalog.stock.get('hat')).toBe(10);
    expect(await place('other')).toMatchObject({ status: OrderStatus.PLACED });
  });

  it('answers pending while nobody knows whether it was paid', async () => {
    const unknown = await place('k', { paymentMethod: 'card_times_out_charged' });
    expect(unknown).toMatchObject({ status: OrderStatus.PENDING, reason: '' });
    expect(await place('other')).toMatchObject({ problem: 'cart_changed' });
    await shop.heal();
    expect(await place('k', { paymentMethod: 'card_times_out_charged' })).toMatchObject({ status: OrderStatus.PLACED });
  });

  it.each([
    ['a total that is not the one agreed to', { expectedTotal: 3_999n }, 'price_changed'],
    ['an address that the profile does not have', { addressId: 'work' }, 'unknown_address'],
    ['an empty cart', { seen: '' }, 'nothing_to_order'],
    ['coupons alone', { seen: 'w' }, 'nothing_to_order'],
    ['a means of payment that there is not', { paymentMethod: 'gold' }, 'invalid_request'],
    ['a key with a space', { idempotencyKey: 'k k' }, 'invalid_request'],
    ['a key that is too long', { idempotencyKey: 'k'.repeat(65) }, 'invalid_request'],
    ['no key', { idempotencyKey: '' }, 'invalid_request'],
  ])('refuses %s, and nothing has happened', async (_what, wanted, code) => {
    expect(await place('k', wanted)).toMatchObject({ problem: code });
    expect(await shop.db.selectFrom('orders').selectAll().execute()).toEqual([]);
    expect(shop.catalog.stock.get('hat')).toBe(10);
  });

  it('refuses what is gone, short or too much, and a cart that has changed or is not known yet', async () => {
    shop.cart.lines.set('two coats', { productId: 'coat', quantity: 2 });
    shop.cart.lines.set('gone', { productId: 'gloves' });
    shop.cart.lines.set('many', { productId: 'hat', quantity: 49 });
    shop.catalog.stock.set('hat', 100);
    expect(await place('k', { seen: 'two coats' })).toMatchObject({ problem: 'out_of_stock' });
    expect(await place('k', { seen: 'gone' })).toMatchObject({ problem: 'out_of_stock' });
    expect(await place('k', { seen: 'many,a' })).toMatchObject({ problem: 'limit_exceeded' });
    expect(await place('most', { seen: 'many' })).toMatchObject({ status: OrderStatus.PLACED });
    shop.cart.gone.add('b');
    expect(await place('k', { seen: 'a,b' })).toMatchObject({ problem: 'cart_changed' });
    shop.cart.stale = true;
    expect(await place('k')).toMatchObject({ problem: 'unavailable', retryAfterS: 1 });
  });

  it('takes the same key again after a refusal', async () => {
    expect(await place('k', { expectedTotal: 1n })).toMatchObject({ problem: 'price_changed' });
    expect(await place('k', { expectedTotal: 4_000n })).toMatchObject({ status: OrderStatus.PLACED });
  });

  it('passes on why it may not ask another service', async () => {
    Object.assign(replica.parts.exchange, { exchangeFor: () => Promise.resolve(problem('session_ended')) });
    expect(await place('k')).toEqual(problem('session_ended'));
  });

  it('says what a database that is away means: nothing has happened, or it may have', async () => {
    const unreachable = (): never => {
      throw new DatabaseUnavailable('away');
    };
    const away = { ...replica.parts, db: { selectFrom: unreachable } as unknown as Database };
    const wanted = { idempotencyKey: 'k', seen: 'a', addressId: 'home', paymentMethod: '' } as never;
    expect(await placeOrder(away, personContext('u_1'), wanted)).toMatchObject({ problem: 'unavailable' });
    const commitsLost = new Proxy(shop.db, {
      get: (target, name) => {
        if (name === 'transaction') return () => ({ execute: failing });
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
      },
    });
    expect(await placeOrder({ ...replica.parts, db: commitsLost }, personContext('u_1'), wanted)).toMatchObject({
      problem: 'outcome_unknown',
    });
  });
});

describe('coupons', () => {
  it('count one by one: the best that is valid, and the others say why not', async () => {
    shop.cart.lines.set('c', { productId: 'hat', quantity: 3 });
    const shown = await preview('c,w,five,s,x');
    expect(isProblem(shown) ? shown : shown.coupons).toMatchObject([
      { code: 'WELCOME10', obstacle: Obstacle.UNSPECIFIED, discount: 600n, description: '10 % off, once' },
      { code: 'WINTER5', obstacle: Obstacle.NOT_THE_BEST, discount: 0n },
      { code: 'SUMMER20', obstacle: Obstacle.EXPIRED },
      { code: 'FREE', obstacle: Obstacle.UNKNOWN_COUPON },
    ]);
    expect(shown).toMatchObject({ subtotal: 6_000n, discount: 600n, total: 5_400n });
    expect(await preview('a,five')).toMatchObject({ coupons: [{ obstacle: Obstacle.SUBTOTAL_TOO_LOW }], total: 4_000n });
    expect(await preview('c,five')).toMatchObject({ coupons: [{ obstacle: Obstacle.UNSPECIFIED }], total: 5_500n });
  });

  it('are used up with the order that they counted in, and free again when it is cancelled', async () => {
    expect(await place('declined', { seen: 'a,w', paymentMethod: 'card_declined' })).toMatchObject({ problem: 'payment_declined' });
    expect(await place('k', { seen: 'a,w' })).toMatchObject({ total: 3_600n });
    expect(await preview('b,w')).toMatchObject({ coupons: [{ obstacle: Obstacle.USED_BEFORE }], total: 15_000n });
    expect(await preview('b,w', 'u_2')).toMatchObject({ total: 13_500n });
  });

  it('count once a person, also for two orders at once', async () => {
    shop.cart.coupons.set('w2', 'WELCOME10');
    shop.cart.lines.set('c', { productId: 'hat' });
    // Both requests have judged before either order is taken, unless one is so late that it sees the other's use. It must not be taken then either.
    const judged = Promise.withResolvers<void>();
    let asked = 0;
    const { getProfile } = replica.parts.profile;
    Object.assign(replica.parts.profile, {
      getProfile: async (...given: Parameters<typeof getProfile>) => {
        asked += 1;
        if (asked === 2) judged.resolve();
        await judged.promise;
        return getProfile(...given);
      },
    });
    const answers = await Promise.all([
      place('one', { seen: 'a,w', expectedTotal: 3_600n }),
      place('two', { seen: 'c,w2', expectedTotal: 1_800n }),
    ]);
    expect(answers.filter(isProblem)).toMatchObject([{ problem: 'price_changed' }]);
    expect(answers.filter((answer) => !isProblem(answer))).toMatchObject([{ coupon: 'WELCOME10' }]);
  });
});

describe('previewOrder', () => {
  it('shows each line with its price of the moment and what is in its way, and changes nothing', async () => {
    shop.cart.lines.set('two coats', { productId: 'coat', quantity: 2 });
    shop.cart.lines.set('gone', { productId: 'gloves' });
    shop.cart.gone.add('b');
    const shown = await preview('a,two coats,gone,b');
    expect(shown).toMatchObject({
      lines: [
        { line: { lineId: 'a', unitPrice: 2_000n }, obstacle: Obstacle.UNSPECIFIED, inStock: 10 },
        { line: { lineId: 'two coats' }, obstacle: Obstacle.OUT_OF_STOCK, inStock: 1 },
        { line: { lineId: 'gone', unitPrice: 0n }, obstacle: Obstacle.UNKNOWN_PRODUCT, inStock: 0 },
      ],
      subtotal: 34_000n,
      cartChanged: true,
    });
    expect(shop.catalog.stock.get('hat')).toBe(10);
    expect(await preview('')).toMatchObject({ lines: [], total: 0n, currency: '' });
  });
  it('passes on a catalog that is away', async () => {
    shop.catalog.away = true;
    expect(await preview('a')).toMatchObject({ problem: 'unavailable' });
  });
});

describe('order history', () => {
  it('is a person’s own, newest first, by pages', async () => {
    const ids: (string | undefined)[] = [];
    for (const at of [1, 2, 3]) {
      shop.cart.lines.set(`line ${at}`, { productId: 'hat' });
      shop.clock.aheadMs += 1_000;
      ids.unshift(orderIdOf(await place(`k${at}`, { seen: `line ${at}` })));
    }
    await place('k', { seen: 'a' }, 'u_2');
    const list = async (page: number, pageSize = 2) => {
      const answer = await listOrders(replica.parts, personContext('u_1'), { page, pageSize });
      return isProblem(answer) ? answer.problem : { ids: answer.items?.map(({ orderId }) => orderId), total: answer.total };
    };
    expect(await list(1)).toEqual({ ids: ids.slice(0, 2), total: 3 });
    expect(await list(2)).toEqual({ ids: ids.slice(2), total: 3 });
    expect(await list(3)).toEqual({ ids: [], total: 3 });
    for (const [page, size] of [
      [0, 2],
      [1, 0],
      [1, 101],
      [1_001, 1],
    ] as const)
      expect(await list(page, size)).toBe('invalid_request');
  });

  it('shows a cancelled order with its reason, and nobody another person’s', async () => {
    await place('k', { paymentMethod: 'card_declined' });
    const { order_id: orderId } = await shop.db.selectFrom('orders').select('order_id').executeTakeFirstOrThrow();
    const own = await getOrder(replica.parts, personContext('u_1'), { orderId });
    expect(own).toMatchObject({ status: OrderStatus.CANCELLED, reason: 'payment_declined' });
    expect(isProblem(own) ? [] : own.steps?.map(({ name }) => name)).toEqual([
      'OrderAccepted',
      'StockReserved',
      'PaymentDeclined',
      'OrderCancelled',
      'StockReleased',
    ]);
    expect(await getOrder(replica.parts, personContext('u_2'), { orderId })).toEqual(problem('not_found'));
    expect(await getOrder(replica.parts, personContext('u_1'), { orderId: 'x' })).toEqual(problem('not_found'));
  });
});
