import { lookAtLog } from '@cloakroom/event-log';
import { lookMaxMs, type PartStatus, type Readiness, startingMaxMs } from '@cloakroom/platform';
import type { CartParts } from '../cart.dependencies.ts';
import type { CartConfig } from '../config.ts';
import type { LogFollower } from '../follow-log.ts';

/**
 * Without the log no write is possible, and without the view no read. But each works without the other, and another replica would have the
 * same trouble. So neither makes the process unready. Only at its start the process waits for a while to hear a log that is up. Without
 * this wait its first reads would say "stale" for no reason.
 */
export function openReadiness(
  { eventLog, view, clock }: CartParts,
  follower: LogFollower,
  feedStatus: () => PartStatus,
  config: CartConfig,
): () => Promise<Readiness> {
  const startedMs = clock.monotonicMs();
  return async () => {
    const starting = clock.monotonicMs() - startedMs < startingMaxMs;
    const [log, store] = await Promise.all([
      // At the start readiness depends on whether the log is up, and a busy log may answer late.
      lookAtLog(eventLog, config.EVENT_LOG, starting ? startingMaxMs : lookMaxMs),
      view.status(),
    ]);
    const { ok: reachable, ...details } = store;
    const following = follower.following();
    const stuck = follower.stuck() ?? (following || starting ? undefined : 'the log of carts is not followed yet');
    const logDegraded = log.reachable ? stuck : 'the event log does not answer';
    return {
      eventLog: {
        ok: following || !log.reachable || !store.ok || !starting,
        ...log,
        following,
        partitions: follower.partitionCount(),
        degraded: logDegraded,
      },
      cartView: { ok: true, ...details, reachable, degraded: reachable ? undefined : 'the view of carts does not answer' },
      feed: feedStatus(),
      provider: { ok: true, name: config.PROVIDER },
    };
  };
}
