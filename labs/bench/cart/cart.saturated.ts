/** The largest number of commands a second, compared with the least work that puts the same bytes into Kafka (cart.floor.main.ts). */
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import { topics, uuidV7 } from '@cloakroom/contracts';
import type { LogRecord } from '@cloakroom/event-log';
import type { CartRequest } from './cart.sizes.ts';
import type { CartBlock, Shoppers } from './cart.load.ts';
import type { CartWorld } from './cart.world.ts';
import { againMark } from '../measuring/load.ts';
import { profiled } from '../measuring/profile.ts';
import { rotated } from '../measuring/statistics.ts';

/** Blocks by the name of what was measured, one block for each pair. */
export type Saturated = Readonly<Record<string, readonly CartBlock[]>>;

export const shopName = 'Cloakroom';
export const shopAgainName = shopName + againMark;
export const floorName = 'floor';
export const singleName = 'floor, a request each';

const connections = 32;
/** Connections for sessions that the gateway has not met. Each session is a question to auth, and auth refuses more than it can do. */
export const warmUpConnections = 4;
const floorTopic = { ...topics.cartEvents, name: 'bench.floor' };

interface Front {
  readonly name: string;
  readonly shoppers: Shoppers;
  readonly pids: Readonly<Record<string, number>>;
}

export async function benchSaturated(world: CartWorld, request: CartRequest, productIds: string[]): Promise<Saturated> {
  const fronts = await openFronts(world, request, productIds);
  const blocks: Record<string, CartBlock[]> = {};
  const block = (front: Front, seconds: number, count = connections) =>
    world.generator.run(
      front.name,
      front.shoppers,
      { how: { kind: 'closed', connections: count, seconds }, warmUpSeconds: request.warmUpSeconds },
      front.pids,
    );
  for (const front of fronts) await block(front, Math.min(5, request.seconds * 2), warmUpConnections);
  for (let pair = 0; pair < request.pairs; pair++) {
    for (const front of rotated(fronts, pair)) {
      (blocks[front.name] ??= []).push(await block(front, request.seconds));
      // Work that the view still has to do would take time from the next block.
      if (front.name.startsWith(shopName)) await world.follower.untilAll(world.eventLog);
    }
    console.log(`pair ${pair + 1} of ${request.pairs} at saturation`);
  }
  return blocks;
}

async function openFronts(world: CartWorld, request: CartRequest, productIds: string[]): Promise<Front[]> {
  const cookies = (await world.guests(request.cartCount)).map(({ cookie }) => cookie);
  const shopperOf = (name: string, origin: string): Shoppers => world.generator.shoppers(name, origin, cookies, productIds);
  const { answer, record } = await sample(world, cookies[0]!, productIds[0]!);
  await world.eventLog.ensureTopics([floorTopic]);
  const ours = (name: string): Front => ({ name, shoppers: shopperOf('ours', world.gateway), pids: world.pids });
  const floor = async (name: string, offset: number, send: string): Promise<Front> => {
    const [front, back] = [world.world.base + offset, world.world.base + offset + 1];
    const env = {
      ANSWER: JSON.stringify(answer),
      RECORD: JSON.stringify(record),
      KAFKA_BROKER: world.broker,
      TOPIC: floorTopic.name,
      SEND: send,
    };
    const script = join(import.meta.dirname, 'cart.floor.main.ts');
    await world.world.add({ name: `${send}-back`, script, port: back, env });
    await world.world.add({ name: `${send}-front`, script, port: front, env: { ...env, BACK_PORT: String(back) } });
    const pids = world.world.pids(`${send}-front`, `${send}-back`);
    return {
      name,
      shoppers: shopperOf(send, `http://127.0.0.1:${front}`),
      pids: { front: pids[`${send}-front`]!, back: pids[`${send}-back`]! },
    };
  };
  return [ours(shopName), ours(shopAgainName), await floor(floorName, 50, 'batched'), await floor(singleName, 52, 'single')];
}

/** Sends one real command. Returns its answer and the record that it left. */
async function sample({ gateway, eventLog }: CartWorld, cookie: string, productId: string) {
  const commandId = uuidV7(Date.now(), randomBytes(10));
  const answer = await fetch(`${gateway}/api/cart/lines`, {
    method: 'POST',
    headers: { origin: gateway, cookie, 'content-type': 'application/json' },
    body: JSON.stringify({ commandId, productId, quantity: 1 }),
  });
  const body = await answer.text();
  const [, partition, offset] = (answer.headers.get('consistency-token') ?? '').split(':');
  const { value, headers } = await recordAt(eventLog, Number(partition), BigInt(offset!));
  const own = new Set(['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']);
  const answered = Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name)));
  return {
    answer: { headers: answered, body },
    record: {
      value: value!.toString('base64'),
      headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()])),
    },
  };
}

async function recordAt(eventLog: CartWorld['eventLog'], partition: number, offset: bigint): Promise<LogRecord> {
  const found = Promise.withResolvers<LogRecord>();
  const subscription = await eventLog.subscribe({
    group: `bench-${randomUUID()}`,
    topics: [topics.cartEvents],
    from: 'earliest',
    handler: (batch) => {
      const record = batch.records.find((one) => one.partition === partition && one.offset === offset);
      if (record !== undefined) found.resolve(record);
      return Promise.resolve();
    },
  });
  try {
    return await found.promise;
  } finally {
    await subscription.stop();
  }
}

export async function profileCart(
  world: CartWorld,
  request: CartRequest,
  productIds: string[],
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  const cookies = (await world.guests(request.cartCount)).map(({ cookie }) => cookie);
  const shoppers = world.generator.shoppers('profiled', world.gateway, cookies, productIds);
  const load = (seconds: number) =>
    world.generator.run('profile', shoppers, { how: { kind: 'closed', connections, seconds }, warmUpSeconds: 0 }, world.pids);
  await load(3);
  for (const [name, offset] of Object.entries(ports))
    await profiled(world.world.base + offset, `cart-${name}`, () => load(request.seconds * 2));
}
