/** The settings of each service, and the process that it becomes. Part of the drawing: see stack.ts. */
import { join } from 'node:path';
import { ofEachService, portsOf, serviceNames, type RegionName, type ServiceName, type ServicePorts } from './stack.ports.ts';
import { databaseOf } from './stack.storage.ts';
import type { AppName, AppSpec, DatabaseOwner, Env, ProcessName, ProcessSpec, Provider, SecretName, StackOptions } from './stack.spec.ts';

/** Every process listens on this address, and others reach it there. In containers each has a host of its own, called by its name. */
export const loopback = '127.0.0.1';
export const hostIn = (provider: Provider, name: string, elsewhere: string) => (provider === 'docker' ? name : elsewhere);
/** A service takes 2-4 s to start on 2 busy cores. Beside a load of 50 the one process of embedded took more than 90 s. One that has died is noticed at once. */
export const appReadyMs = 180_000;
/** Three levels end one after the other, all within 10 s: see supervisor.ts. */
const appGraceMs = 3_000;

/** The ports of the replicas of each service, one or more. */
export interface Places extends Readonly<Record<ServiceName, readonly ServicePorts[]>> {
  readonly gateways: readonly number[];
  /** The gateways of the other region. People use their passkeys of here on its pages too. */
  readonly pagesAbroad?: readonly number[];
  readonly postgres: number;
  /** Undefined in a shop of one region. */
  readonly region?: RegionName;
  /** The auth of each other region, as it is reached from here: OTHER_REGIONS. */
  readonly otherRegions?: string;
  /** The same for the profile service: PROFILE_ABROAD. */
  readonly profileAbroad?: string;
  /** The region that data of a shop of one region belongs to: FORMER_REGION. */
  readonly former?: RegionName;
  /** The same for the orders service: ORDERS_ABROAD. */
  readonly ordersAbroad?: string;
  /** The catalog that decides about the stock of this region: STOCK_DECIDER. Undefined where this region decides. */
  readonly stockDecider?: string;
}

/** REGION of a shop that has only one. */
const onlyRegion = 'local';

export interface StorageEnv {
  readonly auth: Env;
  readonly cart: Env;
  readonly other: Env;
}

/** The environment that every service gets. */
function commonEnv(options: StackOptions, places: Places): (name: AppName, replica: number, listen: number) => Env {
  const { dataDir, provider, base, observatory } = options;
  const addresses = (name: ServiceName) => places[name].map(({ mesh }) => `${hostIn(provider, name, 'localhost')}:${mesh}`).join(',');
  const adminUrls = (name: 'auth' | 'cart') =>
    places[name].map(({ admin }) => `http://${hostIn(provider, name, loopback)}:${admin}`).join(',');
  return (name, replica, listen) => ({
    SERVICE_NAME: name,
    REPLICA: String(replica),
    REGION: places.region ?? onlyRegion,
    ...(places.otherRegions === undefined ? {} : { OTHER_REGIONS: places.otherRegions }),
    PROVIDER: provider,
    LOG_LEVEL: options.logLevel ?? 'info',
    ...options.telemetry,
    ...(observatory === true ? { OBSERVATORY_URL: `http://${loopback}:${portsOf(base).observatory}` } : {}),
    ...options.limits,
    HOST: provider === 'docker' ? '0.0.0.0' : loopback,
    LISTEN_PORT: String(listen),
    // One process needs no certificates. Its own calls carry a secret of this start, and it refuses other processes of the machine (libs/mesh metadata.ts).
    MESH_TLS: provider === 'embedded' ? 'off' : 'mutual',
    TLS_DIR: join(dataDir, 'tls'),
    ...Object.fromEntries(serviceNames.map((each) => [`${each.toUpperCase()}_ADDRESS`, addresses(each)])),
    AUTH_ADMIN_URL: adminUrls('auth'),
    CART_ADMIN_URL: adminUrls('cart'),
  });
}

/**
 * A mode that outlives its end must not be open to choice: a thief who signs in with a stolen password would choose it (docs/sessions.md).
 * A trial shop accepts that. It listens on loopback, has data of its own, and the README has the password of its accounts.
 */
const modesToChoose = (provider: Provider): string =>
  provider === 'native' || provider === 'embedded' ? 'reference,hybrid,jwt-denylist,jwt' : 'reference,hybrid,jwt-denylist';

