/** The words of /readyz about the readers of the log. A replica without them serves on: it takes commands, and its reads say how old they are. */
import { EmbeddedEventLog, type SubscribeOptions, type Subscription } from '@cloakroom/event-log';
import { readinessAnswer } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { accepted, newAuthKey, newUser, openHarness, personContext, quiet } from '../cart.harness.ts';
import { readConfig } from '../cart.module.ts';
import { openLogFollower, type LogFollower } from '../follow-log.ts';
import { evolveInBatch } from '../model/cart.ts';
import { MemoryCartView } from '../projection/cart.view.memory.ts';
import { cartTopics, type CartParts } from '../cart.dependencies.ts';
import { startProjector } from '../projection/projector.ts';
import { readCart } from '../reads/read-cart.ts';
import { openReadiness } from './readiness.ts';

let aheadMs = 0;
/** Stands still, so that a slow machine is no silent log. */
const clock = { nowMs: () => Date.now(), monotonicMs: () => aheadMs };
const config = readConfig({
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  MESH_TLS: 'off',
  EVENT_LOG: 'embedded',
  CART_VIEW: 'memory',
  AUTH_ADDRESS: 'localhost:1',
});

const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  aheadMs = 0;
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Keeps the subscriptions, so that a test can take a share away. */
class KeepingLog extends EmbeddedEventLog {
  readonly readers = new Map<string, Subscription>();

  override async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const reader = await super.subscribe(options);
    this.readers.set(options.group, reader);
    return reader;
  }
}

async function follow() {
  const eventLog = new KeepingLog({ log: quiet, clock });
  const view = new MemoryCartView();
  const parts: CartParts = { eventLog, view, clock, log: quiet, topics: cartTopics, region: 'local', evolve: evolveInBatch };
  const follower: LogFollower = openLogFollower(parts);
  await follower.start(newAuthKey().ring);
  stops.push(
    () => eventLog.close(),
    () => follower.stop(),
  );
  const look = openReadiness(parts, follower, () => ({ ok: true }), config);
  await vi.waitFor(async () => expect((await look())['eventLog']).toMatchObject({ ok: true, following: true }), { timeout: 10_000 });
  return { readers: eventLog.readers, look: async () => readinessAnswer(await look()) };
}

it.each(['cart-projector', 'cart-claims', 'cart-orders'])(
  'tells in words of the reader %s that has had no share for more than 5 s, and stays ready',
  async (group) => {
    const { readers, look } = await follow();
    expect((await look()).body).toMatchObject({ ready: true, degraded: [], parts: { eventLog: { partitions: 24 } } });
    const share = vi.spyOn(readers.get(group)!, 'unassignedMs').mockReturnValue(7_000);
    expect(await look()).toMatchObject({
      status: 200,
      body: { ready: true, degraded: [`eventLog: ${group} has had no share of its partitions for 7 s`] },
    });
    share.mockReturnValue(4_000);
    expect((await look()).body.degraded, 'a rebalance').toEqual([]);
  },
);

it('a replica to which its group has no partition left to give is well: it hears the log, and its reads are not stale', async () => {
  const topics = { ...cartTopics, events: { ...cartTopics.events, partitions: 1 }, snapshots: { ...cartTopics.snapshots, partitions: 1 } };
  const cart = await openHarness({ clock, topics });
  const spare = await startProjector(cart.parts, cart.group);
  stops.push(cart.stop, () => spare.stop());
  await spare.ready;
  const [idle, owner] = [spare, cart.projector()].sort((a, b) => a.partitionCount() - b.partitionCount());
  expect([idle!.partitionCount(), owner!.partitionCount()]).toEqual([0, 1]);
  const ada = newUser();
  accepted(await cart.add(ada));
  const read = async () => {
    const { state, staleFor } = accepted(await readCart({ ...cart.parts, projector: idle! }, personContext(ada, { clock })));
    return [state.dots.size, staleFor, idle!.stuck()];
  };
  for (const passes of [0, 60_000]) {
    aheadMs += passes;
    await vi.waitFor(async () => expect(await read()).toEqual([1, undefined, undefined]), { timeout: 20_000 });
  }
});
