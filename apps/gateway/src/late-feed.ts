/**
 * The revocation feed of a process that may start while the event log is away. Until the feed is open there is no lease, so nothing cached is
 * believed and auth is asked per request: slower, and just as safe.
 */
import { topics } from '@cloakroom/contracts';
import { type EventLog, type Logger, type Revocation, type RevocationFeed } from '@cloakroom/platform';

const retryDelayMs = 1_000;

export function openLateFeed(eventLog: EventLog, open: () => Promise<RevocationFeed>, log: Logger): RevocationFeed {
  const listeners = new Set<(what: Revocation) => void>();
  let feed: RevocationFeed | undefined;
  let stopped = false;
  const opened = (async () => {
    for (let attempt = 1; !stopped; attempt++) {
      try {
        await eventLog.ensureTopics([topics.sessionRevocations]);
        const found = await open();
        found.onRevocation((what) => listeners.forEach((listener) => listener(what)));
        feed = found;
        if (stopped) await found.stop();
        return found;
      } catch (error) {
        log.warn({ err: error, attempt }, 'the revocation feed could not be opened yet: auth is asked per request');
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs).unref());
      }
    }
    return undefined;
  })();
  return {
    leaseValid: () => feed?.leaseValid() ?? false,
    leaseAgeMs: () => feed?.leaseAgeMs() ?? Number.POSITIVE_INFINITY,
    isRevoked: (identity) => feed?.isRevoked(identity) ?? false,
    isTokenRevoked: (tokenHash) => feed?.isTokenRevoked(tokenHash) ?? false,
    onRevocation(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: opened.then((found) => found?.ready),
    async stop() {
      stopped = true;
      await feed?.stop();
    },
  };
}
