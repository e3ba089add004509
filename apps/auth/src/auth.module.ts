/** The parts that auth is made of, and its door. */
import { randomBytes } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AccountService, AuthService, RegionsService, TokenExchangeService } from '@cloakroom/contracts';
import type { EventLog, Parts } from '@cloakroom/event-log';
import { createPassportVerifier, eventLogProvider, eventLogToken, openAdmission } from '@cloakroom/identity';
import {
  admissionToken,
  MeshModule,
  type MeshTls,
  processToken,
  readinessToken,
  type ServiceProcess,
  serveService,
  tlsToken,
  withLifecycle,
} from '@cloakroom/mesh';
import { inCallSpan, type Logger, type Running, isLocalProvider } from '@cloakroom/platform';
import { type DatabaseOptions, openDatabase, openLease } from '@cloakroom/platform/database';
import { openRedisByUrl, type RedisConnection } from '@cloakroom/platform/redis';
import { MemorySessionStore, openSessionFile, RedisSessionStore, type SessionStore } from '@cloakroom/session';
import { AccountController } from './account.controller.ts';
import { openPasswords, type Passwords } from './accounts/passwords.ts';
import { closeDemoAccounts, seedAccounts } from './accounts/seed-accounts.ts';
import { AuthController } from './auth.controller.ts';
import type { Auth } from './auth.ts';
import type { AuthConfig } from './config.ts';
import { type AuthSchema, expansions, migrations } from './database/migrations.ts';
import { type Database, openOutbox, type Outbox, outboxLease } from './database/outbox.ts';
import {
  abroadToken,
  authToken,
  configToken,
  databaseToken,
  housekeepingToken,
  keysToken,
  outboxToken,
  passwordsToken,
  redisToken,
  relayToken,
  storeToken,
  throttleToken,
} from './injection.ts';
import { unreadableSessions, watchOutbox } from './metrics.ts';
import { type Housekeeping, openHousekeeping } from './operations/housekeeping.ts';
import { lookAtParts } from './operations/readiness.ts';
import { openRelay, type Relay } from './operations/relay.ts';
import { type Abroad, openAbroad } from './accounts/abroad.ts';
import { RegionsController } from './sign-in/regions.controller.ts';
import { replayRevocations } from './revocation/replay.ts';
import { withStoreFaults } from './sessions/store-faults.ts';
import { openThrottle, type Throttle } from './throttle/throttle.ts';
import { openAccessTokens } from './tokens/issue-tokens.ts';
import { keepReloading, openSigningKeys, type SigningKeys } from './tokens/signing-keys.ts';
import { TokenExchangeController } from './tokens/token-exchange.controller.ts';

export { readConfig, type AuthConfig } from './config.ts';

const databaseOptions = (config: AuthConfig, log: Logger): DatabaseOptions => ({ name: 'auth', log, password: config.DATABASE_PASSWORD });

async function openOwnDatabase(config: AuthConfig, { log, clock }: ServiceProcess): Promise<Database> {
  const database = await openDatabase<AuthSchema>(config.DATABASE_URL, migrations, { ...databaseOptions(config, log), expansions });
  const unwatch = watchOutbox({ database, clock });
  const close = async (): Promise<void> => {
    unwatch();
    await database.destroy();
  };
  return withLifecycle(database, () => ({ onApplicationShutdown: close }));
}

/** The store has no tracing of its own, so this wraps its calls. */
const inStoreSpan = <Result>(call: string, run: () => Promise<Result>): Promise<Result> =>
  inCallSpan(`session store ${call}`, { 'db.system.name': 'redis', 'db.operation.name': call === 'read' ? 'MGET' : 'EVALSHA' }, run);

const openRedisStore = ({ SESSION_LAYOUT }: AuthConfig, redis: RedisConnection): SessionStore =>
  new RedisSessionStore(redis, {
    around: inStoreSpan,
    layout: SESSION_LAYOUT,
    onUnreadable: (why) => unreadableSessions.inc({ why }),
  });

