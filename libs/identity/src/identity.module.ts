/**
 * The parts by which a service knows its caller: auth's keys, the revocations, and the admission that judges by them. The module holds the event log
 * too, because the feed is read from it and must stop before it. A service's module imports this one and exports it again (libs/mesh/src/server/serve-service.ts).
 */
import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AuthService } from '@cloakroom/contracts';
import { isLocalProvider } from '@cloakroom/platform';
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
import { createPassportVerifier } from './passport.ts';

export const eventLogToken = Symbol('EventLog');
export const authToken = Symbol('MeshConnection of auth');
export const keysToken = Symbol('OpenKeyRing');
export const feedToken = Symbol('RevocationFeed');

type Auth = MeshConnection<typeof AuthService>;
type Config = ServiceConfig & { readonly AUTH_ADDRESS: string };

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

const local = ({ PROVIDER }: Config) => ({ developers: isLocalProvider(PROVIDER) });

@Module({})
export class IdentityModule {
  /** For a service whose answers depend on the caller: it hears revocations, and takes access tokens too. */
  static with(name: string, config: Config & EventLogConfig, parts: Parts): DynamicModule {
    const admission: Provider = {
      provide: admissionToken,
      inject: [processToken, keysToken, feedToken],
      useFactory: ({ clock }: ServiceProcess, ring: OpenKeyRing, heard: RevocationFeed) =>
        openAdmission(createPassportVerifier({ audience: name, keys: ring, feed: heard, clock, accessTokens: true }), clock, local(config)),
    };
    return moduleOf({ name, config, ...parts }, [...keys(config.AUTH_ADDRESS), eventLogProvider(name, config, parts), feed, admission]);
  }

  /** For a service whose answers depend on no caller, so that no revocation could change one. A passport is only checked for forgery. */
  static withoutRevocations(name: string, config: Config, parts: Parts): DynamicModule {
    const admission: Provider = {
      provide: admissionToken,
      inject: [processToken, keysToken],
      useFactory: ({ clock }: ServiceProcess, ring: OpenKeyRing) =>
        openAdmission(createPassportVerifier({ audience: name, keys: ring, clock }), clock, local(config)),
    };
    return moduleOf({ name, config, ...parts }, [...keys(config.AUTH_ADDRESS), admission]);
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
