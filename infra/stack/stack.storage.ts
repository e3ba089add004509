/** The storage below the services of a native run, and each service's database settings. Part of the drawing: see stack.ts. */
import { join } from 'node:path';
import { redisBusPortOf } from './stack.ports.ts';
import type { BrokerPorts, RegionName } from './stack.ports.ts';
import { databaseOwners } from './stack.spec.ts';
import type { AppSpec, DatabaseOwner, ProcessName, ProcessSpec, StackOptions, WanListener } from './stack.spec.ts';

const loopback = '127.0.0.1';
/**
 * After kill -9 a broker or a database reads a long log back, which takes longer than the start of a service. Beside a load of 36 on 2 cores, each of
 * two brokers took more than a minute. One that has died is noticed at once.
 */
const infraReadyMs = 180_000;
const infraGraceMs = 4_000;

type RedisName = 'redis-sessions' | 'redis-carts';

export function redis(name: RedisName | `${RedisName}-${RegionName}`, port: number, dir: string): ProcessSpec {
  return storage(name, [port], `redis://${loopback}:${port}`, { kind: 'redis', port, dir }, { kind: 'redis', port });
}

export function kafka(port: number, controllerPort: number, dir: string): ProcessSpec {
  return storage(
    'kafka',
    [port, controllerPort],
    `${loopback}:${port}`,
    { kind: 'kafka', port, controllerPort, dir },
    { kind: 'kafka', port },
  );
}

/** The one broker of a region. The other region comes by a listener of its own. */
export function kafkaOfRegion(region: RegionName, { port, controllerPort }: BrokerPorts, wan: WanListener, dir: string): ProcessSpec {
  const run = { kind: 'kafka', port, controllerPort, dir, wan } as const;
  return storage(`kafka-${region}`, [port, controllerPort, wan.port], `${loopback}:${port}`, run, { kind: 'kafka', port });
}

/** Three brokers, each its own controller too: any two form a majority. */
export function brokers(places: readonly BrokerPorts[], dataDir: string): ProcessSpec[] {
  const controllerPorts = places.map(({ controllerPort }) => controllerPort);
  return places.map(({ port, controllerPort }, index) => {
    const name = `kafka-${index + 1}` as ProcessName;
    const among = { nodeId: index + 1, controllerPorts, clusterIdFile: join(dataDir, 'kafka-cluster.id') };
    const run = { kind: 'kafka', port, controllerPort, dir: join(dataDir, name), among } as const;
    return storage(name, [port, controllerPort], `${loopback}:${port}`, run, { kind: 'kafka', port });
  });
}

/** The nodes of one Redis Cluster. The last node to start forms it. */
export function redisCluster(ports: readonly number[], dataDir: string): ProcessSpec[] {
  const names = ports.map((_, index) => `redis-sessions-${index + 1}` as ProcessName);
  return ports.map((port, index) => {
    const last = index === ports.length - 1;
    const name = names[index]!;
    const run = { kind: 'redis-cluster-node', port, dir: join(dataDir, name), ...(last && { forms: ports }) } as const;
    const spec = storage(name, [port, redisBusPortOf(port)], `redis://${loopback}:${port}`, run, { kind: 'redis', port });
    return last ? { ...spec, needs: names.slice(0, -1) } : spec;
  });
}

/** One server with one role and one database per service. A role can enter no other database. */
export function postgres(port: number, dir: string): ProcessSpec {
  const run = { kind: 'postgres', port, dir, databases: databaseOwners } as const;
  return storage('postgres', [port], `postgres://${loopback}:${port}`, run, { kind: 'postgres', port });
}

function storage(
  name: ProcessSpec['name'],
  ports: readonly number[],
  url: string,
  run: ProcessSpec['run'],
  health: ProcessSpec['health'],
): ProcessSpec {
  return { name, run, needs: [], ports, url, health, readyTimeoutMs: infraReadyMs, stopGraceMs: infraGraceMs };
}

/** The file of a service's database. Each region has its own. */
export const sqliteFileOf = (dataDir: string, app: DatabaseOwner, region?: RegionName): string =>
  join(dataDir, 'db', `${region === undefined ? app : `${app}-${region}`}.sqlite`);

/** @param port the port of our own PostgreSQL */
export function databaseOf(app: DatabaseOwner, options: StackOptions, port: number, region?: RegionName): Pick<AppSpec, 'env' | 'secrets'> {
  if (options.database !== 'postgres')
    return { env: { DATABASE_URL: `sqlite:${sqliteFileOf(options.dataDir, app, region)}` }, secrets: [] };
  if (options.provider === 'native' || options.provider === 'docker') {
    const host = options.provider === 'docker' ? 'postgres' : loopback;
    return { env: { DATABASE_URL: `postgres://${app}@${host}:${port}/${app}` }, secrets: ['DATABASE_PASSWORD'] };
  }
  const urls = options.external?.databaseUrls;
  if (options.provider !== 'external' || urls === undefined) throw new Error(`${options.provider} has no PostgreSQL`);
  return { env: { DATABASE_URL: urls[app] }, secrets: [] };
}

/** The event log of embedded, a SQLite file. */
export const embeddedLogFile = (dataDir: string): string => join(dataDir, 'event-log', 'events.log');
