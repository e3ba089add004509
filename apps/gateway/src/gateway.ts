/** The parts of the gateway by name. A use case says which of them it takes. */
import type { AccountService, AuthService, CartService, CatalogService, OrdersService, ProfileService } from '@cloakroom/contracts';
import type { Parts } from '@cloakroom/event-log';
import type { RevocationFeed } from '@cloakroom/identity';
import type { LoadShedder, MeshClient } from '@cloakroom/mesh';
import type { Clock, Logger, RandomBytes, Readiness } from '@cloakroom/platform';
import type { MacKeys } from '@cloakroom/session';
import type { SelfContainedTokens } from './identity/self-contained-tokens.ts';
import type { ProfileCopies } from './identity/profile-copies.ts';
import type { ProductMemory } from './catalog/product-memory.ts';
import type { FormerRegion, GatewayConfig } from './config.ts';
import type { Streams } from './events/streams.ts';
import type { Resolve } from './identity/resolve-at-auth.ts';
import type { IdentityCache } from './identity/identity-cache.ts';
import type { AddressLimits } from './edge/limits.ts';

/** Given by the process: the log, the clock, and the source of chance. */
export interface GatewayParts extends Parts {
  /** For ids of traces, not for secrets. */
  readonly randomBytes: RandomBytes;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The parts that know who calls, of one region. */
export interface RegionIdentity {
  readonly identities: IdentityCache;
  /** Asks auth to identify a caller (resolve-at-auth.ts). */
  readonly resolve: Resolve;
  readonly selfContained: SelfContainedTokens;
  readonly feed: RevocationFeed;
  readonly clock: Clock;
  /** Whether a cached identity serves on to its end while this region's auth is out of reach; always for the own region. */
  readonly degrades: boolean;
}

/** A region across the ocean, as the gateway reaches it. */
export interface RegionAbroad extends RegionIdentity {
  readonly region: string;
  readonly auth: MeshClient<typeof AuthService>;
  readonly account: MeshClient<typeof AccountService>;
  readonly orders: MeshClient<typeof OrdersService>;
  readonly profile: MeshClient<typeof ProfileService>;
  /** The profiles that this gateway last read there. */
  readonly profileCopies: ProfileCopies;
}

/** The parts of the own region, with those of the other regions beside them. */
export interface IdentityParts extends RegionIdentity {
  readonly region: string;
  /** The regions whose sessions are accepted here besides: none in a shop of one region. */
  readonly abroad: ReadonlyMap<string, RegionAbroad>;
  /** The name that a region had while it was the only one. Sessions of that time still say it. */
  readonly former?: FormerRegion | undefined;
}

export interface Gateway {
  readonly config: GatewayConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly auth: MeshClient<typeof AuthService>;
  /** The account service, in the same process as auth. */
  readonly account: MeshClient<typeof AccountService>;
  readonly cart: MeshClient<typeof CartService>;
  readonly profile: MeshClient<typeof ProfileService>;
  readonly catalog: MeshClient<typeof CatalogService>;
  readonly orders: MeshClient<typeof OrdersService>;
  readonly identity: IdentityParts;
  readonly macKeys: MacKeys;
  /** The last JWK Set that auth gave, as JSON. */
  readonly jwks: () => string | undefined;
  readonly products: ProductMemory;
  readonly streams: Streams;
  readonly limits: AddressLimits;
  readonly shedder: LoadShedder;
  /** Looks at the parts for /readyz; cheap however often it is asked. */
  readonly look: () => Promise<Readiness>;
  /** Reads the metrics for /metrics; just as cheap. */
  readonly readMetrics: () => Promise<string>;
}
