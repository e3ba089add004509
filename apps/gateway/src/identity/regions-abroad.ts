/** The other regions as this gateway knows them: each with its own auth, keys, feed, identity cache, profiles and orders. None in a shop of one region. */
import { randomUUID } from 'node:crypto';
import { AccountService, AuthService, OrdersService, ProfileService } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import { openRegionTrust } from '@cloakroom/identity';
import { connectMesh, type MeshTls, openRetryBudget } from '@cloakroom/mesh';
import type { OtherRegion } from '@cloakroom/platform';
import type { GatewayConfig } from '../config.ts';
import type { GatewayParts, RegionAbroad } from '../gateway.ts';
import { ProfileCopies } from './profile-copies.ts';
import { clientAbroad } from './home-region.ts';
import { IdentityCache } from './identity-cache.ts';
import { answersQuestion, resolveAtAuth } from './resolve-at-auth.ts';
import { SelfContainedTokens } from './self-contained-tokens.ts';

export interface OpenRegion extends RegionAbroad {
  stop(): Promise<void>;
}

export function openRegionAbroad({ region, authAddress }: OtherRegion, { config, parts, eventLog, tls }: OpeningParts): OpenRegion {
  const { clock, log, random } = parts;
  const auth = connectMesh(AuthService, { address: authAddress, tls, log, onStream: { resolve: answersQuestion } });
  const account = connectMesh(AccountService, { address: authAddress, tls, log });
  const at = (services: GatewayConfig['PROFILE_ABROAD']): string => services.find((service) => service.region === region)!.address;
  const profile = connectMesh(ProfileService, { address: at(config.PROFILE_ABROAD), tls, log });
  const orders = connectMesh(OrdersService, { address: at(config.ORDERS_ABROAD), tls, log });
  const group = `gateway-${config.REPLICA}-${region}-${randomUUID()}`;
  const trust = openRegionTrust({ region, auth: auth.client, eventLog, clock, log, group });
  const { keys, feed } = trust;
  const degrades = config.CUT_OFF === 'degraded';
  const refresh = (...[call, request]: Parameters<typeof auth.client.refresh>) => auth.client.refresh(call, request);
  const selfContained = new SelfContainedTokens({ keys, feed, clock, refresh, region });
  const identities = new IdentityCache({ feed, clock, random, degrades, onForgotten: (hash) => selfContained.distrust(hash) });
  return {
    region,
    auth: clientAbroad(auth.client, region),
    account: clientAbroad(account.client, region),
    profile: clientAbroad(profile.client, region),
    orders: orders.client,
    profileCopies: new ProfileCopies(clock),
    identities,
    selfContained,
    feed,
    clock,
    degrades,
    resolve: resolveAtAuth({
      resolve: (call, request) => auth.client.resolve(call, request),
      retries: openRetryBudget(),
      nowMs: () => clock.monotonicMs(),
    }),
    async stop() {
      identities.close();
      await trust.stop();
      auth.close();
      account.close();
      profile.close();
      orders.close();
    },
  };
}

interface OpeningParts {
  readonly config: GatewayConfig;
  readonly parts: GatewayParts;
  readonly eventLog: EventLog;
  readonly tls: MeshTls | undefined;
}
