/**
 * A small simulated shop that tests the checker. It has carts of dots behind the same HTTP answers, a view that lags at
 * random, and two gateways that remember sessions for a while. Its time is simulated and passes only when everybody waits.
 * The shop is right unless a fault is planted.
 */
import { randomUUID } from 'node:crypto';
import { commandsSeen, seenOf } from './shop-dots.ts';
import { choicesOf, type Choices } from './shop-random.ts';
import type { SimulatedTime } from './shop-simulated-time.fixture.ts';
import type { ShopAnswer, ShopCall, ShopTransport } from './shop-transport.ts';

export const plantable = [
  'loses-adds',
  'revives-removed',
  'sums-at-merge',
  'counts-again-after-sign-in',
  'overwrites-at-merge',
  'last-writer-wins',
  'reads-modifies-writes',
  'skips-records',
  'doubles-records',
  'orders-kill-unseen',
  'orders-leave-dots',
  'orders-count-double',
  'never-hears-logouts',
  'shows-another-cart',
  'reads-are-old',
  'sells-what-is-not-there',
  'charges-another-total',
] as const;
export type Planted = (typeof plantable)[number];

interface Dot {
  readonly line: string;
  readonly quantity: number;
  readonly kind: string;
}
interface Cart {
  readonly id: string;
  dots: Map<string, Dot>;
  dead: Set<string>;
  joined: Set<string>;
  claimedBy: string | undefined;
}
type Change = (cart: Cart) => void;
interface Session {
  readonly token: string;
  readonly cart: string;
  readonly user: boolean;
  readonly claimed: string | undefined;
}

const price = 100;
const idOf = (dot: string): string => dot.split(' ', 1)[0]!;
const emptyCart = (id: string): Cart => ({ id, dots: new Map(), dead: new Set(), joined: new Set(), claimedBy: undefined });
const answer = (status: number, body?: unknown, headers: ShopAnswer['headers'] = {}): ShopAnswer => ({ status, headers, body });
const refused = (status: number, code: string): ShopAnswer => answer(status, { code });
export class SimulatedShop implements ShopTransport {
  readonly #time: SimulatedTime;
  readonly #random: Choices;
  readonly #planted: Planted | undefined;
  /** For each cart's log: the records, and how many of them the view has applied. */
  readonly #logs = new Map<string, Change[]>();
  readonly #views = new Map<string, { cart: Cart; applied: number }>();
  readonly #sessions = new Map<string, Session>();
  readonly #ended = new Map<string, number>();
  readonly #accounts = new Map<string, string>();
  readonly #orders = new Map<string, { owner: string; body: Record<string, unknown>; ask: string }>();
  readonly #ordered = new Set<string>();
  readonly #stock = new Map<string, number>();
  #previousRead: ShopAnswer | undefined;
  constructor(time: SimulatedTime, seed: number, planted?: Planted) {
    this.#time = time;
    this.#random = choicesOf(seed, 7_777);
    this.#planted = planted;
  }

