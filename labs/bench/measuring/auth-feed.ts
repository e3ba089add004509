/** The real feed of revocations, read from the log of an auth that runs in this process. It can be cut. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '@cloakroom/event-log';
import { askRelayThrough, jwksFrom, type KeyRing, openKeyRing, openLateFeed, type RevocationFeed } from '@cloakroom/identity';
import { systemClock } from '@cloakroom/platform';
import type { AuthAlone } from './auth-alone.ts';

/** Far above the half second between two heartbeats, and the two seconds of the lease, on a busy machine. */
const noticeMaxMs = 30_000;
const lookAgainMs = 5;

export interface Feed {
  readonly feed: RevocationFeed;
  /** The keys that auth signs with. */
  readonly keys: KeyRing;
  /** From now on nothing of it arrives, until `mend`. */
  cut(): void;
  mend(): void;
  /** Resolves once there is a lease. */
  heard(): Promise<void>;
  /** Resolves once there is none. */
  silent(): Promise<void>;
  stop(): Promise<void>;
}

/** The real feed, read from auth's own log. */
export async function openFeed({ client, eventLog, log }: AuthAlone): Promise<Feed> {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const held = new Proxy(eventLog, {
    get(target, key) {
      if (key !== 'subscribe') {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      const subscribe: EventLog['subscribe'] = (options) =>
        target.subscribe({
          ...options,
          handler: async (batch, control) => {
            await gate.promise;
            await options.handler(batch, control);
          },
        });
      return subscribe;
    },
  });
  const keys = openKeyRing({ log, clock: systemClock, fetchJwks: jwksFrom(client) });
  const feed = openLateFeed({
    eventLog: held,
    keys,
    askRelay: askRelayThrough(client),
    clock: systemClock,
    log,
    group: `lab-feed-${randomUUID()}`,
  });
  const until = async (leased: boolean): Promise<void> => {
    const giveUpMs = performance.now() + noticeMaxMs;
    while (feed.leaseValid() !== leased) {
      if (performance.now() > giveUpMs)
        throw new Error(`the lease of the feed did not ${leased ? 'come' : 'end'} within ${noticeMaxMs} ms`);
      await delay(lookAgainMs);
    }
  };
  await until(true);
  return {
    feed,
    keys,
    cut: () => void (gate = Promise.withResolvers<void>()),
    mend: () => gate.resolve(),
    heard: () => until(true),
    silent: () => until(false),
    async stop() {
      gate.resolve();
      await feed.stop();
      keys.stop();
    },
  };
}
