/**
 * The whole system, drawn once: which processes there are, what each needs, where it listens, what it is told, how one knows that it is ready.
 * Pure: start, tests, e2e and benchmarks all ask this file, and nothing else knows a port. Reading order: `drawStack`, then the three drawings.
 *
 *   browser -> gateway-1, gateway-2 -> auth, cart, profile, catalog -> redis-sessions, redis-carts, kafka[, postgres]
 */
import { join } from 'node:path';
import { databaseOf, kafka, postgres, redis } from './stack.storage.ts';
import type { Database, DatabaseOwner } from './stack.storage.ts';

export type Provider = 'native' | 'embedded' | 'external' | 'docker';
export type AppName = 'auth' | 'cart' | 'profile' | 'catalog' | 'gateway';
/** Every name a process can have: `npm run status`, log files and tests speak of it by this. */
export type ProcessName =
  | 'redis-sessions'
  | 'redis-carts'
  | 'kafka'
  | 'postgres'
  | 'auth'
  | 'cart'
  | 'profile'
  | 'catalog'
  | 'gateway-1'
  | 'gateway-2'
  | 'cloakroom';

/** One app with all that it is told. In embedded several share one process. */
export interface AppSpec {
  readonly app: AppName;
  readonly env: Readonly<Record<string, string>>;
  /** Told besides, out of the data folder, so that the drawing itself holds no secret. */
  readonly secrets: readonly SecretName[];
}

/**
 * SESSION_MAC_KEY: base64url of 32 bytes; gateways and auth seal tokens with it.
 * KEY_ENCRYPTION_KEY: the same; auth alone seals what its database keeps secret.
 * DATABASE_PASSWORD: of the services' roles in our own PostgreSQL.
 */
export type SecretName = 'SESSION_MAC_KEY' | 'KEY_ENCRYPTION_KEY' | 'DATABASE_PASSWORD';

export type Run =
  | { readonly kind: 'redis'; readonly port: number; readonly dir: string }
  | { readonly kind: 'kafka'; readonly port: number; readonly controllerPort: number; readonly dir: string }
  | { readonly kind: 'postgres'; readonly port: number; readonly dir: string; readonly databases: readonly string[] }
  | { readonly kind: 'app'; readonly app: AppSpec }
  /** All of them in one process, in this order, with one event log in memory mirrored to a file. */
  | { readonly kind: 'embedded'; readonly apps: readonly AppSpec[]; readonly eventLogFile: string };

export type Health =
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'kafka'; readonly port: number }
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
  readonly base: number;
  readonly dataDir: string;
  /** In an order that respects `needs`. */
  readonly processes: readonly ProcessSpec[];
  readonly gateways: readonly [string, string];
}

export interface StackOptions {
  readonly provider: Provider;
  /** Where the ports begin: 4000 unless told. */
  readonly base: number;
  readonly dataDir: string;
  /** The built web app; without it the gateway serves the API alone. */
  readonly webDir?: string | undefined;
  readonly logLevel?: string | undefined;
  /** OTEL_* for every process; without, no traces are made. */
  readonly telemetry?: Env | undefined;
  readonly sessionMode?: string | undefined;
  /** sqlite unless told; postgres: our own server (native) or somebody else's (external). */
  readonly database?: Database | undefined;
  readonly external?: ExternalUrls | undefined;
}

export interface ExternalUrls {
  readonly kafkaBrokers: string;
  readonly sessionRedisUrl: string;
  readonly cartRedisUrl: string;
  readonly databaseUrls?: Readonly<Record<DatabaseOwner, string>> | undefined;
}

export const defaultBase = 4000;
export const replicas = 2;

/** The address everybody listens on and is met at; in containers each has a host of its own, called by its name. */
const loopback = '127.0.0.1';
const hostIn = (provider: Provider, name: string, elsewhere: string) => (provider === 'docker' ? name : elsewhere);
/** A service on 2 busy cores takes 2-4 s. */
const appReadyMs = 30_000;
/** Three levels end one after the other, all within 10 s: see supervisor.ts. */
const appGraceMs = 3_000;

export function portsOf(base: number) {
  const service = (offset: number) => ({ mesh: base + offset, admin: base + offset + 1 });
  return {
    gateways: [base, base + 1] as const,
    auth: service(110),
    cart: service(120),
    profile: service(130),
    catalog: service(140),
    redisSessions: base + 210,
    redisCarts: base + 220,
    kafka: base + 230,
    kafkaController: base + 231,
    postgres: base + 240,
  };
}

