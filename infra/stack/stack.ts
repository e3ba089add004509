/**
 * The whole system, drawn once: which processes there are, what each needs, where it listens, what it is told, how one knows that it is ready.
 * Pure: start, tests, e2e and benchmarks all ask this file, and nothing else knows a port. Reading order: `drawStack`, then the four drawings (the
 * cluster's in stack.cluster.ts). What a service is told is in stack.apps.ts, what lies below in stack.storage.ts, who listens where in stack.ports.ts.
 *
 *   browser -> gateway-1, gateway-2 -> auth, cart, profile, catalog, orders -> redis-sessions, redis-carts, kafka[, postgres]
 */
import { join } from 'node:path';
import { appReadyMs, drawApps, drawServices, hostIn, loopback, readyUrl } from './stack.apps.ts';
import type { Places } from './stack.apps.ts';
import { drawCluster } from './stack.cluster.ts';
import { clusterPortsOf, portsOf } from './stack.ports.ts';
import type { BrokerPorts } from './stack.ports.ts';
import { kafka, postgres, redis } from './stack.storage.ts';
import type { Database, DatabaseOwner } from './stack.storage.ts';

export { defaultBase, httpPortsOf, portsOf, portSpan } from './stack.ports.ts';

export type Provider = 'native' | 'embedded' | 'external' | 'docker';
export type AppName = 'auth' | 'cart' | 'profile' | 'catalog' | 'orders' | 'gateway';
export type Profile = 'usual' | 'cluster';
export const profiles: readonly Profile[] = ['usual', 'cluster'];
type Several<Name extends string> = Name | `${Name}-${1 | 2 | 3 | 4 | 5 | 6}`;
/** Every name a process can have: `npm run status`, log files and tests speak of it by this. Where there are several they are counted from 1. */
export type ProcessName = Several<'redis-sessions' | 'kafka' | AppName> | 'redis-carts' | 'postgres' | 'cloakroom';

/** One app with all that it is told. In embedded several share one process. */
export interface AppSpec {
  readonly app: AppName;
  readonly env: Readonly<Record<string, string>>;
  /** Told besides, out of the data folder, so that the drawing itself holds no secret. */
  readonly secrets: readonly SecretName[];
}

/**
 * SESSION_MAC_KEY: base64url of 32 bytes; gateways and auth seal tokens with it.
 * REFRESH_TOKEN_KEY: the same; auth alone seals refresh tokens.
 * KEY_ENCRYPTION_KEY: the same; auth alone seals what its database keeps secret.
 * DATABASE_PASSWORD: of the services' roles in our own PostgreSQL.
 */
export type SecretName = 'SESSION_MAC_KEY' | 'REFRESH_TOKEN_KEY' | 'KEY_ENCRYPTION_KEY' | 'DATABASE_PASSWORD';

export type Run =
  | { readonly kind: 'redis'; readonly port: number; readonly dir: string }
  /** @property forms of the last node to start: all ports of the cluster that is to be formed of them once it answers */
  | { readonly kind: 'redis-cluster-node'; readonly port: number; readonly dir: string; readonly forms?: readonly number[] }
  | (BrokerPorts & { readonly kind: 'kafka'; readonly dir: string; readonly among?: AmongBrokers })
  | { readonly kind: 'postgres'; readonly port: number; readonly dir: string; readonly databases: readonly string[] }
  | { readonly kind: 'app'; readonly app: AppSpec }
  /** All of them in one process, in this order, with one event log in memory mirrored to a file. */
  | { readonly kind: 'embedded'; readonly apps: readonly AppSpec[]; readonly eventLogFile: string };

/** A broker's place among several. */
export interface AmongBrokers {
  /** From 1: the index in `controllerPorts`, plus one. */
  readonly nodeId: number;
  readonly controllerPorts: readonly number[];
  /** Holds the id that all of them are formatted with. */
  readonly clusterIdFile: string;
}

