/** The part of /readyz about the revocation feed. */
import { seconds, stuckAfterMs, type Clock, type PartStatus } from '@cloakroom/platform';
import type { RevocationFeed } from './identity.ts';

/** How a process hears of revocations. */
export function openFeedStatus(feed: Pick<RevocationFeed, 'leaseAgeMs' | 'leaseValid'>, clock: Clock): () => PartStatus {
  const startedMs = clock.monotonicMs();
  return () => {
    const ageMs = Math.min(feed.leaseAgeMs(), clock.monotonicMs() - startedMs);
    const leased = feed.leaseValid();
    const since = `no lease for ${seconds(ageMs)}: no heartbeat of auth's relay, or only late ones; auth is asked for each request`;
    return { ok: true, leased, leaseAgeMs: Math.round(ageMs), ...(!leased && ageMs > stuckAfterMs && { degraded: since }) };
  };
}