/** Those that browsers, probes and Prometheus speak HTTP to. */
export function httpPortsOf(base: number): number[] {
  const { gateways, auth, cart, profile, catalog } = portsOf(base);
  return [...gateways, ...[auth, cart, profile, catalog].map(({ admin }) => admin)];
}

/** Names in the certificates of the mesh. */
export const meshNames: readonly AppName[] = ['gateway', 'auth', 'cart', 'profile', 'catalog'];

export function drawStack(options: StackOptions): StackSpec {
  const draw = { native: drawNative, docker: drawNative, external: drawExternal, embedded: drawEmbedded };
  const processes = draw[options.provider](options);
  const [first, second] = portsOf(options.base).gateways;
  const gateways = [`http://localhost:${first}`, `http://localhost:${second}`] as const;
  return { provider: options.provider, base: options.base, dataDir: options.dataDir, processes, gateways };
}

/** Our own Redis and Kafka below the services: as processes (native) or as containers. */
function drawNative(options: StackOptions): ProcessSpec[] {
  const ports = portsOf(options.base);
  const at = (name: ProcessName) => hostIn(options.provider, name, loopback);
  const urls = {
    KAFKA_BROKERS: `${at('kafka')}:${ports.kafka}`,
    SESSION_REDIS_URL: `redis://${at('redis-sessions')}:${ports.redisSessions}`,
    CART_REDIS_URL: `redis://${at('redis-carts')}:${ports.redisCarts}`,
  };
  const database = options.database === 'postgres' ? [postgres(ports.postgres, join(options.dataDir, 'postgres'))] : [];
  return [
    redis('redis-sessions', ports.redisSessions, join(options.dataDir, 'redis-sessions')),
    redis('redis-carts', ports.redisCarts, join(options.dataDir, 'redis-carts')),
    kafka(ports.kafka, ports.kafkaController, join(options.dataDir, 'kafka')),
    ...database,
    ...drawServices(options, urls, ['redis-sessions', 'redis-carts', 'kafka', ...database.map(({ name }) => name)]),
  ];
}

/** Somebody else's Redis and Kafka. */
function drawExternal(options: StackOptions): ProcessSpec[] {
  if (options.external === undefined) throw new Error('external needs KAFKA_BROKERS, SESSION_REDIS_URL and CART_REDIS_URL');
  const { kafkaBrokers, sessionRedisUrl, cartRedisUrl } = options.external;
  return drawServices(options, { KAFKA_BROKERS: kafkaBrokers, SESSION_REDIS_URL: sessionRedisUrl, CART_REDIS_URL: cartRedisUrl }, []);
}

function drawServices(options: StackOptions, urls: StorageUrls, below: readonly ProcessName[]): ProcessSpec[] {
  const apps = drawApps(options, {
    auth: { ...kafkaLog(urls), SESSION_STORE: 'redis', SESSION_REDIS_URL: urls.SESSION_REDIS_URL },
    cart: { ...kafkaLog(urls), CART_VIEW: 'redis', CART_REDIS_URL: urls.CART_REDIS_URL },
    other: kafkaLog(urls),
  });
  return [
    process('auth', apps.auth, below),
    process('cart', apps.cart, [...below, 'auth']),
    process('profile', apps.profile, [...below, 'auth']),
    process('catalog', apps.catalog, ['auth']),
    process('gateway-1', apps.gateways[0], ['auth', 'cart', 'profile', 'catalog']),
    process('gateway-2', apps.gateways[1], ['auth', 'cart', 'profile', 'catalog']),
  ];
}

