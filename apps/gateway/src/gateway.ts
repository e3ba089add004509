/** Everything that the gateway's use cases share: one typed client for each service, the identity cache and a few bounded memories. */
import type { AccountService, AuthService, CartService, CatalogService, OrdersService, ProfileService } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import type { KeyRing, RevocationFeed } from '@cloakroom/identity';
import type { LoadShedder, MeshClient } from '@cloakroom/mesh';
import type { Clock, Logger, Readiness } from '@cloakroom/platform';
import type { MacKeys } from '@cloakroom/session';
import type { SelfContainedTokens } from './identity/self-contained-tokens.ts';
import type { ProductMemory } from './catalog/product-memory.ts';
import type { GatewayConfig } from './config.ts';
import type { Streams } from './events/streams.ts';
import type { Resolve } from './identity/identify-reference-token.ts';
import type { IdentityCache } from './identity/identity-cache.ts';
import type { AddressLimits } from './edge/rate-limits.ts';

export interface Gateway {
  readonly config: GatewayConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly macKeys: MacKeys;
  readonly auth: MeshClient<typeof AuthService>;
  /** The account service, in the same process as auth. */
  readonly account: MeshClient<typeof AccountService>;
  /** Asks auth to identify a caller (resolve-at-auth.ts). */
  readonly resolve: Resolve;
  readonly cart: MeshClient<typeof CartService>;
  readonly profile: MeshClient<typeof ProfileService>;
  readonly catalog: MeshClient<typeof CatalogService>;
  readonly orders: MeshClient<typeof OrdersService>;
  readonly eventLog: EventLog;
  readonly feed: RevocationFeed;
  readonly keys: KeyRing;
  /** The last JWK Set that auth gave, as JSON. */
  readonly jwks: () => string | undefined;
  readonly identities: IdentityCache;
  readonly selfContained: SelfContainedTokens;
  readonly products: ProductMemory;
  readonly streams: Streams;
  readonly limits: AddressLimits;
  readonly shedder: LoadShedder;
  /** For ids of traces, not for secrets. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** True once the process was asked to stop: /readyz says no before anything is closed. */
  readonly stopping: () => boolean;
  /** Looks at the parts for /readyz; cheap however often it is asked. */
  readonly look: () => Promise<Readiness>;
  /** Reads the metrics for /metrics; just as cheap. */
  readonly readMetrics: () => Promise<string>;
}

/** The parts that know who calls. */
export type IdentityParts = Pick<Gateway, 'identities' | 'resolve' | 'selfContained' | 'feed' | 'clock'>;
