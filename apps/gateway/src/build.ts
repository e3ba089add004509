/** Puts the gateway's parts together: clients of the services, the keys, the revocation feed, the identity cache. */
import { randomUUID } from 'node:crypto';
import { AccountService, AuthService, CartService, CatalogService, isProblem, OrdersService, ProfileService } from '@cloakroom/contracts';
import { eventLogOf, type Parts } from '@cloakroom/event-log';
import { askRelayThrough, jwksFrom, openKeyRing, openLateFeed } from '@cloakroom/identity';
import { connectMesh, openTls, openLoadShedder, openRetryBudget } from '@cloakroom/mesh';
import { boundedLook, metrics, type RandomBytes } from '@cloakroom/platform';
import { readMacKeys } from '@cloakroom/session';
import { SelfContainedTokens } from './identity/self-contained-tokens.ts';
import { ProductMemory } from './catalog/product-memory.ts';
import type { GatewayConfig } from './config.ts';
import { Streams } from './events/streams.ts';
import type { Gateway } from './gateway.ts';
import { IdentityCache } from './identity/identity-cache.ts';
import { addressLimits } from './edge/rate-limits.ts';
import { openLookAtParts } from './edge/readiness.ts';
import { resolveAtAuth } from './identity/resolve-at-auth.ts';

export interface GatewayParts extends Parts {
  readonly randomBytes: RandomBytes;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface Built {
  readonly gateway: Gateway & { stop(): void };
  close(): Promise<void>;
}

// oxlint-disable-next-line max-lines-per-function -- Longer because it is one list of parts, in the order in which they need one another.
export async function buildGateway(config: GatewayConfig, parts: GatewayParts): Promise<Built> {
  const { log, clock, random } = parts;
  const tls = config.MESH_TLS === 'off' ? undefined : await openTls(config.TLS_DIR, 'gateway', { log });
  const auth = connectMesh(AuthService, { address: config.AUTH_ADDRESS, tls, log });
  const account = connectMesh(AccountService, { address: config.AUTH_ADDRESS, tls, log });
  const cart = connectMesh(CartService, { address: config.CART_ADDRESS, tls, log });
  const profile = connectMesh(ProfileService, { address: config.PROFILE_ADDRESS, tls, log });
  const catalog = connectMesh(CatalogService, { address: config.CATALOG_ADDRESS, tls, log });
  const orders = connectMesh(OrdersService, { address: config.ORDERS_ADDRESS, tls, log });

  let jwks: string | undefined;
  const fetchJwks = jwksFrom(auth.client);
  const keys = openKeyRing({
    log,
    clock,
    fetchJwks: async () => {
      const answer = await fetchJwks();
      if (!isProblem(answer)) jwks = answer;
      return answer;
    },
  });
  const eventLog = await eventLogOf('gateway', config, parts);
  // Each process gets a fresh group, so it hears the whole feed, and no dead member's partition has to time out first.
  const feed = openLateFeed({
    eventLog,
    keys,
    askRelay: askRelayThrough(auth.client),
    clock,
    log,
    group: `gateway-${config.REPLICA}-${randomUUID()}`,
  });
  const selfContained = new SelfContainedTokens({ keys, feed, clock, refresh: (call, request) => auth.client.refresh(call, request) });
  const identities = new IdentityCache({ feed, clock, random, onForgotten: (hash) => selfContained.distrust(hash) });
  let stopping = false;
  const monotonicMs = (): number => clock.monotonicMs();
  const gateway = {
    config,
    log,
    clock,
    macKeys: readMacKeys(config.SESSION_MAC_KEY),
    auth: auth.client,
    account: account.client,
    resolve: resolveAtAuth({
      resolve: (call, request) => auth.client.resolve(call, request),
      retries: openRetryBudget(),
      nowMs: () => clock.monotonicMs(),
    }),
    cart: cart.client,
    profile: profile.client,
    catalog: catalog.client,
    orders: orders.client,
    eventLog,
    feed,
    keys,
    jwks: () => jwks,
    identities,
    selfContained,
    products: new ProductMemory(clock),
    streams: new Streams({ inAll: config.STREAM_COUNT_MAX, ofAddress: config.STREAM_COUNT_MAX_PER_ADDRESS }, config.REPLICA),
    limits: addressLimits(config),
    shedder: openLoadShedder({ inFlightMax: config.IN_FLIGHT_MAX, loopLagMaxMs: config.LOOP_LAG_MAX_MS }),
    randomBytes: parts.randomBytes,
    stopping: () => stopping,
    stop: () => void (stopping = true),
  };
  return {
    gateway: {
      ...gateway,
      look: boundedLook(openLookAtParts(gateway), monotonicMs),
      readMetrics: boundedLook(() => metrics.metrics(), monotonicMs),
    },
    async close() {
      identities.close();
      keys.stop();
      await feed.stop();
      for (const connection of [auth, account, cart, profile, catalog, orders]) connection.close();
      tls?.stop();
      if (parts.eventLog === undefined) await eventLog.close();
    },
  };
}
