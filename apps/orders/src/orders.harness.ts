/**
 * A shop around orders in the test's own process: real use cases, saga, settler and simulated provider on a real database. The other services are
 * fakes. Longer because all of them share one state.
 */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  GetProductsResponseSchema,
  isProblem,
  PreparedOrderSchema,
  problem,
  ProfileSchema,
  uuidToBytes,
  uuidV7,
  type Problem,
  type StockItem,
} from '@cloakroom/contracts';
import { type PersonContext } from '@cloakroom/mesh';
import { createLogger, startTrace, type Clock } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { expansions, migrations, type Database, type OrdersSchema } from './orders.ts';
import { hearCallback } from './saga/saga.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import type { PaymentProvider } from './payments/payment-provider.ts';
import { openSimulatedProvider, type SimulatedProvider } from './payments/payment-provider.simulated.ts';
import { placeOrder, type Wanted } from './place-order/place-order.ts';
import { openSettler, type Settler } from './saga/settler.ts';

export const quiet = createLogger('orders-test', 'silent');
export const startMs = 1_790_000_000_000;

/** The ids of a run differ from each other, and the next run draws the same ids. */
export function countingRandom(): (count: number) => Uint8Array {
  let drawn = 0;
  return (count) => createHash('sha512').update(`random ${++drawn}`).digest().subarray(0, count);
}

export interface TestClock extends Clock {
  aheadMs: number;
}

export function testClock(): TestClock {
  return {
    aheadMs: 0,
    nowMs() {
      return startMs + this.aheadMs;
    },
    monotonicMs() {
      return this.aheadMs;
    },
  };
}

export const personContext = (subject: string, budgetMs = 6_000): PersonContext =>
  ({
    identity: { subject, state: 'user' },
    subjectToken: `token of ${subject}`,
    deadline: { remainingMs: () => budgetMs },
    signal: new AbortController().signal,
    trace: startTrace((count) => countingRandom()(count)),
    timing: () => undefined,
  }) as unknown as PersonContext;

/** Burns through at its nth point. From then on everything it guards behaves like a killed process. */
export class Fuse {
  #left: number;
  blown = false;
  constructor(points: number) {
    this.#left = points;
  }
  burn(): void {
    if (!this.blown && this.#left-- > 0) return;
    this.blown = true;
    throw new Killed();
  }
  /** The process is killed before the work, or after the work and before its answer is used. */
  async around<Result>(work: () => Promise<Result>): Promise<Result> {
    this.burn();
    const result = await work();
    this.burn();
    return result;
  }
}

export class Killed extends Error {}

/** Stock as the catalog's contract describes it. The fake forgets that an item was short, so a second request may get another answer. */
export class FakeCatalog {
  away = false;
  readonly prices = new Map<string, number>();
  readonly stock = new Map<string, number>();
  readonly #taken = new Map<string, readonly StockItem[]>();
  readonly #closed = new Set<string>();

