/**
 * `npm run bench -- cart`: how soon a command is visible, how many run in a second, how fast the view comes back, and what size and history
 * cost. It also makes the same additions in a cart that is read, changed and written back. Kafka and the view's Redis run on the
 * generator's core: they do the same work for the floor and the shop.
 */
import { benchCosts, type Cost } from './cart.cost.ts';
import { benchLost, type Lost } from './cart.lost.ts';
import type { CartBlock } from './cart.load.ts';
import { benchReplay, type Replayed } from './cart.replay.ts';
import { benchSaturated, profileCart, warmUpConnections, type Saturated } from './cart.saturated.ts';
import type { CartRequest } from './cart.sizes.ts';
import { openCartWorld, plainProducts, type CartWorld } from './cart.world.ts';
import { pinSelf } from '../measuring/machine.ts';

export interface CartMeasured {
  /** Visibility by rate; the highest rate once more at the end (A/A). */
  readonly visible: readonly { readonly rate: number; readonly again: boolean; readonly blocks: readonly CartBlock[] }[];
  readonly saturated: Saturated;
  readonly lost: readonly Lost[];
  readonly sizes: readonly Cost[];
  readonly histories: readonly Cost[];
  readonly replayed: Replayed;
}

/** One read for so many commands: enough for a 99th percentile, and too few to change the result. */
const readEvery = 10;
/** Processes that are profiled. Each value is the inspector's port, counted from the base. */
const inspectorPorts = { 'gateway-1': 90, cart: 91 } as const;

/** @returns undefined after profiling */
export async function benchCart(request: CartRequest): Promise<CartMeasured | undefined> {
  pinSelf();
  const { base } = request;
  const flags = request.profile
    ? Object.fromEntries(Object.entries(inspectorPorts).map(([name, port]) => [name, [`--inspect=127.0.0.1:${base + port}`]]))
    : {};
  const first = await openCartWorld(base, flags);
  let measured: Omit<CartMeasured, 'replayed'>;
  try {
    const productIds = await plainProducts(first.gateway, 20);
    if (request.profile) {
      await profileCart(first, request, productIds, inspectorPorts);
      return undefined;
    }
    const visible = await benchVisible(first, request, productIds);
    const saturated = await benchSaturated(first, request, productIds);
    const lost = await benchLost(first, request.lost, productIds[0]!);
    const { sizes, histories } = await benchCosts(first, request, productIds[0]!);
    measured = { visible, saturated, lost, sizes, histories };
  } finally {
    await first.stop();
  }
  // This part has its own log: what is replayed is what this benchmark wrote there.
  const second = await openCartWorld(base);
  try {
    return { ...measured, replayed: await benchReplay(second, request) };
  } finally {
    await second.stop();
  }
}

async function benchVisible(world: CartWorld, request: CartRequest, productIds: string[]): Promise<CartMeasured['visible']> {
  const { generator, gateway, cartRedisPort } = world;
  const guests = await world.guests(request.cartCount);
  const shoppers = generator.shoppers(
    'visible',
    gateway,
    guests.map(({ cookie }) => cookie),
    productIds,
  );
  const block = (rate: number, seconds: number) =>
    generator.run(
      `${rate}/s`,
      shoppers,
      { how: { kind: 'open', rate, seconds }, warmUpSeconds: request.warmUpSeconds, watch: { cartRedisPort, readEvery } },
      world.pids,
    );
  // After it the compilers have seen all the code, and the gateway knows the sessions. Few connections do it,
  // because auth refuses more than it can do.
  const warmUp = {
    how: { kind: 'closed', connections: warmUpConnections, seconds: Math.min(5, request.seconds * 2) },
    warmUpSeconds: 0,
  } as const;
  await generator.run('warm-up', shoppers, warmUp, world.pids);
  const once = request.rates.map((rate) => ({ rate, again: false, blocks: [] as CartBlock[] }));
  const visible = [...once, { ...once.at(-1)!, again: true, blocks: [] as CartBlock[] }];
  for (let pair = 0; pair < request.pairs; pair++) for (const { rate, blocks } of visible) blocks.push(await block(rate, request.seconds));
  console.log(`visibility at ${request.rates.join(', ')} commands a second`);
  return visible;
}
