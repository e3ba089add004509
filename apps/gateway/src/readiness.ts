/** What this gateway depends on, as /readyz tells it. */
import type { PartStatus, Readiness } from '@cloakroom/platform';
import type { Gateway } from './gateway.ts';

/** /readyz is asked often and must not hang with what it asks about. */
const lookTimeoutMs = 500;

export async function lookAtParts(gateway: Gateway): Promise<Readiness> {
  const { config, feed } = gateway;
  const [feedRead, eventLog, auth, cart] = await Promise.all([
    within(
      feed.ready.then(() => true),
      false,
    ),
    within<PartStatus>(
      gateway.eventLog.describe().then((found) => ({ ok: true, ...found })),
      // Without the log this gateway still serves, asking auth per request.
      { ok: true, clusterId: 'not reachable' },
    ),
    lookThroughAll('auth', config.AUTH_ADMIN_URL),
    lookThroughAll('cart', config.CART_ADMIN_URL),
  ]);
  const leaseAgeMs = feed.leaseAgeMs();
  return {
    gateway: { ok: !gateway.stopping(), replica: config.REPLICA, provider: config.PROVIDER, streams: gateway.streams.open },
    feed: { ok: feedRead, leased: feed.leaseValid(), ...(Number.isFinite(leaseAgeMs) && { leaseAgeMs: Math.round(leaseAgeMs) }) },
    keys: { ok: gateway.jwks() !== undefined },
    eventLog,
    ...auth,
    ...cart,
  };
}

/** Of each replica: auth, auth-2, auth-3. */
async function lookThroughAll(name: string, adminUrls: readonly string[] = []): Promise<Readiness> {
  const looks = await Promise.all(adminUrls.map(lookThrough));
  return Object.fromEntries(looks.map((look, index) => [index === 0 ? name : `${name}-${index + 1}`, look]));
}

/** What another service tells of itself: shown, but no reason for this one to take no requests. */
async function lookThrough(adminUrl: string): Promise<PartStatus> {
  try {
    const response = await fetch(new URL('/readyz', adminUrl), { signal: AbortSignal.timeout(lookTimeoutMs) });
    const told = (await response.json()) as { ready?: unknown; parts?: unknown };
    return { ok: true, ready: told.ready === true, parts: told.parts };
  } catch {
    return { ok: true, ready: false, reason: 'no answer' };
  }
}

async function within<Value>(look: Promise<Value>, otherwise: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Value>((resolve) => (timer = setTimeout(() => resolve(otherwise), lookTimeoutMs)));
  return Promise.race([look.catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}