  close(): void {}
  async call(call: ShopCall): Promise<ShopAnswer> {
    await this.#time.sleep(1 + this.#random.below(4));
    // The request is lost, or its answer.
    const lost = call.method !== 'GET' && this.#random.chance(0.04);
    if (lost && this.#random.chance(0.5)) return answer(0, undefined, {});
    const told = await this.#route(call);
    await this.#time.sleep(1 + this.#random.below(4));
    return lost || call.loses !== undefined ? { status: 0, headers: {}, body: undefined, error: 'ECONNRESET' } : told;
  }

  async #route(call: ShopCall): Promise<ShopAnswer> {
    const { method, path } = call;
    const body = (call.body ?? {}) as Record<string, string & number>;
    const product = /^\/api\/products\/(.*)$/.exec(path)?.[1];
    if (product !== undefined) return answer(200, { stock: this.#left(product) });
    if (path === '/api/session/guest') return this.#begin(201, `g_${randomUUID()}`, false);
    if (path === '/api/session/register') {
      if (this.#accounts.has(body['email']!)) return refused(409, 'email_taken');
      this.#accounts.set(body['email']!, `u_${randomUUID()}`);
    }
    const token = /__Host-session=([^;]+)/.exec(call.headers['cookie'] ?? '')?.[1];
    if (path === '/api/session/register' || path === '/api/session/login') return this.#signIn(token, this.#accounts.get(body['email']!)!);
    const session = this.#sessions.get(token ?? '');
    if (session === undefined) return refused(401, 'session_required');
    const endedMs = this.#ended.get(session.token);
    // The other gateway hears of the logout within two seconds.
    const heardMs = this.#planted === 'never-hears-logouts' ? 60_000 : this.#random.below(1_500);
    if (endedMs !== undefined && this.#time.nowMs() > endedMs + heardMs) return refused(401, 'session_ended');
    if (path === '/api/session/logout') {
      this.#end(session.token);
      return answer(204, undefined, { 'set-cookie': ['__Host-session=; Max-Age=0'] });
    }
    if (path === '/api/profile') return answer(200, { addresses: [{ addressId: 'home' }] });
    if (path === '/api/cart' && method === 'GET') return this.#read(session, call.headers['consistency-token']);
    if (path.startsWith('/api/cart')) return this.#command(session, call, body);
    return this.#order(session, call, body);
  }

  #begin(status: number, cart: string, user: boolean, claimed?: string): ShopAnswer {
    const token = randomUUID();
    this.#sessions.set(token, { token, cart, user, claimed });
    return answer(
      status,
      { merge: { state: claimed === undefined ? 'none' : 'pending' } },
      { 'set-cookie': [`__Host-session=${token}; Path=/`] },
    );
  }

  #end(token: string): void {
    if (!this.#ended.has(token)) this.#ended.set(token, this.#time.nowMs());
  }

  #signIn(token: string | undefined, user: string): ShopAnswer {
    const before = this.#sessions.get(token ?? '');
    if (before !== undefined) this.#end(before.token);
    if (before === undefined || before.user) return this.#begin(200, user, true);
    this.#append(before.cart, (guest) => {
      guest.claimedBy ??= user;
      if (guest.claimedBy === user) this.#join(guest, user);
    });
    return this.#begin(200, user, true, before.cart);
  }

