/**
 * The parts by which a service knows its caller: auth's keys, the revocations, and the admission that judges by them. The module holds the event log
 * too, because the feed is read from it and must stop before it. A service's module imports this one and exports it again (libs/mesh/src/server/serve-service.ts).
 */
import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AuthService } from '@cloakroom/contracts';
import { type Clock, isLocalProvider, type OtherRegion } from '@cloakroom/platform';
import { type EventLog, type EventLogConfig, eventLogOf, type Parts } from '@cloakroom/event-log';
import {
  admissionToken,
  connectMesh,
  type MeshConnection,
  MeshModule,
  type MeshTls,
  processToken,
  type ServiceConfig,
  type ServiceProcess,
  tlsToken,
  withLifecycle,
} from '@cloakroom/mesh';
import { openAdmission } from './admission.ts';
import { jwksFrom } from './auth-keys.ts';
import { askRelayThrough } from './beat-clock.ts';
import type { RevocationFeed } from './identity.ts';
import { openKeyRing, type OpenKeyRing } from './keys.ts';
import { openLateFeed } from './late-feed.ts';
import { createPassportVerifier, type PassportVerifier } from './passport.ts';
import { type ByRegion, createVerifierOfRegions, openRegionKeys, openRegionTrust, type RegionTrust } from './regions.ts';

export const eventLogToken = Symbol('EventLog');
export const authToken = Symbol('MeshConnection of auth');
export const keysToken = Symbol('OpenKeyRing');
export const feedToken = Symbol('RevocationFeed');
/** The other regions, none in a shop of one. */
export const regionsToken = Symbol('ByRegion of RegionTrust');

type Auth = MeshConnection<typeof AuthService>;
type Config = ServiceConfig & {
  readonly AUTH_ADDRESS: string;
  readonly REGION: string;
  readonly OTHER_REGIONS: readonly OtherRegion[];
};

/** A log that the service was given belongs to all services of the process: it is not this one's to close. */
export const eventLogProvider = (name: string, config: EventLogConfig, parts: Parts): Provider => ({
  provide: eventLogToken,
  useFactory: async (): Promise<EventLog> =>
    parts.eventLog ?? withLifecycle(await eventLogOf(name, config, parts), (log) => ({ onApplicationShutdown: () => log.close() })),
});

const keys = (authAddress: string): Provider[] => [
  {
    provide: authToken,
    inject: [processToken, tlsToken],
    useFactory: ({ log }: ServiceProcess, tls: MeshTls | undefined): Auth =>
      withLifecycle(connectMesh(AuthService, { address: authAddress, tls, log }), (auth) => ({
        onApplicationShutdown: () => auth.close(),
      })),
  },
  {
    provide: keysToken,
    inject: [processToken, authToken],
    useFactory: ({ log, clock }: ServiceProcess, { client }: Auth): OpenKeyRing =>
      withLifecycle(openKeyRing({ log, clock, fetchJwks: jwksFrom(client) }), (ring) => ({ onApplicationShutdown: () => ring.stop() })),
  },
];

const feed: Provider = {
  provide: feedToken,
  inject: [processToken, eventLogToken, keysToken, authToken],
  useFactory: ({ name, log, clock }: ServiceProcess, eventLog: EventLog, ring: OpenKeyRing, { client }: Auth): RevocationFeed =>
    withLifecycle(
      openLateFeed({ eventLog, keys: ring, askRelay: askRelayThrough(client), clock, log, group: `${name}-feed-${randomUUID()}` }),
      (opened) => ({ onApplicationShutdown: () => opened.stop() }),
    ),
};

/** A service that hears no revocations has the keys alone. */
type Trusted = Pick<RegionTrust, 'keys'> & { readonly feed?: RevocationFeed };

