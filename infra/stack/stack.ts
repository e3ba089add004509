/**
 * The whole system, drawn once. The drawing says which processes there are, and what each needs. It also holds their ports, settings and readiness
 * checks. The functions here are pure: start, tests, e2e and benchmarks all ask this file, and no other file knows a port.
 *
 * Reading order: `drawStack`, then the drawings (the cluster's in stack.cluster.ts, the regions' in stack.regions.ts). A service's settings are in stack.apps.ts, the storage in
 * stack.storage.ts, the ports in stack.ports.ts.
 *
 *   browser -> gateway-1, gateway-2 -> auth, cart, profile, catalog, orders -> redis-sessions, redis-carts, kafka[, postgres]
 */
import { join } from 'node:path';
import { appReadyMs, drawApps, drawServices, hostIn, loopback, readyUrl } from './stack.apps.ts';
import type { Places } from './stack.apps.ts';
import { drawCluster } from './stack.cluster.ts';
import { drawRegions } from './stack.regions.ts';
import { clusterPortsOf, ofEachService, portsOf, serviceNames } from './stack.ports.ts';
import type { Env, ProcessName, ProcessSpec, StackOptions, StackSpec, StorageUrls } from './stack.spec.ts';
import { drawObservatory } from './stack.observatory.ts';
import { embeddedLogFile, kafka, postgres, redis } from './stack.storage.ts';

export { defaultBase, httpPortsOf, portsOf, portSpan } from './stack.ports.ts';
export * from './stack.spec.ts';

export function drawStack(options: StackOptions): StackSpec {
  const { provider, base, dataDir, profile = 'usual' } = options;
  const draw = { native: drawNative, docker: drawNative, external: drawExternal, embedded: drawEmbedded };
  const drawProfile = { usual: draw[provider], cluster: drawCluster, regions: drawRegions };
  const shop = drawProfile[profile](options);
  const processes = options.observatory === true ? [...shop, drawObservatory(options)] : shop;
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

/** Redis and Kafka that another team runs. */
function drawExternal(options: StackOptions): ProcessSpec[] {
  if (options.external === undefined) throw new Error('external needs KAFKA_BROKERS, SESSION_REDIS_URL and CART_REDIS_URL');
  const { kafkaBrokers, sessionRedisUrl, cartRedisUrl } = options.external;
  return drawUsual(options, { KAFKA_BROKERS: kafkaBrokers, SESSION_REDIS_URL: sessionRedisUrl, CART_REDIS_URL: cartRedisUrl }, []);
}

/** Above one Redis per purpose and one Kafka: one replica of each service, and two gateways. */
function drawUsual(options: StackOptions, urls: StorageUrls, below: readonly ProcessName[]): ProcessSpec[] {
  const apps = drawApps(options, usualPlaces(options.base), {
    auth: { ...kafkaLog(urls), SESSION_STORE: 'redis', SESSION_REDIS_URL: urls.SESSION_REDIS_URL },
    cart: { ...kafkaLog(urls), CART_VIEW: 'redis', CART_REDIS_URL: urls.CART_REDIS_URL },
    other: kafkaLog(urls),
  });
  return drawServices(apps, below);
}

function usualPlaces(base: number): Places {
  const ports = portsOf(base);
  return { gateways: ports.gateways, ...ofEachService((name) => [ports[name]]), postgres: ports.postgres };
}

/** One Node process and nothing else. The services are the same and call each other over the same gRPC, with other adapters below them. */
function drawEmbedded(options: StackOptions): ProcessSpec[] {
  const ports = portsOf(options.base);
  const eventLogFile = embeddedLogFile(options.dataDir);
  const log = { EVENT_LOG: 'embedded', EVENT_LOG_FILE: eventLogFile };
  const apps = drawApps(options, usualPlaces(options.base), {
    auth: { ...log, SESSION_STORE: 'file', SESSION_FILE: join(options.dataDir, 'sessions', 'sessions.sqlite') },
    cart: { ...log, CART_VIEW: 'memory' },
    other: log,
  });
  const services = serviceNames.map((name) => ports[name]);
  return [
    {
      name: 'cloakroom',
      run: {
        kind: 'embedded',
        apps: [...serviceNames.flatMap((name) => apps[name]), ...apps.gateway],
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

function kafkaLog({ KAFKA_BROKERS }: StorageUrls): Env {
  return { EVENT_LOG: 'kafka', KAFKA_BROKERS };
}
