/** Several clients make the same additions at once in two carts. It counts those that were acknowledged and are missing at the end. */
import { join } from 'node:path';
import type { CartGenerator } from './cart.load.ts';
import type { CartWorld } from './cart.world.ts';

export interface Lost {
  readonly cart: 'Cloakroom' | 'read, change, write back';
  readonly clients: number;
  /** The sum over all trials. */
  readonly acknowledged: number;
  readonly kept: number;
}

interface Kept {
  readonly cart: Lost['cart'];
  readonly origin: string;
  /** The number of items in the cart, once it holds all that was acknowledged or does not change any more. */
  readonly count: (cookie: string, acknowledged: number) => Promise<number>;
}

const settleTimeoutMs = 10_000;

export async function benchLost(
  world: CartWorld,
  { commands, clients, trials }: { readonly commands: number; readonly clients: readonly number[]; readonly trials: number },
  productId: string,
): Promise<Lost[]> {
  const port = world.world.base + 54;
  const env = { CART_REDIS_PORT: String(world.cartRedisPort) };
  await world.world.add({ name: 'plain', script: join(import.meta.dirname, 'cart.plain.main.ts'), port, env });
  const plain = `http://127.0.0.1:${port}`;
  const kept: Kept[] = [
    { cart: 'Cloakroom', origin: world.gateway, count: (cookie, acknowledged) => quantityOf(world.gateway, cookie, acknowledged) },
    {
      cart: 'read, change, write back',
      origin: plain,
      count: async (cookie) => (await bodyOf<Record<string, number>>(plain, cookie))[productId] ?? 0,
    },
  ];
  const lost: Lost[] = [];
  for (const count of clients)
    for (const one of kept) {
      let [acknowledged, there] = [0, 0];
      for (let trial = 0; trial < trials; trial++) {
        const [guest] = await world.guests(1);
        const answered = await addAll(world.generator, one, guest!.cookie, productId, count, commands);
        acknowledged += answered;
        there += await one.count(guest!.cookie, answered);
      }
      lost.push({ cart: one.cart, clients: count, acknowledged, kept: there });
    }
  console.log('additions at once');
  return lost;
}

async function addAll(
  generator: CartGenerator,
  { cart, origin }: Kept,
  cookie: string,
  productId: string,
  connections: number,
  commands: number,
): Promise<number> {
  const shoppers = generator.shoppers('one', origin, [cookie], [productId]);
  return (await generator.run(cart, shoppers, { how: { kind: 'count', connections, commands }, warmUpSeconds: 0 }, {})).answered;
}

async function quantityOf(gateway: string, cookie: string, acknowledged: number): Promise<number> {
  const giveUpMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const { lines } = await bodyOf<{ lines: { quantity: number }[] }>(gateway, cookie);
    const quantity = lines.reduce((sum, line) => sum + line.quantity, 0);
    if (quantity >= acknowledged || performance.now() > giveUpMs) return quantity;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function bodyOf<Body>(origin: string, cookie: string): Promise<Body> {
  const answer = await fetch(`${origin}/api/cart`, { headers: { cookie } });
  if (answer.status !== 200) throw new Error(`GET /api/cart: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}