/** One spec per replica. @param storage the only difference between the providers */
export function drawApps(options: StackOptions, places: Places, storage: StorageEnv) {
  const common = commonEnv(options, places);
  const database = (name: DatabaseOwner) => databaseOf(name, options, places.postgres, places.region);
  const sessions: Env = {
    SESSION_MODE: options.sessionMode ?? 'hybrid',
    SESSION_MODES: options.sessionModes ?? modesToChoose(options.provider),
  };
  const lifetime: Env =
    options.accessTokenLifetimeMs === undefined ? {} : { ACCESS_TOKEN_LIFETIME_MS: String(options.accessTokenLifetimeMs) };
  const stock: Env = places.stockDecider === undefined ? {} : { STOCK_DECIDER: places.stockDecider };
  const shared: readonly SecretName[] = options.observatory === true ? ['OBSERVATORY_SPAN_KEY'] : [];
  const service = (app: ServiceName, env: Env, secrets: readonly SecretName[] = []): AppSpec[] =>
    places[app].map(({ mesh, admin }, index) => ({
      app,
      secrets: [
        ...(app === 'auth' ? (['SESSION_MAC_KEY', 'REFRESH_TOKEN_KEY', 'KEY_ENCRYPTION_KEY'] as const) : []),
        ...secrets,
        ...shared,
      ],
      env: { ...common(app, index + 1, mesh), ADMIN_PORT: String(admin), ...env },
    }));
  const originsOf = (ports: readonly number[]) => ports.flatMap((port) => [`http://localhost:${port}`, `http://${loopback}:${port}`]);
  const origins = [...originsOf(places.gateways), ...(options.pagesOrigin === undefined ? [] : [options.pagesOrigin])];
  const gateway = (port: number, index: number): AppSpec => ({
    app: 'gateway',
    secrets: ['SESSION_MAC_KEY', ...shared],
    env: {
      ...common('gateway', index + 1, port),
      ...storage.other,
      ...sessions,
      ...(places.profileAbroad === undefined ? {} : { PROFILE_ABROAD: places.profileAbroad }),
      ...(places.former === undefined ? {} : { FORMER_REGION: `${onlyRegion}=${places.former}` }),
      ...(places.ordersAbroad === undefined ? {} : { ORDERS_ABROAD: places.ordersAbroad }),
      PUBLIC_ORIGINS: origins.join(','),
      ...(options.webDir === undefined ? {} : { WEB_DIR: options.webDir }),
    },
  });
  const special: Partial<Record<ServiceName, AppSpec[]>> = {
    auth: service(
      'auth',
      // Passkeys are made for the host of these origins, and accepted there alone. Pages of the other region carry them here.
      {
        ...storage.auth,
        ...sessions,
        ...lifetime,
        ...database('auth').env,
        PUBLIC_ORIGINS: [...origins, ...originsOf(places.pagesAbroad ?? [])].join(','),
        SEED_ACCOUNTS: seeds(options),
      },
      database('auth').secrets,
    ),
    cart: service('cart', storage.cart),
    profile: service('profile', { ...storage.other, ...database('profile').env }, database('profile').secrets),
    // The catalog reads no event log, since its products belong to no person.
    catalog: service('catalog', { ...database('catalog').env, ...stock }, database('catalog').secrets),
    orders: service('orders', { ...storage.other, ...database('orders').env }, database('orders').secrets),
  };
  return { ...ofEachService((name) => special[name] ?? service(name, storage.other)), gateway: places.gateways.map(gateway) };
}

/** Demo accounts are for a trial on this machine with its own data. auth refuses them where PUBLIC_ORIGINS lists more. */
const seeds = ({ provider, external }: StackOptions): string => String(provider !== 'external' || external?.seedAccounts === true);

type Apps = ReturnType<typeof drawApps>;

/**
 * All services above the processes in `below`. Each replica is a process: `cart`, or with several replicas `cart-1`, `cart-2`. With two regions it is
 * `cart-eu` and `cart-us`.
 */
export function drawServices(apps: Apps, below: readonly ProcessName[], readyTimeoutMs = appReadyMs): ProcessSpec[] {
  const names = (app: AppName): ProcessName[] =>
    apps[app].map(({ env: { REPLICA, REGION } }) => {
      const parts = [app, ...(apps[app].length === 1 ? [] : [REPLICA]), ...(REGION === onlyRegion ? [] : [REGION])];
      return parts.join('-') as ProcessName;
    });
  const all = (app: AppName, needs: readonly ProcessName[]) =>
    apps[app].map((spec, index) => process(names(app)[index]!, spec, needs, readyTimeoutMs));
  const called = (['auth', 'cart', 'profile', 'catalog'] as const).flatMap(names);
  const special: Partial<Record<ServiceName, readonly ProcessName[]>> = {
    auth: below,
    catalog: names('auth'),
    orders: [...below, ...called],
  };
  return [
    ...serviceNames.flatMap((name) => all(name, special[name] ?? [...below, ...names('auth')])),
    ...all('gateway', serviceNames.flatMap(names)),
  ];
}

function process(name: ProcessName, app: AppSpec, needs: readonly ProcessName[], readyTimeoutMs: number): ProcessSpec {
  const listen = Number(app.env['LISTEN_PORT']);
  const admin = app.env['ADMIN_PORT'] === undefined ? undefined : Number(app.env['ADMIN_PORT']);
  return {
    name,
    run: { kind: 'app', app },
    needs,
    ports: admin === undefined ? [listen] : [listen, admin],
    url: admin === undefined ? `http://localhost:${listen}` : `grpcs://localhost:${listen}`,
    health: { kind: 'http', urls: [readyUrl(admin ?? listen)] },
    readyTimeoutMs,
    stopGraceMs: appGraceMs,
  };
}

export function readyUrl(port: number): string {
  return `http://${loopback}:${port}/readyz`;
}