/** Each process has a new incarnation, so auth replays all revocations to the store, whatever its file has kept. */
function openOwnStore({ SESSION_FILE }: AuthConfig, log: Logger): SessionStore {
  const incarnation = randomBytes(16).toString('hex');
  if (SESSION_FILE === undefined) return new MemorySessionStore({ incarnation });
  const setAside = (error: unknown) =>
    log.warn({ err: error, file: SESSION_FILE }, 'the session file was set aside: everybody signs in again');
  return new MemorySessionStore({ incarnation, file: openSessionFile(SESSION_FILE, setAside) });
}

export const openSharedThrottle = (config: AuthConfig, redis: RedisConnection | null): Throttle =>
  openThrottle(redis ?? undefined, 'throttle', {
    accountFailures: config.ACCOUNT_FAILURE_LIMIT_PER_15_MIN,
    addressFailures: config.ADDRESS_FAILURE_LIMIT_PER_15_MIN,
    registrationsPerHour: config.REGISTRATION_LIMIT_PER_HOUR,
    guestsPerHour: config.GUEST_LIMIT_PER_HOUR,
    guestsPerHourInAll: config.GUEST_LIMIT_PER_HOUR_IN_ALL,
  });

const infrastructure: Provider[] = [
  { provide: databaseToken, inject: [configToken, processToken], useFactory: openOwnDatabase },
  {
    provide: redisToken,
    inject: [configToken, processToken],
    useFactory: ({ SESSION_STORE, SESSION_REDIS_URL, REPLICA }: AuthConfig, { log }: ServiceProcess): RedisConnection | null =>
      SESSION_STORE !== 'redis' || SESSION_REDIS_URL === undefined
        ? null
        : openRedisByUrl({ url: SESSION_REDIS_URL, name: `auth-${REPLICA}`, log }),
  },
  {
    provide: storeToken,
    inject: [configToken, redisToken, databaseToken, processToken],
    useFactory: (config: AuthConfig, redis: RedisConnection | null, database: Database, { clock, log }: ServiceProcess): SessionStore => {
      const store = withStoreFaults(redis === null ? openOwnStore(config, log) : openRedisStore(config, redis));
      replayRevocations({ database, store, clock, log });
      // It closes the connection to Redis too.
      return withLifecycle<SessionStore>(store, () => ({ onApplicationShutdown: () => store.close() }));
    },
  },
  { provide: outboxToken, inject: [databaseToken], useFactory: (database: Database) => openOutbox(database) },
  {
    provide: keysToken,
    inject: [configToken, databaseToken, outboxToken, processToken],
    useFactory: async (config: AuthConfig, database: Database, outbox: Outbox, { clock, log }: ServiceProcess): Promise<SigningKeys> => {
      const opened = await openSigningKeys({ database, outbox, sealer: config.KEY_ENCRYPTION_KEY, nowMs: () => clock.nowMs() });
      let stop = (): void => undefined;
      return withLifecycle(opened, (keys) => ({
        onApplicationBootstrap: () => void (stop = keepReloading(keys, log)),
        onApplicationShutdown: () => stop(),
      }));
    },
  },
  { provide: passwordsToken, useFactory: () => openPasswords() },
  { provide: throttleToken, inject: [configToken, redisToken], useFactory: openSharedThrottle },
  {
    // Nest takes `null` for a part that is missing.
    provide: abroadToken,
    inject: [configToken, processToken, tlsToken],
    useFactory: ({ OTHER_REGIONS: [other] }: AuthConfig, { log }: ServiceProcess, tls: MeshTls | undefined): Abroad | null =>
      other === undefined ? null : withLifecycle(openAbroad(other, tls, log), ({ close }) => ({ onApplicationShutdown: close })),
  },
];

