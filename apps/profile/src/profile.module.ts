/** The parts of profile, and `start`, which serves them. */
import { type DynamicModule, Module, type OnApplicationBootstrap, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { ProfileService } from '@cloakroom/contracts';
import { type EventLog, lookAtLog, type Parts } from '@cloakroom/event-log';
import {
  eventLogToken,
  feedToken,
  IdentityModule,
  type KeyRing,
  keysToken,
  openFeedStatus,
  type RevocationFeed,
} from '@cloakroom/identity';
import { processToken, readinessToken, type ServiceProcess, serveService, withLifecycle } from '@cloakroom/mesh';
import type { Readiness, Running } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import type { ProfileConfig } from './config.ts';
import { forgetGuests } from './forget-guests.ts';
import { followIdentityEvents, type IdentityEvents } from './identity-events.ts';
import { configToken, databaseToken, forgettingToken, identityEventsToken } from './injection.ts';
import { ProfileController } from './profile.controller.ts';
import { type Database, migrations, type ProfileTables } from './profiles.ts';

export { readConfig, type ProfileConfig } from './config.ts';

/** Some guests end every day. An hour between runs keeps each run small. */
const forgetIntervalMs = 60 * 60 * 1000;

const database: Provider = {
  provide: databaseToken,
  inject: [configToken, processToken],
  useFactory: async (config: ProfileConfig, { log }: ServiceProcess): Promise<Database> => {
    const options = { name: 'profile', log, password: config.DATABASE_PASSWORD };
    return withLifecycle(await openDatabase<ProfileTables>(config.DATABASE_URL, migrations, options), (opened) => ({
      onApplicationShutdown: () => opened.destroy(),
    }));
  },
};

const identityEvents: Provider = {
  provide: identityEventsToken,
  inject: [eventLogToken, databaseToken, keysToken, processToken],
  useFactory: (eventLog: EventLog, db: Database, keys: KeyRing, { clock, log }: ServiceProcess): IdentityEvents => {
    const sleep = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));
    return withLifecycle(followIdentityEvents(eventLog, { db, keys, clock, log, sleep }), (events) => ({
      onApplicationBootstrap: () => events.start(),
      onApplicationShutdown: () => events.stop(),
    }));
  },
};

const forgetting: Provider = {
  provide: forgettingToken,
  inject: [databaseToken, processToken],
  useFactory: (db: Database, { clock, log }: ServiceProcess): OnApplicationBootstrap & OnApplicationShutdown => {
    let timer: NodeJS.Timeout | undefined;
    const forget = () =>
      forgetGuests(db, clock.nowMs()).catch((error: unknown) => log.warn({ err: error }, 'guests could not be forgotten'));
    return {
      onApplicationBootstrap: () => void (timer = setInterval(() => void forget(), forgetIntervalMs).unref()),
      onApplicationShutdown: () => clearInterval(timer),
    };
  },
};

/** Readiness ignores auth and Kafka: profiles are read and written without them, and joins wait in the log. */
const readiness: Provider = {
  provide: readinessToken,
  inject: [databaseToken, eventLogToken, identityEventsToken, feedToken, configToken, processToken],
  useFactory: (
    db: Database,
    eventLog: EventLog,
    events: IdentityEvents,
    feed: RevocationFeed,
    config: ProfileConfig,
    { clock }: ServiceProcess,
  ) => {
    const feedStatus = openFeedStatus(feed, clock);
    return async (): Promise<Readiness> => {
      const look = db.selectFrom('profiles').select('subject').limit(1).execute();
      const [, log] = await Promise.all([look, lookAtLog(eventLog, config.EVENT_LOG)]);
      return {
        database: { ok: true },
        eventLog: { ok: true, ...log, subscribed: events.subscribed() },
        feed: feedStatus(),
        provider: { ok: true, name: config.PROVIDER },
      };
    };
  },
};

@Module({})
export class ProfileModule {
  static with(config: ProfileConfig, parts: Parts): DynamicModule {
    return {
      module: ProfileModule,
      imports: [IdentityModule.with('profile', config, parts)],
      controllers: [ProfileController],
      providers: [{ provide: configToken, useValue: config }, database, identityEvents, forgetting, readiness],
      exports: [IdentityModule, readinessToken],
    };
  }
}

export const start = (config: ProfileConfig, parts: Parts): Promise<Running> =>
  serveService({ module: ProfileModule.with(config, parts), services: [ProfileService], log: parts.log });