/** One Node process and nothing else: the same services, calls over the same gRPC, other adapters below them. */
function drawEmbedded(options: StackOptions): ProcessSpec[] {
  const ports = portsOf(options.base);
  const eventLogFile = join(options.dataDir, 'event-log', 'events.log');
  const log = { EVENT_LOG: 'embedded', EVENT_LOG_FILE: eventLogFile };
  const apps = drawApps(options, {
    auth: { ...log, SESSION_STORE: 'memory' },
    cart: { ...log, CART_VIEW: 'memory' },
    other: log,
  });
  const services = [ports.auth, ports.cart, ports.profile, ports.catalog];
  return [
    {
      name: 'cloakroom',
      run: { kind: 'embedded', apps: [apps.auth, apps.catalog, apps.cart, apps.profile, ...apps.gateways], eventLogFile },
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

type Env = Readonly<Record<string, string>>;

function kafkaLog({ KAFKA_BROKERS }: StorageUrls): Env {
  return { EVENT_LOG: 'kafka', KAFKA_BROKERS };
}

/** What each app is told; `storage` is the only difference between the providers. */
function drawApps(options: StackOptions, storage: { readonly auth: Env; readonly cart: Env; readonly other: Env }) {
  const { base, dataDir, provider } = options;
  const ports = portsOf(base);
  const address = (name: 'auth' | 'cart' | 'profile' | 'catalog') => `${hostIn(provider, name, 'localhost')}:${ports[name].mesh}`;
  const adminUrl = (name: 'auth' | 'cart') => `http://${hostIn(provider, name, loopback)}:${ports[name].admin}`;
  const common = (name: AppName, replica: string, listen: number): Env => ({
    SERVICE_NAME: name,
    REPLICA: replica,
    REGION: 'local',
    PROVIDER: provider,
    LOG_LEVEL: options.logLevel ?? 'info',
    ...options.telemetry,
    HOST: provider === 'docker' ? '0.0.0.0' : loopback,
    LISTEN_PORT: String(listen),
    // Nothing proves a caller inside one process, and nobody else reaches its loopback ports in between.
    MESH_TLS: provider === 'embedded' ? 'off' : 'mutual',
    TLS_DIR: join(dataDir, 'tls'),
    AUTH_ADDRESS: address('auth'),
    CART_ADDRESS: address('cart'),
    PROFILE_ADDRESS: address('profile'),
    CATALOG_ADDRESS: address('catalog'),
    AUTH_ADMIN_URL: adminUrl('auth'),
    CART_ADMIN_URL: adminUrl('cart'),
  });
  const database = (name: DatabaseOwner) => databaseOf(name, options, ports.postgres);
  const sessions: Env = {
    SESSION_MODE: options.sessionMode ?? 'hybrid',
    SESSION_MODES: 'reference,hybrid',
  };
  const service = (app: 'auth' | 'cart' | 'profile' | 'catalog', env: Env, secrets: readonly SecretName[] = []): AppSpec => ({
    app,
    secrets: app === 'auth' ? ['SESSION_MAC_KEY', 'KEY_ENCRYPTION_KEY', ...secrets] : secrets,
    env: { ...common(app, '1', ports[app].mesh), ADMIN_PORT: String(ports[app].admin), ...env },
  });
  const origins = ports.gateways.flatMap((port) => [`http://localhost:${port}`, `http://${loopback}:${port}`]);
  const gateway = (replica: number, port: number): AppSpec => ({
    app: 'gateway',
    secrets: ['SESSION_MAC_KEY'],
    env: {
      ...common('gateway', String(replica), port),
      ...storage.other,
      ...sessions,
      PUBLIC_ORIGINS: origins.join(','),
      ...(options.webDir === undefined ? {} : { WEB_DIR: options.webDir }),
    },
  });
  return {
    auth: service('auth', { ...storage.auth, ...sessions, ...database('auth').env, SEED_ACCOUNTS: 'true' }, database('auth').secrets),
    cart: service('cart', storage.cart),
    profile: service('profile', { ...storage.other, ...database('profile').env }, database('profile').secrets),
    // Reads no event log: its products are not a person's.
    catalog: service('catalog', database('catalog').env, database('catalog').secrets),
    gateways: [gateway(1, ports.gateways[0]), gateway(2, ports.gateways[1])] as const,
  };
}

function process(name: ProcessName, app: AppSpec, needs: readonly ProcessName[]): ProcessSpec {
  const listen = Number(app.env['LISTEN_PORT']);
  const admin = app.env['ADMIN_PORT'] === undefined ? undefined : Number(app.env['ADMIN_PORT']);
  return {
    name,
    run: { kind: 'app', app },
    needs,
    ports: admin === undefined ? [listen] : [listen, admin],
    url: admin === undefined ? `http://localhost:${listen}` : `grpcs://localhost:${listen}`,
    health: { kind: 'http', urls: [readyUrl(admin ?? listen)] },
    readyTimeoutMs: appReadyMs,
    stopGraceMs: appGraceMs,
  };
}

function readyUrl(port: number): string {
  return `http://${loopback}:${port}/readyz`;
}