const auth: Provider = {
  provide: authToken,
  inject: [configToken, processToken, databaseToken, outboxToken, storeToken, keysToken, passwordsToken, throttleToken, abroadToken],
  useFactory: (
    config: AuthConfig,
    { clock, log }: ServiceProcess,
    database: Database,
    outbox: Outbox,
    store: SessionStore,
    keys: SigningKeys,
    passwords: Passwords,
    throttle: Throttle,
    abroad: Abroad | null,
  ): Auth => {
    const parts: Auth = {
      region: config.REGION,
      abroad: abroad ?? undefined,
      defaultMode: config.SESSION_MODE,
      allowedModes: config.SESSION_MODES,
      macKeys: config.SESSION_MAC_KEY,
      refreshKeys: config.REFRESH_TOKEN_KEY,
      accessTokens: openAccessTokens(keys, clock),
      accessTokenLifetimeMs: config.ACCESS_TOKEN_LIFETIME_MS,
      database,
      outbox,
      store,
      keys,
      sealer: config.KEY_ENCRYPTION_KEY,
      relyingParty: { id: config.PUBLIC_ORIGINS.id, origins: config.PUBLIC_ORIGINS.origins },
      passwords,
      throttle,
      clock,
      log,
      random: randomBytes,
      sleep: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
    };
    // Before any caller can come: the parts that are made from this one start later, and the port opens last.
    return withLifecycle(parts, () => ({
      onApplicationBootstrap: () => (config.SEED_ACCOUNTS ? seedAccounts(parts) : closeDemoAccounts(parts)),
    }));
  },
};

/** Rows that are not published at the stop stay in the outbox. */
const background: Provider[] = [
  {
    provide: relayToken,
    inject: [configToken, authToken, eventLogToken],
    useFactory: async (config: AuthConfig, parts: Auth, eventLog: EventLog): Promise<Relay> => {
      const lease = await openLease(config.DATABASE_URL, outboxLease, databaseOptions(config, parts.log));
      return withLifecycle(openRelay({ ...parts, eventLog, lease, newBoot: () => randomBytes(16).toString('hex') }), (opened) => ({
        onApplicationBootstrap: () => opened.start(),
        onApplicationShutdown: () => opened.stop(),
      }));
    },
  },
  {
    provide: housekeepingToken,
    // Housekeeping commits rows that the relay publishes. So it stops before the relay, and this dependency says so to Nest.
    inject: [authToken, relayToken],
    useFactory: (parts: Auth): Housekeeping =>
      withLifecycle(openHousekeeping(parts), (opened) => ({
        onApplicationBootstrap: () => opened.start(),
        onApplicationShutdown: () => opened.stop(),
      })),
  },
];

const edge: Provider[] = [
  {
    // Auth has the keys and the revocations in its own database, so it needs no feed. Use cases for a person look for the session in the store.
    provide: admissionToken,
    inject: [keysToken, processToken],
    useFactory: (signingKeys: SigningKeys, { clock, config }: ServiceProcess) => {
      const keys = { find: (kid: string) => signingKeys.find(kid), refresh: () => signingKeys.reload(), retire: () => undefined };
      const developers = isLocalProvider(config.PROVIDER);
      return openAdmission(createPassportVerifier({ audience: 'auth', keys, clock }), clock, { developers });
    },
  },
  {
    provide: readinessToken,
    inject: [authToken, eventLogToken, relayToken, configToken],
    useFactory: (parts: Auth, eventLog: EventLog, relay: Relay, config: AuthConfig) => () => lookAtParts(parts, eventLog, relay, config),
  },
];

@Module({})
export class AuthModule {
  static with(config: AuthConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [{ provide: configToken, useValue: config }, eventLogProvider('auth', config, parts)];
    return {
      module: AuthModule,
      imports: [MeshModule.with({ name: 'auth', config, log: parts.log, clock: parts.clock })],
      controllers: [AuthController, AccountController, TokenExchangeController, RegionsController],
      providers: [...given, ...infrastructure, auth, ...background, ...edge],
      exports: [MeshModule, admissionToken, readinessToken],
    };
  }
}

export const services = [AuthService, AccountService, TokenExchangeService, RegionsService];

export const start = (config: AuthConfig, parts: Parts): Promise<Running> =>
  serveService({ module: AuthModule.with(config, parts), services, log: parts.log });