  #join(guest: Cart, user: string): void {
    const [dots, dead, id] = [new Map(guest.dots), [...guest.dead], guest.id];
    this.#append(user, (cart) => {
      const again = this.#planted === 'sums-at-merge' && dots.size > 0 && cart.dots.size > 0;
      if (this.#planted === 'overwrites-at-merge' && dots.size > 0) cart.dots = new Map();
      // A dot named by its cart and its command is a different dot in each cart.
      const nameOf = (dot: string): string =>
        this.#planted === 'counts-again-after-sign-in' && cart.dots.has(dot) ? `${dot} of ${id}` : dot;
      for (const dot of dead) kill(cart, [dot]);
      for (const [dot, live] of dots) if (!cart.dead.has(nameOf(dot))) cart.dots.set(nameOf(dot), live);
      if (again) for (const live of dots.values()) cart.dots.set(randomUUID().replace(/^(.{14})./, '$17'), { ...live, kind: 'add' });
      cart.joined.add(id);
    });
  }

  /** Appends one record; the view applies it a little later. @returns its position */
  #append(id: string, change: Change): number {
    const log = this.#logs.get(id) ?? [];
    this.#logs.set(id, log);
    log.push(change);
    const until = log.length;
    void this.#time.sleep(1 + this.#random.below(this.#random.chance(0.1) ? 150 : 12)).then(() => this.#apply(id, until));
    return until - 1;
  }

  #apply(id: string, until: number): void {
    const view = this.#views.get(id) ?? { cart: emptyCart(id), applied: 0 };
    this.#views.set(id, view);
    while (view.applied < until) {
      const change = this.#logs.get(id)![view.applied++]!;
      if (this.#planted === 'skips-records' && this.#random.chance(0.1)) continue;
      change(view.cart);
    }
  }

  async #read({ cart, claimed }: Session, token: string | undefined): Promise<ShopAnswer> {
    const wanted = token?.startsWith(`${cart}:`) === true ? Number(token.split(':')[1]) : -1;
    for (
      let waited = 0;
      waited < 200 && (this.#views.get(cart)?.applied ?? 0) <= wanted && this.#planted !== 'reads-are-old';
      waited += 5
    ) {
      await this.#time.sleep(5);
    }
    const other = this.#planted === 'shows-another-cart' && this.#random.chance(0.05) ? this.#previousRead : undefined;
    const { cart: state, applied } = this.#views.get(cart) ?? { cart: emptyCart(cart), applied: 0 };
    const seen = (dots: readonly string[]): string => seenOf(cart, dots.map(idOf));
    const lines = [...Map.groupBy(state.dots, ([, { line }]) => line)].flatMap(([productId, dots]) => {
      const quantity = quantityOf(dots.map(([, dot]) => dot));
      if (quantity === 0 || productId.startsWith('coupon ')) return [];
      return [{ lineId: productId, productId, quantity, seen: seen(dots.map(([dot]) => dot)) }];
    });
    const coupons = [...state.dots].flatMap(([dot, { line }]) =>
      line.startsWith('coupon ') ? [{ code: line.slice(7), seen: seen([dot]) }] : [],
    );
    const stale = applied <= wanted && this.#planted !== 'reads-are-old';
    const merge = { state: claimed === undefined ? 'none' : state.joined.has(claimed) ? 'merged' : 'pending' };
    const reached = applied === 0 ? {} : { 'consistency-token': `${cart}:${applied - 1}` };
    const body = { cartId: cart, lines, seen: seen([...state.dots.keys()]), coupons, stale, behind: 0, incomplete: false, merge };
    const told = answer(200, body, reached);
    this.#previousRead = told;
    return other ?? told;
  }

  #command(session: Session, { method, path }: ShopCall, body: Record<string, string & number>): ShopAnswer {
    const { cart } = session;
    const observed = method === 'POST' ? [] : (commandsSeen(body['seen'] ?? '') ?? []);
    const dot = body['commandId']!;
    const line = path.startsWith('/api/cart/coupons/')
      ? `coupon ${path.slice(18)}`
      : (body['productId'] ?? decodeURIComponent(path.split('/')[4] ?? ''));
    const kind = path.includes('/coupons/') ? 'coupon' : method === 'POST' ? 'add' : 'set';
    const made = method === 'DELETE' || body['quantity'] === 0 ? undefined : { line, quantity: body['quantity'] ?? 1, kind };
    const change = this.#changeOf(dot, made, observed, path === '/api/cart' ? undefined : line, cart);
    const at = this.#append(cart, change);
    if (!session.user) this.#append(cart, (guest) => guest.claimedBy !== undefined && this.#join(guest, guest.claimedBy));
    const seen = seenOf(cart, [...new Set([...(commandsSeen(body['seen'] ?? '') ?? []), dot])]);
    return answer(202, { commandId: dot, lineId: line, seen }, { 'consistency-token': `${cart}:${at}` });
  }

  #changeOf(dot: string, made: Dot | undefined, observed: readonly string[], line: string | undefined, id: string): Change {
    // A read-modify-write would write the cart that it read when the command came.
    const read = new Map(this.#views.get(id)?.cart.dots ?? []);
    const loses = this.#planted === 'loses-adds' && made?.kind === 'add' && this.#random.chance(0.05);
    const doubles = this.#planted === 'doubles-records' && this.#random.chance(0.1);
    return (cart) => {
      if (this.#planted === 'reads-modifies-writes') cart.dots = new Map(read);
      if (this.#planted === 'last-writer-wins' && made?.kind !== 'coupon' && made) {
        for (const [old, its] of cart.dots) if (its.line === made.line) cart.dots.delete(old);
      }
      if (this.#planted !== 'revives-removed' || made !== undefined) {
        kill(
          cart,
          observed.filter((one) => one !== dot && (line === undefined || (cart.dots.get(one)?.line ?? line) === line)),
        );
      }
      if (made === undefined) cart.dead.add(dot);
      else if (!cart.dead.has(dot) && !loses) {
        const before = cart.dots.get(dot);
        cart.dots.set(dot, doubles ? { ...made, quantity: made.quantity * 2 } : (before ?? made));
      }
    };
  }

  #left = (product: string): number => this.#stock.get(product) ?? (product === 'scarce' ? 5 : 10_000);

  #order({ cart, user }: Session, { method, path, headers }: ShopCall, body: Record<string, string & number>): ShopAnswer {
    if (!user) return refused(401, 'sign_in_required');
    if (method === 'GET') {
      const items = [...this.#orders.values()].filter(({ owner }) => owner === cart).map((order) => order.body);
      return answer(200, { items, total: items.length });
    }
    const state = this.#views.get(cart)?.cart ?? emptyCart(cart);
    const seen = commandsSeen(body['seen'] ?? '') ?? [];
    const dots = seen.flatMap((dot) => (state.dots.has(dot) ? [[dot, state.dots.get(dot)!] as const] : []));
    const lines = [...Map.groupBy(dots, ([, { line }]) => line)]
      .filter(([line]) => !line.startsWith('coupon '))
      .map(([productId, its]) => ({ productId, quantity: quantityOf(its.map(([, dot]) => dot)), unitPrice: price }))
      .filter(({ quantity }) => quantity > 0);
    const ordered = dots.map(([dot]) => dot);
    const subtotal = lines.reduce((sum, { quantity }) => sum + quantity * price, 0);
    const cartChanged = dots.length < seen.length;
    if (path === '/api/orders/preview') return answer(200, { lines, subtotal, total: subtotal, cartChanged });
    const key = `${cart} ${headers['idempotency-key'] ?? ''}`;
    const known = this.#orders.get(key);
    if (known !== undefined && this.#planted !== 'orders-count-double') return answer(201, known.body);
    if (cartChanged || (seen.some((dot) => this.#ordered.has(`${cart} ${dot}`)) && this.#planted !== 'orders-count-double'))
      return refused(409, 'cart_changed');
    if (lines.length === 0) return refused(422, 'nothing_to_order');
    const short = lines.some(({ productId, quantity }) => quantity > this.#left(productId));
    if (short && this.#planted !== 'sells-what-is-not-there') return refused(409, 'out_of_stock');
    for (const { productId, quantity } of lines) this.#stock.set(productId, Math.max(0, this.#left(productId) - quantity));
    const total = this.#planted === 'charges-another-total' ? subtotal + 1 : subtotal;
    const steps = [{ name: 'PaymentCaptured' }];
    const order = { orderId: randomUUID(), status: 'placed', lines, subtotal, discount: subtotal - total, total, steps };
    this.#orders.set(known === undefined ? key : `${key} again ${order.orderId}`, { owner: cart, body: order, ask: key });
    for (const dot of ordered) this.#ordered.add(`${cart} ${dot}`);
    if (this.#planted === 'orders-leave-dots') return answer(201, order);
    this.#append(cart, (later) => kill(later, this.#planted === 'orders-kill-unseen' ? [...later.dots.keys()] : ordered));
    return answer(201, order);
  }
}

function kill(cart: Cart, dots: readonly string[]): void {
  for (const dot of dots) {
    cart.dots.delete(dot);
    cart.dead.add(dot);
  }
}

function quantityOf(dots: readonly Dot[]): number {
  const sets = dots.filter(({ kind }) => kind === 'set').map(({ quantity }) => quantity);
  return Math.max(0, ...sets) + dots.reduce((sum, { kind, quantity }) => sum + (kind === 'set' ? 0 : quantity), 0);
}
