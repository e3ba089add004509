/**
 * Starts every reader of the log once the log can be reached. So a cart service starts while Kafka is down. Until Kafka is back, it marks
 * its reads as stale and refuses writes. Then it catches up by itself.
 */
import { outsideItsGroup, type Subscription } from '@cloakroom/event-log';
import type { KeyRing } from '@cloakroom/identity';
import { claimsGroup, startClaims } from './commands/claims.ts';
import { topicsToEnsure, type CartParts } from './cart.dependencies.ts';
import { ordersGroup, startPlacedOrders } from './commands/placed-orders.ts';
import { startProjector, type Projector } from './projection/projector.ts';

/** The service finds a broker within a second of the broker's start. */
const retryDelayMs = 1_000;

export interface LogFollower extends Pick<Projector, 'heardAgoMs' | 'partitionCount' | 'realignSoon' | 'ends'> {
  /** Whether the readers have joined, and every partition that this process holds has found its place. */
  following(): boolean;
  /** A sentence about a reader outside its group, or partitions that do not move; undefined when all is well. */
  stuck(): string | undefined;
  /** Tries until the log answers. Resolves after the first attempt, even when it failed. */
  start(keys: KeyRing): Promise<void>;
  stop(): Promise<void>;
}

export function openLogFollower(parts: CartParts): LogFollower {
  let projector: Projector | undefined;
  let claims: Subscription | undefined;
  let orders: Subscription | undefined;
  let following = false;
  let retrying: Promise<void> = Promise.resolve();
  const stopped = new AbortController();

  const open = async (keys: KeyRing): Promise<void> => {
    await parts.eventLog.ensureTopics(topicsToEnsure(parts.topics));
    if (projector === undefined) {
      projector = await startProjector(parts);
      projector.ready.then(
        () => (following = true),
        (error: unknown) => parts.log.warn({ err: error }, 'the projector did not start'),
      );
    }
    claims ??= await startClaims({ ...parts, keys });
    orders ??= await startPlacedOrders(parts);
  };
  const attempt = (keys: KeyRing): Promise<boolean> =>
    open(keys).then(
      () => true,
      (error: unknown) => {
        parts.log.warn({ err: error }, 'the event log cannot be followed yet');
        return false;
      },
    );

  return {
    heardAgoMs: () => projector?.heardAgoMs() ?? Number.POSITIVE_INFINITY,
    partitionCount: () => projector?.partitionCount() ?? 0,
    realignSoon: () => projector?.realignSoon(),
    ends: {
      standing: (partition, region) => projector?.ends.standing(partition, region),
      now: async (partition, budgetMs) => projector?.ends.now(partition, budgetMs),
    },
    following: () => following,
    stuck: () => projector?.stuck() ?? outsideItsGroup(claimsGroup, claims) ?? outsideItsGroup(ordersGroup, orders),
    async start(keys) {
      if (await attempt(keys)) return;
      retrying = (async () => {
        do {
          await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
        } while (!stopped.signal.aborted && !(await attempt(keys)));
      })();
    },
    async stop() {
      stopped.abort();
      await retrying;
      await claims?.stop();
      await orders?.stop();
      await projector?.stop();
    },
  };
}
