/**
 * The settings that a cluster gives each service, and the parts that each service speaks to. They come from the drawing,
 * with the names that things have in a cluster.
 */
import { drawStack, meshNames } from '../stack/stack.ts';
import type { AppName, AppSpec, ProcessSpec } from '../stack/stack.ts';
import { dataInContainer } from './compose.ts';

/** The storage below the services, with the names and ports of the examples in docs/deploy.md. An overlay may name others. */
export const storages = {
  kafka: { address: 'cloakroom-kafka-bootstrap:9092', port: 9092, labels: { 'strimzi.io/cluster': 'cloakroom' } },
  'redis-sessions': { port: 6379, labels: { 'app.kubernetes.io/instance': 'redis-sessions' } },
  'redis-carts': { port: 6379, labels: { 'app.kubernetes.io/instance': 'redis-carts' } },
  postgres: { port: 5432, labels: {} },
} as const;
export type Storage = keyof typeof storages;

/** One database for each service: the password of one does not open another, and neither does its network. */
export function labelsOfStorage(to: Storage, from: AppName): Readonly<Record<string, string>> {
  return to === 'postgres' ? { 'cnpg.io/cluster': `${from}-database` } : storages[to].labels;
}

/** The name and key of the Secret that holds each address, because an address may contain a password. */
const secretOf: Record<string, (name: AppName) => { readonly secret: string; readonly key: string }> = {
  SESSION_MAC_KEY: () => ({ secret: 'session-mac', key: 'key' }),
  REFRESH_TOKEN_KEY: () => ({ secret: 'refresh-token', key: 'key' }),
  KEY_ENCRYPTION_KEY: () => ({ secret: 'key-encryption', key: 'key' }),
  // The Secret that CloudNativePG makes for a cluster called <name>-database.
  DATABASE_URL: (name) => ({ secret: `${name}-database-app`, key: 'uri' }),
  SESSION_REDIS_URL: () => ({ secret: 'redis-sessions', key: 'url' }),
  CART_REDIS_URL: () => ({ secret: 'redis-carts', key: 'url' }),
};

/** Settings that differ from containers on one machine. */
const changed: Readonly<Record<string, string>> = {
  PROVIDER: 'external',
  KAFKA_BROKERS: storages.kafka.address,
  PUBLIC_ORIGINS: 'https://shop.example.com',
  // Accounts with known passwords are only for a laptop.
  SEED_ACCOUNTS: 'false',
};

/**
 * Settings that gateways and auth must agree on. They stand in one ConfigMap that both read, so an
 * overlay cannot change them for one side alone.
 */
const agreed = ['PUBLIC_ORIGINS', 'SESSION_MODE', 'SESSION_MODES'];
export const agreedConfigMap = 'edge';

export interface ClusterApp {
  readonly app: AppSpec;
  /** The part of the settings that others must agree on; empty for a service that reads none of them. */
  readonly agreed: Readonly<Record<string, string>>;
  /** Its own ConfigMap. */
  readonly config: Readonly<Record<string, string>>;
}

const drawn = drawStack({ provider: 'docker', base: 4000, dataDir: dataInContainer, webDir: '/app/apps/web/dist' });

/** One process of each app: the cluster decides how many replicas run. */
export const drawnProcesses = Object.fromEntries(
  meshNames.map((name) => [name, drawn.processes.find(({ run }) => run.kind === 'app' && run.app.app === name)!]),
) as Readonly<Record<AppName, ProcessSpec>>;

export const appSpecs = Object.fromEntries(meshNames.map((name) => [name, clusterApp(name)])) as Readonly<Record<AppName, ClusterApp>>;

function clusterApp(name: AppName): ClusterApp {
  const { run } = drawnProcesses[name];
  if (run.kind !== 'app') throw new Error(`${name} is no service`);
  const told = Object.entries(run.app.env).filter(([key]) => key !== 'REPLICA' && !(key in secretOf));
  const [agreedOn = [], own = []] = [true, false].map((isAgreed) =>
    told.filter(([key]) => agreed.includes(key) === isAgreed).map(([key, value]) => [key, changed[key] ?? value] as const),
  );
  return { app: run.app, agreed: Object.fromEntries(agreedOn), config: Object.fromEntries(own) };
}

export function secretRefs(name: AppName, { env, secrets }: AppSpec) {
  return Object.entries(secretOf)
    .filter(([variable]) => variable in env || secrets.some((secret) => secret === variable))
    .map(([variable, where]) => ({ variable, ...where(name) }));
}

/** The port of the probes comes last. A gateway has one port for everything. */
export function servicePorts(name: AppName): readonly { readonly name: 'http' | 'grpc' | 'admin'; readonly port: number }[] {
  const { ports } = drawnProcesses[name];
  const [first, admin] = ports as readonly [number, number | undefined];
  if (admin === undefined) return [{ name: 'http', port: first }];
  return [
    { name: 'grpc', port: first },
    { name: 'admin', port: admin },
  ];
}

export interface Edge {
  readonly from: AppName;
  readonly to: AppName | Storage;
  readonly port: number;
}

/**
 * The connections that are allowed. Between services they come from the needs in the drawing; to admin pages
 * and storage from each service's settings.
 */
export function edges(): Edge[] {
  return meshNames.flatMap((from) => {
    const { env } = appSpecs[from].app;
    const needed = meshNames.filter((name) => drawnProcesses[from].needs.some((need) => need === name));
    const calls = needed.map((to) => ({ from, to, port: servicePorts(to)[0]!.port }));
    // A gateway's /readyz shows the state of these two.
    const looks = from === 'gateway' ? needed.filter((to) => `${to.toUpperCase()}_ADMIN_URL` in env) : [];
    const told: Record<Storage, string> = {
      kafka: 'KAFKA_BROKERS',
      'redis-sessions': 'SESSION_REDIS_URL',
      'redis-carts': 'CART_REDIS_URL',
      postgres: 'DATABASE_URL',
    };
    const stores = (Object.keys(told) as Storage[]).filter((store) => told[store] in env);
    return [
      ...calls,
      ...looks.map((to) => ({ from, to, port: servicePorts(to).at(-1)!.port })),
      ...stores.map((to) => ({ from, to, port: storages[to].port })),
    ];
  });
}