export type Health =
  /** @property host loopback unless told */
  | { readonly kind: 'redis'; readonly port: number; readonly host?: string }
  | { readonly kind: 'kafka'; readonly port: number; readonly host?: string }
  | { readonly kind: 'postgres'; readonly port: number }
  /** Ready when all of them answer 200. */
  | { readonly kind: 'http'; readonly urls: readonly string[] };

export interface ProcessSpec {
  readonly name: ProcessName;
  readonly run: Run;
  /** Ready before this one starts; ended after it. */
  readonly needs: readonly ProcessName[];
  readonly ports: readonly number[];
  /** What a person is shown. */
  readonly url: string;
  readonly health: Health;
  readonly readyTimeoutMs: number;
  readonly stopGraceMs: number;
}

export interface StackSpec {
  readonly provider: Provider;
  readonly profile: Profile;
  readonly base: number;
  readonly dataDir: string;
  /** In an order that respects `needs`. */
  readonly processes: readonly ProcessSpec[];
  readonly gateways: readonly [string, string, ...string[]];
}

export interface StackOptions {
  readonly provider: Provider;
  /** usual unless told. cluster is for native alone, and always on PostgreSQL. */
  readonly profile?: Profile | undefined;
  /** Where the ports begin: 4000 unless told. */
  readonly base: number;
  readonly dataDir: string;
  /** The built web app; without it the gateway serves the API alone. */
  readonly webDir?: string | undefined;
  readonly logLevel?: string | undefined;
  /** OTEL_* for every process; without, no traces are made. */
  readonly telemetry?: Env | undefined;
  /** Wider bounds than a shop's, by name: for tests that are a hundred people at one address. */
  readonly limits?: Env | undefined;
  readonly sessionMode?: string | undefined;
  /** Those that a sign-in may ask for, separated by commas. */
  readonly sessionModes?: string | undefined;
  /** Shorter than its 5 minutes for tests alone. */
  readonly accessTokenLifetimeMs?: number | undefined;
  /** sqlite unless told; postgres: our own server (native) or somebody else's (external). */
  readonly database?: Database | undefined;
  readonly external?: ExternalUrls | undefined;
  /** Of native: see StackRequest in harness.ts. */
  readonly storageUrls?: StorageDetours | undefined;
}

export interface ExternalUrls {
  readonly kafkaBrokers: string;
  readonly sessionRedisUrl: string;
  readonly cartRedisUrl: string;
  readonly databaseUrls?: Readonly<Record<DatabaseOwner, string>> | undefined;
  /** Asked for by SEED_ACCOUNTS=true: a database that somebody keeps gets no accounts with a published password unasked. */
  readonly seedAccounts?: boolean | undefined;
}

/** Names in the certificates of the mesh. */
export const meshNames: readonly AppName[] = ['gateway', 'auth', 'cart', 'profile', 'catalog', 'orders'];

export function drawStack(options: StackOptions): StackSpec {
  const { provider, base, dataDir, profile = 'usual' } = options;
  const draw = { native: drawNative, docker: drawNative, external: drawExternal, embedded: drawEmbedded };
  const processes = profile === 'cluster' ? drawCluster(options) : draw[provider](options);
  const [first, second, ...more] = (profile === 'cluster' ? clusterPortsOf(base) : portsOf(base)).gateways;
  const url = (port: number) => `http://localhost:${port}`;
  return { provider, profile, base, dataDir, processes, gateways: [url(first), url(second), ...more.map(url)] };
}

