/** The wiring of auth. The parts are plain functions; Nest makes each once, in the order in which they need one another. */
import { randomBytes } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type EventLog, eventLogOf, type Parts } from '@cloakroom/event-log';
import {
  inCallSpan,
  type DatabaseOptions,
  type Logger,
  openDatabase,
  openLease,
  openRedisByUrl,
  type RedisConnection,
} from '@cloakroom/platform';
import { MemorySessionStore, openSessionFile, RedisSessionStore, type SessionStore } from '@cloakroom/session';
import { AuthController } from './auth.controller.ts';
import { AccountController } from './account.controller.ts';
import type { Auth } from './auth.ts';
import type { AuthConfig } from './config.ts';
import { openAccessTokens } from './tokens/issue-tokens.ts';
import { openHousekeeping } from './operations/housekeeping.ts';
import {
  authToken,
  configToken,
  databaseToken,
  eventLogToken,
  housekeepingToken,
  keysToken,
  outboxToken,
  partsToken,
  passwordsToken,
  redisToken,
  relayToken,
  storeToken,
  throttleToken,
} from './injection.ts';
import { migrations, type AuthSchema } from './database/migrations.ts';
import { type Database, openOutbox, type Outbox, outboxLease } from './database/outbox.ts';
import { openPasswords, type Passwords } from './accounts/passwords.ts';
import { openRelay } from './operations/relay.ts';
import { replayRevocations } from './revocation/replay.ts';
import { openSigningKeys, type SigningKeys } from './tokens/signing-keys.ts';
import { openThrottle, type Throttle } from './throttle/throttle.ts';

const databaseOptions = (config: AuthConfig, log: Logger): DatabaseOptions => ({ name: 'auth', log, password: config.DATABASE_PASSWORD });

/** The store has no tracing of its own, so this wraps its calls. */
const inStoreSpan = <Result>(script: string, call: () => Promise<Result>): Promise<Result> =>
  inCallSpan(`session store ${script}`, { 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' }, call);

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
  {
    provide: databaseToken,
    inject: [configToken, partsToken],
    useFactory: (config: AuthConfig, { log }: Parts) =>
      openDatabase<AuthSchema>(config.DATABASE_URL, migrations, databaseOptions(config, log)),
  },
  {
    provide: eventLogToken,
    inject: [configToken, partsToken],
    useFactory: (config: AuthConfig, parts: Parts): Promise<EventLog> => eventLogOf('auth', config, parts),
  },
  {
    provide: redisToken,
    inject: [configToken, partsToken],
    useFactory: ({ SESSION_STORE, SESSION_REDIS_URL, REPLICA }: AuthConfig, { log }: Parts): RedisConnection | null =>
      SESSION_STORE !== 'redis' || SESSION_REDIS_URL === undefined
        ? null
        : openRedisByUrl({ url: SESSION_REDIS_URL, name: `auth-${REPLICA}`, log }),
  },
  {
    provide: storeToken,
    inject: [configToken, redisToken, databaseToken, partsToken],
    useFactory: (config: AuthConfig, redis: RedisConnection | null, database: Database, { clock, log }: Parts): SessionStore => {
      const store = redis === null ? openOwnStore(config, log) : new RedisSessionStore(redis, { around: inStoreSpan });
      replayRevocations({ database, store, clock, log });
      return store;
    },
  },
  { provide: outboxToken, inject: [databaseToken], useFactory: (database: Database) => openOutbox(database) },
  {
    provide: keysToken,
    inject: [configToken, databaseToken, outboxToken, partsToken],
    useFactory: (config: AuthConfig, database: Database, outbox: Outbox, { clock }: Parts) =>
      openSigningKeys({ database, outbox, sealer: config.KEY_ENCRYPTION_KEY, nowMs: () => clock.nowMs() }),
  },
  { provide: passwordsToken, useFactory: () => openPasswords() },
  { provide: throttleToken, inject: [configToken, redisToken], useFactory: openSharedThrottle },
];

const auth: Provider = {
  provide: authToken,
  inject: [configToken, partsToken, databaseToken, outboxToken, storeToken, keysToken, passwordsToken, throttleToken],
  useFactory: (
    config: AuthConfig,
    { clock, log }: Parts,
    database: Database,
    outbox: Outbox,
    store: SessionStore,
    keys: SigningKeys,
    passwords: Passwords,
    throttle: Throttle,
  ): Auth => ({
    region: config.REGION,
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
  }),
};

const background: Provider[] = [
  {
    provide: relayToken,
    inject: [configToken, authToken, eventLogToken],
    useFactory: (config: AuthConfig, auth: Auth, eventLog: EventLog) =>
      openRelay({
        ...auth,
        eventLog,
        lease: openLease(config.DATABASE_URL, outboxLease, databaseOptions(config, auth.log)),
        newBoot: () => randomBytes(16).toString('hex'),
      }),
  },
  { provide: housekeepingToken, inject: [authToken], useFactory: (parts: Auth) => openHousekeeping(parts) },
];

@Module({})
export class AuthModule {
  static with(config: AuthConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: partsToken, useValue: parts },
    ];
    return { module: AuthModule, providers: [...given, ...infrastructure, auth, ...background, AuthController, AccountController] };
  }
}
