/** From a cookie to a person: the keys, the revocation feed, the identity cache, and auth behind them. */
import { randomUUID } from 'node:crypto';
import { Inject, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { isProblem } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import { askRelayThrough, jwksFrom, openKeyRing, type OpenKeyRing, openLateFeed, type RevocationFeed } from '@cloakroom/identity';
import { type MeshTls, openRetryBudget } from '@cloakroom/mesh';
import type { Clock } from '@cloakroom/platform';
import { readMacKeys } from '@cloakroom/session';
import type { GatewayConfig } from '../config.ts';
import type { Gateway, GatewayParts, IdentityParts } from '../gateway.ts';
import {
  abroadToken,
  authClientToken,
  clockToken,
  configToken,
  eventLogToken,
  feedToken,
  identityToken,
  jwksToken,
  keysToken,
  macKeysToken,
  partsToken,
  tlsToken,
} from '../injection.ts';
import { MeshModule } from '../mesh.module.ts';
import { IdentityCache } from './identity-cache.ts';
import { openRegionAbroad, type OpenRegion } from './regions-abroad.ts';
import { resolveAtAuth } from './resolve-at-auth.ts';
import { SelfContainedTokens } from './self-contained-tokens.ts';

type Auth = Gateway['auth'];
type Keys = OpenKeyRing & { lastSet(): string | undefined };

function openKeys(auth: Auth, { log, clock }: GatewayParts): Keys {
  let last: string | undefined;
  const fetchJwks = jwksFrom(auth);
  const keys = openKeyRing({
    log,
    clock,
    fetchJwks: async () => {
      const answer = await fetchJwks();
      if (!isProblem(answer)) last = answer;
      return answer;
    },
  });
  return Object.assign(keys, { lastSet: () => last });
}

const providers: Provider[] = [
  { provide: macKeysToken, inject: [configToken], useFactory: (config: GatewayConfig) => readMacKeys(config.SESSION_MAC_KEY) },
  { provide: keysToken, inject: [authClientToken, partsToken], useFactory: openKeys },
  { provide: jwksToken, inject: [keysToken], useFactory: (keys: Keys) => keys.lastSet },
  {
    provide: feedToken,
    inject: [eventLogToken, keysToken, authClientToken, partsToken, configToken],
    useFactory: (eventLog: EventLog, keys: OpenKeyRing, auth: Auth, { clock, log }: GatewayParts, { REPLICA }: GatewayConfig) =>
      // Each process gets a fresh group, so it hears the whole feed, and no dead member's partition has to time out first.
      openLateFeed({ eventLog, keys, askRelay: askRelayThrough(auth), clock, log, group: `gateway-${REPLICA}-${randomUUID()}` }),
  },
  {
    provide: SelfContainedTokens,
    inject: [keysToken, feedToken, clockToken, authClientToken, configToken],
    useFactory: (keys: OpenKeyRing, feed: RevocationFeed, clock: Clock, auth: Auth, { REGION, OTHER_REGIONS }: GatewayConfig) =>
      new SelfContainedTokens({
        keys,
        feed,
        clock,
        refresh: (call, request) => auth.refresh(call, request),
        region: OTHER_REGIONS.length === 0 ? undefined : REGION,
      }),
  },
  {
    provide: IdentityCache,
    inject: [feedToken, partsToken, SelfContainedTokens],
    useFactory: (feed: RevocationFeed, { clock, random }: GatewayParts, selfContained: SelfContainedTokens) =>
      new IdentityCache({ feed, clock, random, onForgotten: (hash) => selfContained.distrust(hash) }),
  },
  {
    provide: abroadToken,
    inject: [configToken, partsToken, eventLogToken, tlsToken],
    useFactory: (config: GatewayConfig, parts: GatewayParts, eventLog: EventLog, { tls }: { readonly tls: MeshTls | undefined }) =>
      new Map(config.OTHER_REGIONS.map((other) => [other.region, openRegionAbroad(other, { config, parts, eventLog, tls })])),
  },
  {
    provide: identityToken,
    inject: [IdentityCache, SelfContainedTokens, feedToken, clockToken, authClientToken, abroadToken, configToken],
    useFactory: (
      identities: IdentityCache,
      selfContained: SelfContainedTokens,
      feed: RevocationFeed,
      clock: Clock,
      auth: Auth,
      abroad: IdentityParts['abroad'],
      { REGION, FORMER_REGION }: GatewayConfig,
    ): IdentityParts => ({
      region: REGION,
      former: FORMER_REGION,
      abroad,
      degrades: true,
      identities,
      selfContained,
      feed,
      clock,
      resolve: resolveAtAuth({
        resolve: (call, request) => auth.resolve(call, request),
        retries: openRetryBudget(),
        nowMs: () => clock.monotonicMs(),
      }),
    }),
  },
];

@Module({ imports: [MeshModule], providers, exports: [identityToken, feedToken, jwksToken, macKeysToken] })
export class IdentityModule implements OnApplicationShutdown {
  constructor(
    private readonly identities: IdentityCache,
    @Inject(keysToken) private readonly keys: OpenKeyRing,
    @Inject(feedToken) private readonly feed: RevocationFeed,
    @Inject(abroadToken) private readonly abroad: ReadonlyMap<string, OpenRegion>,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.identities.close();
    this.keys.stop();
    await Promise.all([this.feed.stop(), ...[...this.abroad.values()].map((region) => region.stop())]);
  }
}