/** Our own Redis and Kafka below the services: as processes (native) or as containers. */
function drawNative(options: StackOptions): ProcessSpec[] {
  const ports = portsOf(options.base);
  const at = (name: ProcessName) => hostIn(options.provider, name, loopback);
  const urls = {
    KAFKA_BROKERS: `${at('kafka')}:${ports.kafka}`,
    SESSION_REDIS_URL: `redis://${at('redis-sessions')}:${ports.redisSessions}`,
    CART_REDIS_URL: `redis://${at('redis-carts')}:${ports.redisCarts}`,
    ...options.storageUrls,
  };
  const database = options.database === 'postgres' ? [postgres(ports.postgres, join(options.dataDir, 'postgres'))] : [];
  return [
    redis('redis-sessions', ports.redisSessions, join(options.dataDir, 'redis-sessions')),
    redis('redis-carts', ports.redisCarts, join(options.dataDir, 'redis-carts')),
    kafka(ports.kafka, ports.kafkaController, join(options.dataDir, 'kafka')),
    ...database,
    ...drawUsual(options, urls, ['redis-sessions', 'redis-carts', 'kafka', ...database.map(({ name }) => name)]),
  ];
}

/** Somebody else's Redis and Kafka. */
function drawExternal(options: StackOptions): ProcessSpec[] {
  if (options.external === undefined) throw new Error('external needs KAFKA_BROKERS, SESSION_REDIS_URL and CART_REDIS_URL');
  const { kafkaBrokers, sessionRedisUrl, cartRedisUrl } = options.external;
  return drawUsual(options, { KAFKA_BROKERS: kafkaBrokers, SESSION_REDIS_URL: sessionRedisUrl, CART_REDIS_URL: cartRedisUrl }, []);
}

/** Above one Redis a purpose and one Kafka: one of each service, two gateways. */
function drawUsual(options: StackOptions, urls: StorageUrls, below: readonly ProcessName[]): ProcessSpec[] {
  const apps = drawApps(options, usualPlaces(options.base), {
    auth: { ...kafkaLog(urls), SESSION_STORE: 'redis', SESSION_REDIS_URL: urls.SESSION_REDIS_URL },
    cart: { ...kafkaLog(urls), CART_VIEW: 'redis', CART_REDIS_URL: urls.CART_REDIS_URL },
    other: kafkaLog(urls),
  });
  return drawServices(apps, below);
}

function usualPlaces(base: number): Places {
  const { gateways, auth, cart, profile, catalog, orders, postgres: server } = portsOf(base);
  return { gateways, auth: [auth], cart: [cart], profile: [profile], catalog: [catalog], orders: [orders], postgres: server };
}

/** One Node process and nothing else: the same services, calls over the same gRPC, other adapters below them. */
function drawEmbedded(options: StackOptions): ProcessSpec[] {
  const ports = portsOf(options.base);
  const eventLogFile = join(options.dataDir, 'event-log', 'events.log');
  const log = { EVENT_LOG: 'embedded', EVENT_LOG_FILE: eventLogFile };
  const apps = drawApps(options, usualPlaces(options.base), {
    auth: { ...log, SESSION_STORE: 'file', SESSION_FILE: join(options.dataDir, 'sessions', 'sessions.sqlite') },
    cart: { ...log, CART_VIEW: 'memory' },
    other: log,
  });
  const services = [ports.auth, ports.cart, ports.profile, ports.catalog, ports.orders];
  return [
    {
      name: 'cloakroom',
      run: {
        kind: 'embedded',
        apps: [...apps.auth, ...apps.catalog, ...apps.cart, ...apps.profile, ...apps.orders, ...apps.gateway],
        eventLogFile,
      },
      needs: [],
      ports: [...ports.gateways, ...services.flatMap((service) => [service.mesh, service.admin])],
      url: `http://localhost:${ports.gateways[0]}`,
      health: { kind: 'http', urls: [...ports.gateways, ...services.map((service) => service.admin)].map(readyUrl) },
      readyTimeoutMs: appReadyMs,
      stopGraceMs: 8_000,
    },
  ];
}

interface StorageUrls {
  readonly KAFKA_BROKERS: string;
  readonly SESSION_REDIS_URL: string;
  readonly CART_REDIS_URL: string;
}

export type StorageDetours = Readonly<Partial<StorageUrls>>;

export type Env = Readonly<Record<string, string>>;

function kafkaLog({ KAFKA_BROKERS }: StorageUrls): Env {
  return { EVENT_LOG: 'kafka', KAFKA_BROKERS };
}
