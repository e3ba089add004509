/** The parts that this gateway depends on, as /readyz reports them. */
import { openFeedStatus } from '@cloakroom/identity';
import { lookWithin, type PartStatus, type Readiness, startingMaxMs } from '@cloakroom/platform';
import type { EventLog } from '@cloakroom/event-log';
import type { HttpServer } from '../edge/http-server.ts';
import type { Gateway } from '../gateway.ts';

/** Bounds a call to another service's /readyz, which bounds each part that it asks about by `lookMaxMs`. */
const lookTimeoutMs = 500;

type Looked = Pick<Gateway, 'config' | 'identity' | 'jwks' | 'streams'> & {
  readonly eventLog: EventLog;
  readonly server: Pick<HttpServer, 'stopping'>;
};

export function openLookAtParts(gateway: Looked): () => Promise<Readiness> {
  const feedStatus = openFeedStatus(gateway.identity.feed, gateway.identity.clock);
  const abroad = [...gateway.identity.abroad].map(([region, { feed, clock }]) => [`feed-${region}`, openFeedStatus(feed, clock)] as const);
  const startedMs = gateway.identity.clock.monotonicMs();
  return async () => {
    const { config, identity } = gateway;
    const [feedRead, found, auth, cart] = await Promise.all([
      lookWithin(
        identity.feed.ready.then(() => true),
        false,
      ),
      lookWithin<object | undefined>(gateway.eventLog.describe(), undefined),
      lookThroughAll('auth', config.AUTH_ADMIN_URL),
      lookThroughAll('cart', config.CART_ADMIN_URL),
    ]);
    const starting = gateway.identity.clock.monotonicMs() - startedMs < startingMaxMs;
    return {
      gateway: { ok: !gateway.server.stopping, replica: config.REPLICA, provider: config.PROVIDER, streams: gateway.streams.open },
      // A log within reach is read before the first request, which spares auth. Without it this gateway serves too, and asks auth each time.
      feed: { ...feedStatus(), ok: feedRead || found === undefined || !starting },
      // Another region may be out of reach for hours, and this one serves.
      ...Object.fromEntries(abroad.map(([name, status]) => [name, status()])),
      keys: { ok: gateway.jwks() !== undefined },
      eventLog:
        found === undefined ? { ok: true, clusterId: 'not reachable', degraded: 'the event log does not answer' } : { ok: true, ...found },
      ...auth,
      ...cart,
    };
  };
}

/** Asks each replica, and names them auth, auth-2, auth-3. */
async function lookThroughAll(name: string, adminUrls: readonly string[] = []): Promise<Readiness> {
  const looks = await Promise.all(adminUrls.map(lookThrough));
  return Object.fromEntries(looks.map((look, index) => [index === 0 ? name : `${name}-${index + 1}`, look]));
}

/** Shows another service's report of itself. A bad one is no reason for this gateway to take no requests. */
async function lookThrough(adminUrl: string): Promise<PartStatus> {
  try {
    const response = await fetch(new URL('/readyz', adminUrl), { signal: AbortSignal.timeout(lookTimeoutMs) });
    const told = (await response.json()) as { ready?: unknown; degraded?: unknown; parts?: unknown };
    const words = Array.isArray(told.degraded) && told.degraded.length > 0 ? told.degraded.join('; ') : undefined;
    return { ok: true, ready: told.ready === true, degraded: words, parts: told.parts };
  } catch {
    return { ok: true, ready: false, reason: 'no answer' };
  }
}