  put(productId: string, { price = 1_000, stock = 10 }: { price?: number; stock?: number } = {}): void {
    this.prices.set(productId, price);
    this.stock.set(productId, stock);
  }
  products(productIds: readonly string[]) {
    const known = productIds.filter((productId) => this.prices.has(productId));
    const items = known.map((productId) => ({
      productId,
      name: `The ${productId}`,
      price: BigInt(this.prices.get(productId)!),
      currency: 'EUR',
      stock: this.stock.get(productId)!,
      options: [{ name: 'size' }, { name: 'colour' }],
    }));
    return this.away ? problem('unavailable') : create(GetProductsResponseSchema, { items });
  }
  reserve(orderId: string, items: readonly StockItem[]): { short: { productId: string; quantity: number }[] } | Problem {
    if (this.away) return problem('unavailable');
    if (this.#taken.has(orderId)) return { short: [] };
    const short = items.filter(({ productId, quantity }) => this.#closed.has(orderId) || (this.stock.get(productId) ?? 0) < quantity);
    if (short.length > 0) return { short: short.map(({ productId }) => ({ productId, quantity: this.stock.get(productId) ?? 0 })) };
    for (const { productId, quantity } of items) this.stock.set(productId, this.stock.get(productId)! - quantity);
    this.#taken.set(orderId, items);
    return { short: [] };
  }
  release(orderId: string): Record<string, never> | Problem {
    if (this.away) return problem('unavailable');
    if (this.#closed.has(orderId)) return {};
    this.#closed.add(orderId);
    for (const { productId, quantity } of this.#taken.get(orderId) ?? []) this.stock.set(productId, this.stock.get(productId)! + quantity);
    return {};
  }
}

/** The cart keeps options sorted by name. */
const chosen = [
  { name: 'colour', value: 'red' },
  { name: 'size', value: 'M' },
];

/**
 * A cart that forgets nothing by itself, which is the worst case of a stale view. `seen` holds the names of dots. `name@cart` is a command that was
 * made in another cart.
 */
export class FakeCart {
  readonly lines = new Map<string, { readonly productId: string; readonly quantity?: number }>();
  readonly coupons = new Map<string, string>();
  readonly gone = new Set<string>();
  stale = false;

  prepared(cartId: string, seen: string) {
    const names = seen === '' ? [] : seen.split(',');
    const dots = (name: string) => [dotNamed(name.split('@')[1] ?? cartId, name.split('@')[0]!)];
    const live = names.filter((name) => !this.gone.has(name));
    return create(PreparedOrderSchema, {
      cartId,
      lines: live.flatMap((name) => {
        const line = this.lines.get(name);
        return line === undefined ? [] : { lineId: name, quantity: 1, options: chosen, ...line, dots: dots(name) };
      }),
      coupons: live.flatMap((name) => {
        const code = this.coupons.get(name);
        return code === undefined ? [] : { code, dots: dots(name) };
      }),
      changed: live.length < names.length,
      stale: this.stale,
    });
  }
}

export const commandNamed = (name: string): string => uuidV7(startMs, createHash('sha256').update(name).digest().subarray(0, 10));
const dotNamed = (cartId: string, name: string) => ({ cartId, commandId: uuidToBytes(commandNamed(name)) });

export const home = { addressId: 'home', name: 'Ada', line1: 'Row 1', line2: '', city: 'London', postalCode: 'N1', country: 'GB' };

/** One process of the service. */
export interface Replica {
  readonly parts: OrdersParts;
  readonly provider: SimulatedProvider;
  readonly settler: Settler;
  place(userId: string, wanted: Partial<Wanted> & { readonly idempotencyKey: string }): ReturnType<typeof placeOrder>;
  /** One round of its background worker. */
  work(): Promise<void>;
}

export interface Shop {
  readonly db: Database;
  readonly clock: TestClock;
  readonly catalog: FakeCatalog;
  readonly cart: FakeCart;
  /** Repeats every callback that is delivered. */
  duplicates: number;
  replica(fuse?: Fuse, db?: Database): Replica;
  /** Starts a last process that nothing kills. @returns the number of rounds that it took */
  heal(): Promise<number>;
}

export const openOrdersDatabase = (url: string): Promise<Database> =>
  openDatabase<OrdersSchema>(url, migrations, { name: 'orders', log: quiet, expansions });

let shared: Promise<Database> | undefined;

/** One database for each test file: opening one takes longer than most tests. */
function sharedDatabase(): Promise<Database> {
  shared ??= freshDatabaseUrl().then(openOrdersDatabase);
  return shared;
}

/** A new shop, on an emptied database. */
export async function openShop(opened?: Database): Promise<Shop> {
  const db = opened ?? (await sharedDatabase());
  for (const table of ['orders', 'order_dots', 'coupon_uses', 'order_events', 'provider_charges', 'provider_callbacks'] as const)
    await db.deleteFrom(table).execute();
  const random = countingRandom();
  const shop: Shop = {
    db,
    clock: testClock(),
    catalog: new FakeCatalog(),
    cart: new FakeCart(),
    duplicates: 0,
    replica: (fuse = new Fuse(Number.POSITIVE_INFINITY), its = db) => openReplica(shop, fuse, guarded(its, fuse), random),
    async heal() {
      const last = shop.replica();
      for (let rounds = 1; rounds < 100; rounds += 1) {
        await last.work();
        shop.clock.aheadMs += 5_000;
        if (await isQuiet(db)) return rounds;
      }
      throw new Error('something waits for ever');
    },
  };
  return shop;
}

async function isQuiet(db: Database): Promise<boolean> {
  const { count: pending } = await db
    .selectFrom('orders')
    .where((row) => row.or([row('phase', 'not in', ['placed', 'cancelled']), row('release_due', '=', 1)]))
    .select((row) => row.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const callback = await db.selectFrom('provider_callbacks').select('sequence').limit(1).executeTakeFirst();
  return Number(pending) === 0 && callback === undefined;
}

function openReplica(shop: Shop, fuse: Fuse, db: Database, random: OrdersParts['random']): Replica {
  const { catalog, cart, clock } = shop;
  const provider = openSimulatedProvider({ db: db as never, random });
  const payments: PaymentProvider = {
    methods: provider.methods,
    charge: (request, signal) => fuse.around(() => provider.charge(request, signal)),
    find: (key) => fuse.around(() => provider.find(key)),
    close: (key) => fuse.around(() => provider.close(key)),
    onCallback: (listener) => provider.onCallback(listener),
  };
  const parts: OrdersParts = {
    db,
    clock,
    log: quiet,
    random,
    cart: { prepareOrder: (call, { seen = '' }) => Promise.resolve(cart.prepared(ownerOf(call.passport), seen)) },
    profile: { getProfile: () => Promise.resolve(create(ProfileSchema, { addresses: [home] })) },
    catalog: {
      getProducts: (_call, { productIds = [] }) => Promise.resolve(catalog.products(productIds)),
      reserveStock: (_call, { orderId = '', items = [] }) =>
        fuse.around(() => Promise.resolve(catalog.reserve(orderId, items as StockItem[]))) as never,
      releaseStock: (_call, { orderId = '' }) => fuse.around(() => Promise.resolve(catalog.release(orderId))) as never,
    },
    exchange: { exchangeFor: (ctx, audience) => Promise.resolve(`${audience} for ${ctx.identity!.subject}`) },
    payments,
    chargeWaitMs: 1,
    committed: () => undefined,
  };
  payments.onCallback(async (key, outcome) => {
    for (let told = 0; told <= shop.duplicates; told += 1) await hearCallback(parts, key, outcome);
  });
  const settler = openSettler(parts, () => startTrace(random));
  return {
    parts,
    provider,
    settler,
    place: (userId, wanted) =>
      placeOrder(parts, personContext(userId), { seen: '', addressId: 'home', paymentMethod: '', ...wanted } as Wanted),
    async work() {
      await provider.deliver();
      await settler.settle(new AbortController().signal);
    },
  };
}

const ownerOf = (passport: string | undefined): string => passport?.split(' for ')[1] ?? '';

/** A killed process sends its database nothing more. The fuse guards its transactions, since a kill there can do harm. */
function guarded(db: Database, fuse: Fuse): Database {
  return new Proxy(db, {
    get(target, name) {
      if (fuse.blown) throw new Killed();
      if (name === 'transaction')
        return () => ({ execute: (work: never) => fuse.around(() => target.transaction().execute(work)) }) as unknown;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** The answer that a client gets from a process: undefined when the process was killed. */
export async function heard<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  }
}

export const orderIdOf = (answer: unknown): string | undefined =>
  answer === undefined || isProblem(answer) ? undefined : (answer as { orderId?: string }).orderId;
