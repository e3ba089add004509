/**
 * A plain client: a cookie jar and no other part of a browser. It changes the gateway with every
 * call, because any gateway serves any session.
 */
import { randomBytes } from 'node:crypto';
import { test as base, expect, type APIRequestContext } from '@playwright/test';
import { deciderOf, uuidV7 } from '@cloakroom/contracts';
import type { Cart, Order, Product, ProductPage, Profile, Session } from '@cloakroom/contracts/http';
import { type RegionName, regionNames } from '@cloakroom/infra';
import { gateways } from './stack.ts';

/** `body` is the answer of the API; each test states what it expects of it. */
export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test client reads any answer
  readonly body: any;
  readonly headers: Readonly<Record<string, string>>;
}

/** Each missing field gets what a person would choose: the profile's address (made where there is none), the whole cart, a new key. */
export interface Checkout {
  readonly addressId?: string;
  readonly seen?: string;
  readonly expectedTotal?: number;
  readonly paymentMethod?: 'card_pays' | 'card_declined' | 'card_times_out_charged' | 'card_times_out_uncharged' | 'card_double_callback';
  readonly key?: string;
}

export const newCommandId = (): string => uuidV7(Date.now(), randomBytes(10));

/** No answer is ever a raw server error, and none takes longer than the largest budget. */
const answerTimeoutMs = 8_000;