/** @param heard whether the process hears revocations */
const regions = ({ OTHER_REGIONS }: Config, heard: boolean): Provider => ({
  provide: regionsToken,
  inject: [processToken, tlsToken, ...(heard ? [eventLogToken] : [])],
  useFactory: ({ name, log, clock }: ServiceProcess, tls: MeshTls | undefined, eventLog?: EventLog): ByRegion<Trusted> => {
    const opened = OTHER_REGIONS.map(({ region, authAddress }) => {
      const connection = connectMesh(AuthService, { address: authAddress, tls, log });
      const from = { region, auth: connection.client, clock, log };
      const trusted: Trusted =
        eventLog === undefined
          ? { keys: openRegionKeys(from) }
          : openRegionTrust({ ...from, eventLog, group: `${name}-${region}-feed-${randomUUID()}` });
      return { region, connection, trusted };
    });
    const stopAll = async (): Promise<void> => {
      opened.forEach(({ trusted }) => trusted.keys.stop());
      await Promise.all(opened.map(async ({ trusted }) => trusted.feed?.stop()));
      opened.forEach(({ connection }) => connection.close());
    };
    return withLifecycle(new Map(opened.map(({ region, trusted }) => [region, trusted])), () => ({ onApplicationShutdown: stopAll }));
  },
});

/** With one region it is that region's own verifier, and nothing before it. */
function verifierFor(
  own: Trusted,
  others: ByRegion<Trusted>,
  { name, region, ...rest }: { readonly name: string; readonly region: string; readonly clock: Clock; readonly accessTokens?: boolean },
): PassportVerifier {
  const make = ({ keys: ring, feed: heard }: Trusted, of?: string) =>
    createPassportVerifier({ audience: name, keys: ring, feed: heard, region: of, ...rest });
  if (others.size === 0) return make(own);
  const verifiers = [...others, [region, own] as const].map(([of, trust]) => [of, make(trust, of)] as const);
  return createVerifierOfRegions(name, new Map(verifiers));
}

const local = ({ PROVIDER }: Config) => ({ developers: isLocalProvider(PROVIDER) });

@Module({})
export class IdentityModule {
  /** For a service whose answers depend on the caller: it hears revocations, and takes access tokens too. */
  static with(name: string, config: Config & EventLogConfig, parts: Parts): DynamicModule {
    const admission: Provider = {
      provide: admissionToken,
      inject: [processToken, keysToken, feedToken, regionsToken],
      useFactory: ({ clock }: ServiceProcess, ring: OpenKeyRing, heard: RevocationFeed, others: ByRegion<Trusted>) => {
        const options = { name, region: config.REGION, clock, accessTokens: true };
        return openAdmission(verifierFor({ keys: ring, feed: heard }, others, options), clock, local(config));
      },
    };
    const log = eventLogProvider(name, config, parts);
    return moduleOf({ name, config, ...parts }, [...keys(config.AUTH_ADDRESS), log, feed, regions(config, true), admission]);
  }

  /** For a service whose answers depend on no caller, so that no revocation could change one. A passport is only checked for forgery. */
  static withoutRevocations(name: string, config: Config, parts: Parts): DynamicModule {
    const admission: Provider = {
      provide: admissionToken,
      inject: [processToken, keysToken, regionsToken],
      useFactory: ({ clock }: ServiceProcess, ring: OpenKeyRing, others: ByRegion<Trusted>) =>
        openAdmission(verifierFor({ keys: ring }, others, { name, region: config.REGION, clock }), clock, local(config)),
    };
    return moduleOf({ name, config, ...parts }, [...keys(config.AUTH_ADDRESS), regions(config, false), admission]);
  }
}

function moduleOf({ name, config, log, clock }: ServiceProcess, providers: Provider[]): DynamicModule {
  const tokens = providers.map((provider) => (provider as { readonly provide: symbol }).provide);
  return {
    module: IdentityModule,
    imports: [MeshModule.with({ name, config, log, clock })],
    providers,
    exports: [MeshModule, ...tokens],
  };
}
