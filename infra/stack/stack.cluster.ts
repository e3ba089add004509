/**
 * `--profile cluster` runs on one machine the parts that production has two or three of. Part of the drawing: see stack.ts.
 *
 *   gateway x 3 -> auth, cart, profile, catalog, orders x 2 -> Redis Cluster of 3 + 3 (sessions), 3 Kafka brokers, redis-carts, postgres
 *
 * The carts' view keeps one Redis of its own, apart from the sessions' cluster. A view that fills its memory (noeviction) must not make the sessions'
 * store refuse writes, and a lost view is built again from the log. This store also shows a part without replication. See
 * docs/decisions/0011-the-cluster-profile.md.
 */
import { join } from 'node:path';
import { appReadyMs, drawApps, drawServices, loopback } from './stack.apps.ts';
import { clusterPortsOf } from './stack.ports.ts';
import { brokers, postgres, redis, redisCluster } from './stack.storage.ts';
import type { ProcessSpec, StackOptions } from './stack.spec.ts';

/** 24 processes that start at once on 2 cores take turns. */
const slowness = 3;

export function drawCluster(options: StackOptions): ProcessSpec[] {
  if (options.provider !== 'native') throw new Error(`the cluster is drawn for native alone, not ${options.provider}`);
  const places = clusterPortsOf(options.base);
  const at = (name: string) => join(options.dataDir, name);
  const below = [
    ...redisCluster(places.redisSessions, options.dataDir),
    redis('redis-carts', places.redisCarts, at('redis-carts')),
    ...brokers(places.brokers, options.dataDir),
    postgres(places.postgres, at('postgres')),
  ];
  const log = {
    EVENT_LOG: 'kafka',
    KAFKA_BROKERS: places.brokers.map(({ port }) => `${loopback}:${port}`).join(','),
    KAFKA_REPLICATION_FACTOR: String(places.brokers.length),
  };
  const apps = drawApps({ ...options, database: 'postgres' }, places, {
    auth: {
      ...log,
      SESSION_STORE: 'redis',
      SESSION_REDIS_URL: `redis-cluster://${places.redisSessions.map((port) => `${loopback}:${port}`).join(',')}`,
    },
    cart: { ...log, CART_VIEW: 'redis', CART_REDIS_URL: `redis://${loopback}:${places.redisCarts}` },
    other: log,
  });
  const services = drawServices(
    apps,
    below.map(({ name }) => name),
    appReadyMs * slowness,
  );
  return [...below.map((spec) => ({ ...spec, readyTimeoutMs: spec.readyTimeoutMs * slowness })), ...services];
}