export class Device {
  private calls = 0;
  private readonly request: APIRequestContext;
  constructor(request: APIRequestContext) {
    this.request = request;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    options: { gateway?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const gateway = options.gateway ?? gateways[this.calls++ % gateways.length]!;
    const answer = await this.request.fetch(gateway + path, {
      method,
      timeout: answerTimeoutMs,
      headers: { origin: gateway, ...options.headers },
      ...(body !== undefined && { data: body }),
    });
    expect(answer.status(), `${method} ${path} is no raw server error: ${answer.status() >= 500 ? await answer.text() : ''}`).not.toBe(500);
    const text = await answer.text();
    return { status: answer.status(), body: text === '' ? undefined : JSON.parse(text), headers: answer.headers() };
  }

  /** Repeats a call that was refused with 503 or found its gateway gone, as a good client does. The next call asks the other gateway. */
  async insist(method: string, path: string, body?: unknown, timeoutMs = 30_000, headers: Record<string, string> = {}): Promise<Answer> {
    let last: Answer | undefined;
    await expect(async () => {
      last = await this.call(method, path, body, { headers });
      expect(last.status, `${method} ${path}: ${JSON.stringify(last.body)}`).toBeLessThan(500);
    }).toPass({ timeout: timeoutMs, intervals: [200, 500, 1_000] });
    return last!;
  }

  async register(person: Person): Promise<Answer> {
    return this.call('POST', '/api/session/register', person);
  }

  async signIn({ email, password }: Person, mode?: string): Promise<Answer> {
    return this.call('POST', '/api/session/login', { email, password, ...(mode !== undefined && { mode }) });
  }

  /** Adds a product with the first value of each of its options. */
  async add(productId: string, quantity = 1): Promise<Answer> {
    const answer = await this.insist('POST', '/api/cart/lines', await this.addition(productId, quantity));
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer;
  }

  async cart(): Promise<Cart> {
    const answer = await this.insist('GET', '/api/cart');
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body as Cart;
  }

  /** Waits until the cart holds exactly these quantities by product. */
  async expectCart(quantities: Readonly<Record<string, number>>, timeoutMs = 15_000): Promise<Cart> {
    await expect.poll(async () => quantitiesOf(await this.cart()), { timeout: timeoutMs }).toEqual(quantities);
    return this.cart();
  }

  /** Repeats the order under the same key where it was refused with 503: it counts once. The caller judges the status. */
  async checkout({ key = newCommandId(), ...wish }: Checkout = {}): Promise<Answer> {
    const body = {
      ...wish,
      addressId: wish.addressId ?? (await this.addressId()),
      seen: wish.seen ?? (await this.cart()).seen,
    };
    return this.insist('POST', '/api/orders', body, 30_000, { 'idempotency-key': key });
  }

  async orders(): Promise<readonly Order[]> {
    const answer = await this.insist('GET', '/api/orders?pageSize=100');
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body.items as Order[];
  }

  /** Waits until the payment of the order is settled. */
  async settledOrder(orderId: string, timeoutMs = 15_000): Promise<Order> {
    let order: Order | undefined;
    await expect
      .poll(
        async () => {
          const answer = await this.insist('GET', `/api/orders/${orderId}`);
          order = answer.body as Order;
          return order.status;
        },
        { timeout: timeoutMs },
      )
      .not.toBe('pending');
    return order!;
  }

  /** The address of the profile; a new one where there is none. */
  async addressId(): Promise<string> {
    const { body } = await this.insist('GET', '/api/profile');
    const known = (body as Profile).addresses?.[0]?.addressId;
    if (known !== undefined) return known;
    const address = { name: 'Robin Example', line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };
    const answer = await this.insist('PATCH', '/api/profile', { addresses: [address] });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return (answer.body as Profile).addresses![0]!.addressId;
  }

  async applyCoupon(code: string): Promise<Answer> {
    const answer = await this.insist('PUT', `/api/cart/coupons/${code}`, { commandId: newCommandId() });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer;
  }

  /** Removes the coupon as it was shown. */
  async removeCoupon(code: string): Promise<Answer> {
    const shown = (await this.cart()).coupons.find((coupon) => coupon.code === code);
    const answer = await this.insist('DELETE', `/api/cart/coupons/${code}`, { commandId: newCommandId(), seen: shown?.seen ?? '' });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer;
  }

  async state(): Promise<string> {
    const answer = await this.insist('GET', '/api/session');
    return (answer.body as Session).state;
  }

  /** The body of a POST /api/cart/lines. */
  async addition(productId: string, quantity: number) {
    const { body } = await this.insist('GET', `/api/products/${productId}`);
    const options = Object.fromEntries((body as Product).options.map(({ name, values }) => [name, values[0]!]));
    return { commandId: newCommandId(), productId, quantity, options };
  }

  async cookies(): Promise<{ name: string; value: string }[]> {
    return (await this.request.storageState()).cookies;
  }
}

export function quantitiesOf(cart: Cart): Record<string, number> {
  return Object.fromEntries(cart.lines.map(({ productId, quantity }) => [productId, quantity]));
}

export interface Person {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

let people = 0;

/** Somebody whose address that region decides (docs/regions.md), so that a sign-up there needs no other region. */
export function newPersonOf(region: RegionName): Person {
  for (;;) {
    const email = `person-${Date.now()}-${people++}@example.com`;
    if (deciderOf(email, regionNames) === region) return { email, password: 'correct horse battery staple', name: 'Robin Example' };
  }
}

/** Somebody for the first gateway, which is eu's where there are two regions. */
export const newPerson = (): Person => newPersonOf('eu');

/** `newDevice()` is one more device with its own empty cookie jar. */
export const test = base.extend<{ newDevice: () => Promise<Device>; products: string[] }>({
  newDevice: async ({ playwright }, use) => {
    const contexts: APIRequestContext[] = [];
    await use(async () => {
      const context = await playwright.request.newContext();
      contexts.push(context);
      return new Device(context);
    });
    await Promise.all(contexts.map((context) => context.dispose()));
  },
  // Products with enough stock for any test: earlier tests may have bought the first ones out.
  products: async ({ newDevice }, use) => {
    const { body } = await (await newDevice()).call('GET', '/api/products?pageSize=50');
    const { items } = body as ProductPage;
    await use(items.filter(({ stock }) => stock >= 15).map(({ productId }) => productId));
  },
});

export { expect };
