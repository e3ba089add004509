/**
 * The revocation feed of a process that may start while the event log is away. Until the feed is open there is no lease, and the process knows of no
 * revocations. A verifier then relies on the passport's own claims (60 s at most), as docs/failures.md says.
 */
import { mirroredTopic, topics } from '@cloakroom/contracts';
import type { AskRelay } from './beat-clock.ts';
import type { Clock, Logger } from '@cloakroom/platform';
import type { EventLog } from '@cloakroom/event-log';
import { verifyEvent } from './events-signature.ts';
import type { KeyRing, Revocation, RevocationFeed } from './identity.ts';
import { openRevocationFeed } from './revocation-feed.ts';

/** The process finds a broker that comes up within a second. It asks an absent one no more often than that. */
const retryDelayMs = 1_000;

/**
 * Opens in the background and answers at once.
 * @param options.group fresh at each start: every process reads the whole feed alone
 * @param options.origin the other region whose revocations are read, from the copy of its topic; undefined for the own region
 */
export function openLateFeed(options: {
  readonly eventLog: EventLog;
  readonly keys: KeyRing;
  readonly askRelay: AskRelay;
  readonly clock: Clock;
  readonly log: Logger;
  readonly group: string;
  readonly origin?: string;
}): RevocationFeed {
  const { eventLog, keys, log, origin } = options;
  const topic = origin === undefined ? topics.sessionRevocations : mirroredTopic(topics.sessionRevocations, origin);
  const listeners = new Set<(what: Revocation) => void>();
  let feed: RevocationFeed | undefined;
  let stopped = false;
  const open = async (): Promise<RevocationFeed> => {
    await eventLog.ensureTopics([topic]);
    const opened = await openRevocationFeed({
      ...options,
      topic,
      // The other region's auth signed for its own topic. Its keys alone verify the copy, so no record of another log passes here.
      verify: (record) =>
        verifyEvent(origin === undefined ? record : { ...record, topic: topics.sessionRevocations.name }, keys).then(
          (valid) => (valid ? 'valid' : 'forged'),
          () => 'keys_unavailable',
        ),
    });
    opened.onRevocation((what) => listeners.forEach((listener) => listener(what)));
    return opened;
  };
  const opening = (async () => {
    for (let attempt = 1; !stopped; attempt++) {
      try {
        feed = await open();
        if (stopped) await feed.stop();
        return await feed.ready;
      } catch (error) {
        log.warn({ err: error, attempt }, 'the revocation feed could not be opened yet');
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs).unref());
      }
    }
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
    ready: opening,
    async stop() {
      stopped = true;
      await feed?.stop();
    },
  };
}
