/** How fast a lost view comes back, compared with reading the same records without any work. */
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { topics } from '@cloakroom/contracts';
import type { CartRequest } from './cart.sizes.ts';
import type { Consumed, ConsumeOrder } from './cart.consume.worker.ts';
import { history, publishAll, recordCount } from './cart.log.ts';
import { plainProducts, type CartWorld } from './cart.world.ts';
import { openWorker } from '../measuring/load.process.ts';
import type { FloorBlock } from '../measuring/starved.ts';

export interface Replay {
  readonly perSecond: number;
  readonly barePerSecond: number;
  /** The same bare read once more (A/A). */
  readonly bareAgainPerSecond: number;
  readonly bare: FloorBlock;
  /** Batches of a partition that were applied, and calls that wrote to the view. */
  readonly batches: number;
  readonly writes: number;
}

export interface Replayed {
  readonly events: number;
  readonly carts: number;
  readonly pairs: readonly Replay[];
}

/** The same value as the shop's consumer (event-log.kafka.consumer.ts). */
const concurrentPartitions = 8;

export async function benchReplay(world: CartWorld, request: CartRequest): Promise<Replayed> {
  const { events, carts } = request.replay;
  const productId = (await plainProducts(world.gateway, 1))[0]!;
  const each = Math.ceil(events / carts);
  const histories = Array.from({ length: carts }, () => history(`g_${randomUUID()}`, productId, each, Date.now()));
  // Carts take turns, as in a real shop: a batch holds many carts, and a cart is in many batches.
  const changes = Array.from({ length: each }, (_, index) => histories.map((changes) => changes[index]!)).flat();
  await publishAll(world.eventLog, changes);
  await world.follower.untilAll(world.eventLog);
  const records = await recordCount(world.eventLog);
  const bare = await openWorker<ConsumeOrder, Consumed>(join(import.meta.dirname, 'cart.consume.worker.ts'), 'system');
  try {
    const order = { broker: world.broker, topic: topics.cartEvents.name, records, concurrentPartitions };
    const consume = async (): Promise<FloorBlock> => {
      const { result, spentMs, core } = await bare.measure(order, {});
      return { perSecond: result.perSecond, cpuUs: (spentMs['generator']! * 1000) / records, core };
    };
    // After this the compilers have seen all the code.
    await consume();
    await replay(world, records);
    const pairs: Replay[] = [];
    for (let pair = 0; pair < request.pairs; pair++) {
      const first = pair % 2 === 0 ? await consume() : undefined;
      const replayed = await replay(world, records);
      const floor = first ?? (await consume());
      const { perSecond: bareAgainPerSecond } = await consume();
      pairs.push({ ...replayed, barePerSecond: floor.perSecond, bareAgainPerSecond, bare: floor });
      console.log(`pair ${pair + 1} of ${request.pairs} of replays`);
    }
    return { events: records, carts, pairs };
  } finally {
    await bare.stop();
  }
}

async function replay({ follower, eventLog }: CartWorld, events: number): Promise<Pick<Replay, 'perSecond' | 'batches' | 'writes'>> {
  follower.forget();
  await follower.redis.flushall();
  await follower.redis.config('RESETSTAT');
  await follower.untilAll(eventLog);
  const stats = await follower.redis.info('commandstats');
  const writes = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  const seconds = (follower.lastMs - follower.firstMs) / 1000;
  return { perSecond: (events - Number(follower.firstNext)) / seconds, batches: follower.batches, writes };
}
