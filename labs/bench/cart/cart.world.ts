/**
 * The system that the cart's benchmark measures: every part that a cart command passes and every part that makes it visible. The
 * log and the view are also reached directly.
 */
import { openEventLog, type EventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { portsOf } from '../../../infra/stack/stack.ts';
import { Follower } from './cart.log.ts';
import { openCartGenerator, type CartGenerator } from './cart.load.ts';
import { makeGuests, type MadeSession } from '../measuring/people.ts';
import { openWorld, type World } from '../measuring/world.ts';

export interface CartWorld {
  readonly world: World;
  readonly gateway: string;
  readonly broker: string;
  readonly cartRedisPort: number;
  readonly eventLog: EventLog;
  readonly follower: Follower;
  readonly generator: CartGenerator;
  /** Processes that share the core of the system under test. */
  readonly pids: Readonly<Record<string, number>>;
  guests(count: number): Promise<MadeSession[]>;
  stop(): Promise<void>;
}

export async function openCartWorld(base: number, flags: Parameters<typeof openWorld>[0]['flags'] = {}): Promise<CartWorld> {
  const world = await openWorld({
    name: 'cart',
    base,
    parts: ['redis-sessions', 'redis-carts', 'kafka', 'auth', 'cart', 'catalog', 'gateway-1'],
    flags,
  });
  const ports = portsOf(base);
  const broker = `127.0.0.1:${ports.kafka}`;
  const log = createLogger('bench', 'silent');
  const eventLog = await openEventLog({ kind: 'kafka', brokers: [broker], clientId: 'bench', log, clock: systemClock });
  const follower = await Follower.open(ports.redisCarts);
  const generator = await openCartGenerator(`/tmp/cloakroom-bench-cart-${process.pid}`);
  return {
    world,
    gateway: world.gateways[0],
    broker,
    cartRedisPort: ports.redisCarts,
    eventLog,
    follower,
    generator,
    pids: world.pids('gateway-1', 'cart', 'auth', 'catalog', 'redis-sessions'),
    guests: (count) => makeGuests(`redis://127.0.0.1:${ports.redisSessions}`, world.macKey, count),
    stop: async () => {
      await generator.stop();
      follower.close();
      await eventLog.close();
      await world.stop();
    },
  };
}

/** Products without options, so that a command need not choose. */
export async function plainProducts(gateway: string, count: number): Promise<string[]> {
  const answer = await fetch(`${gateway}/api/products?pageSize=100`);
  const { items } = (await answer.json()) as { items: { productId: string; options: unknown[] }[] };
  return items
    .filter(({ options }) => options.length === 0)
    .slice(0, count)
    .map(({ productId }) => productId);
}
