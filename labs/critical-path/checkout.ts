/** A shop in which each hop of a check-out is slow, and people who order in it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { uuidV7 } from '@cloakroom/contracts';
import { startStack, type RunningStack } from '../../infra/launch/harness.ts';
import { dataRoot } from '../../infra/stack/folders.ts';
import { type Headers, register, signIn } from '../bench/measuring/people.ts';
import { ask, must } from '../runner/ask.ts';

export interface Buyer {
  readonly headers: Headers;
  readonly addressId: string;
}

export interface Ordered {
  readonly traceId: string;
  readonly tookMs: number;
}

/** Far enough apart, a busy machine has done the work of one order before the next. Together they would measure their own queue. */
export interface Pace {
  readonly count: number;
  readonly apartMs: number;
}

export interface Shop {
  readonly stack: RunningStack;
  /** Signs them in. An order wants a sign-in of the last five minutes. */
  buyers(): Promise<Buyer[]>;
  /** So many orders of one piece, a little apart from each other. @returns the answered ones, the fastest first */
  orders(buyers: readonly Buyer[], pace: Pace): Promise<Ordered[]>;
}

const buyerCount = 4;
const viewTimeoutMs = 10_000;

export async function openSlowShop(base: number): Promise<Shop> {
  const stack = await startStack({
    provider: 'embedded',
    base,
    dataDir: join(dataRoot, 'lab-critical-path'),
    fresh: true,
    logLevel: 'error',
    observatory: true,
    limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', ORDER_LIMIT_PER_MINUTE: '600', RATE_LIMIT_PER_10S: '10000' },
  });
  const [gateway] = stack.gateways;
  const nextPiece = await openShelf(gateway);
  const people = await register(gateway, buyerCount);
  return {
    stack,
    buyers: () => Promise.all(people.map(async (person) => buyerOf(gateway, await signedIn(gateway, person)))),
    async orders(buyers, { count, apartMs }) {
      const turns = Array.from({ length: count }, (_, index) => buyers[index % buyers.length]!);
      const seen = await Promise.all(turns.map(({ headers }) => putIntoCart(gateway, headers, nextPiece())));
      // The work behind those writes is over first.
      await delay(apartMs);
      const placed = await Promise.all(turns.map((buyer, index) => delay(index * apartMs).then(() => order(gateway, buyer, seen[index]!))));
      const answered = placed.filter((one) => one !== undefined);
      if (answered.length < count / 2) throw new Error(`${count - answered.length} of ${count} orders were refused`);
      return answered.toSorted((a, b) => a.tookMs - b.tookMs);
    },
  };
}

/** @returns gives the product of which the most is left: a run orders more pieces than there are of any */
async function openShelf(gateway: string): Promise<() => string> {
  const { items } = (await must(gateway, 'GET /api/products?pageSize=100', 200, {})).body as {
    readonly items: readonly { readonly productId: string; readonly stock: number }[];
  };
  const left = new Map(items.map(({ productId, stock }) => [productId, stock]));
  return () => {
    const [productId, stock] = [...left].reduce((most, one) => (one[1] > most[1] ? one : most));
    left.set(productId, stock - 1);
    return productId;
  };
}

async function signedIn(gateway: string, person: Parameters<typeof signIn>[1]): Promise<Headers> {
  return { cookie: (await signIn(gateway, person, 'hybrid'))! };
}

async function buyerOf(gateway: string, headers: Headers): Promise<Buyer> {
  const address = { name: 'Ada', line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };
  const { body } = await must(gateway, 'PATCH /api/profile', 200, { headers, body: { addresses: [address] } });
  return { headers, addressId: body.addresses[0].addressId as string };
}

/** @returns what was seen of the cart: this line alone, once the cart shows it */
async function putIntoCart(gateway: string, headers: Headers, productId: string): Promise<string> {
  const body = { commandId: uuidV7(Date.now(), randomBytes(10)), productId, quantity: 1 };
  const added = await must(gateway, 'POST /api/cart/lines', 202, { headers, body });
  const cookie = `${headers['cookie']}; consistency=${added.headers.get('consistency-token')}`;
  const giveUpMs = performance.now() + viewTimeoutMs;
  while ((await must(gateway, 'GET /api/cart', 200, { headers: { cookie } })).body.stale === true)
    if (performance.now() > giveUpMs) throw new Error('the cart did not show a new line in time');
  return added.body.seen as string;
}

/** @returns undefined where the shop had no time for it, on a busy machine */
async function order(gateway: string, { headers, addressId }: Buyer, seen: string): Promise<Ordered | undefined> {
  const traceId = randomBytes(16).toString('hex');
  const { status, body, tookMs } = await ask(gateway, 'POST /api/orders', {
    headers: {
      ...headers,
      'idempotency-key': traceId,
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    },
    body: { addressId, seen },
  });
  if (status >= 500) return undefined;
  if (status !== 201) throw new Error(`an order: ${status} ${JSON.stringify(body)}`);
  return { traceId, tookMs };
}
