/** A fake orders service. It keeps orders by person and key, and refuses what the test tells it to refuse. */
import { Obstacle, OrderStatus, OrdersService, type PlaceOrderRequest, problem, type Problem } from '@cloakroom/contracts';
import { implement, type Implementation, person, type RequestContext } from '@cloakroom/mesh';

export interface FakeOrders {
  failing: Problem | undefined;
  /** Fails the preview alone: a refused order is looked at again. */
  previewFailing: Problem | undefined;
  watchers: number;
  /** Tells every watcher that this order has changed. */
  changed(orderId: string): void;
}

interface Seen {
  push(call: { readonly method: string; readonly ctx: RequestContext; readonly request: unknown }): unknown;
}

const line = { lineId: 'line-cap', productId: 'cap', name: 'Cap', options: { Colour: 'Red' }, quantity: 2, unitPrice: 1_900n };

const preview = {
  lines: [
    { line, inStock: 7, obstacle: Obstacle.UNSPECIFIED },
    { line: { ...line, lineId: 'line-scarf', productId: 'scarf' }, inStock: 1, obstacle: Obstacle.OUT_OF_STOCK },
  ],
  coupons: [
    { code: 'WELCOME10', description: '10 % off', discount: 380n, obstacle: Obstacle.UNSPECIFIED },
    { code: 'SUMMER20', description: '20 % off', discount: 0n, obstacle: Obstacle.EXPIRED },
  ],
  subtotal: 3_800n,
  discount: 380n,
  total: 3_420n,
  currency: 'EUR',
  cartChanged: false,
};

const orderOf = (orderId: string) => ({
  orderId,
  paymentMethod: 'card_pays',
  status: OrderStatus.PLACED,
  lines: [line],
  subtotal: 3_800n,
  discount: 380n,
  coupon: 'WELCOME10',
  total: 3_420n,
  currency: 'EUR',
  placedAtMs: 1_790_000_000_000n,
  address: { name: 'Ada', line1: '1 Main Street', line2: '', city: 'Berlin', postalCode: '10115', country: 'DE' },
  steps: [{ name: 'OrderAccepted', atMs: 1_790_000_000_000n }],
  reason: '',
});

export function fakeOrders(seen: Seen): { readonly orders: FakeOrders; readonly implementation: Implementation } {
  const placed = new Map<string, string>();
  let wake = Promise.withResolvers<string>();
  const orders: FakeOrders = {
    failing: undefined,
    previewFailing: undefined,
    watchers: 0,
    changed(orderId) {
      wake.resolve(orderId);
      wake = Promise.withResolvers();
    },
  };
  const mine = (ctx: RequestContext) => `${person(ctx).identity.subject} `;
  const implementation = implement(OrdersService, {
    previewOrder: async (ctx: RequestContext, request: { seen: string }) => {
      seen.push({ method: 'previewOrder', ctx, request });
      return orders.previewFailing ?? preview;
    },
    placeOrder: async (ctx: RequestContext, request: PlaceOrderRequest) => {
      seen.push({ method: 'placeOrder', ctx, request });
      if (orders.failing !== undefined) return orders.failing;
      const key = mine(ctx) + request.idempotencyKey;
      placed.set(key, placed.get(key) ?? `order-${placed.size + 1}`);
      return { ...orderOf(placed.get(key)!), paymentMethod: request.paymentMethod };
    },
    listOrders: async (ctx: RequestContext, request: { page: number; pageSize: number }) => {
      seen.push({ method: 'listOrders', ctx, request });
      const items = [...placed].filter(([key]) => key.startsWith(mine(ctx))).map(([, orderId]) => orderOf(orderId));
      return orders.failing ?? { items, total: items.length, page: request.page, pageSize: request.pageSize };
    },
    getOrder: async (ctx: RequestContext, request: { orderId: string }) => {
      seen.push({ method: 'getOrder', ctx, request });
      const found = [...placed].some(([key, orderId]) => key.startsWith(mine(ctx)) && orderId === request.orderId);
      return orders.failing ?? (found ? orderOf(request.orderId) : problem('not_found'));
    },
    watch: async function* (ctx: RequestContext) {
      seen.push({ method: 'watchOrders', ctx, request: {} });
      if (orders.failing !== undefined) {
        yield orders.failing;
        return;
      }
      orders.watchers++;
      const gone = new Promise<undefined>((resolve) => ctx.signal.addEventListener('abort', () => resolve(undefined)));
      try {
        while (!ctx.signal.aborted) {
          const orderId = await Promise.race([wake.promise, gone]);
          if (orderId === undefined) return;
          yield { orderId, traceparent: '' };
        }
      } finally {
        orders.watchers--;
      }
    },
  });
  return { orders, implementation };
}
