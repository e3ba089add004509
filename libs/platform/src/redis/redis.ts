/**
 * A Redis connection that always settles. ioredis' defaults never answer while a node is paused (SIGSTOP, a dead link without RST).
 * Here every command ends within 500 ms, and no command waits in an offline queue for a server that may not come back.
 */
import { Redis } from 'ioredis';
import type { Logger } from '../log.ts';
import {
  commandTimeoutMs as productTimeoutMs,
  dropSilentSocket,
  nodeOptions,
  reconnectDelayMs,
  sendTogether,
  warnOfServer,
  watchFailures,
} from './redis.node.ts';
import type { RedisConnection } from './redis.node.ts';

export type { RedisConnection } from './redis.node.ts';

export interface RedisOptions {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Logger;
  /** A connection that only listens owes no answers, so its silence means nothing. */
  readonly subscriber?: boolean;
  /** Longer only where no person waits: a benchmark that fills a store, a test of what a store does and not of how soon. */
  readonly commandTimeoutMs?: number;
}

/** Connects in the background; commands fail at once until it is connected. */
export function openRedis({ url, name, log, subscriber = false, commandTimeoutMs = productTimeoutMs }: RedisOptions): Redis {
  const redis = new Redis(url, {
    ...nodeOptions,
    commandTimeout: commandTimeoutMs,
    connectionName: name,
    enableOfflineQueue: false,
    autoResubscribe: true,
    retryStrategy: reconnectDelayMs,
  });
  watchFailures(redis, name);
  sendTogether(redis);
  if (!subscriber) dropSilentSocket(redis);
  let reported = '';
  redis.on('error', (error: Error) => {
    // Once per outage, not once per attempt.
    if (error.message === reported) return;
    reported = error.message;
    log.warn({ redis: name, reason: error.message }, 'redis connection failed');
  });
  redis.on('ready', () => {
    if (reported !== '') log.info({ redis: name }, 'redis connection is back');
    reported = '';
    if (!subscriber) void warnOfServer(redis, name, log);
  });
  return redis;
}

/** Waits until the connection is usable. @throws after `timeoutMs`: unless told otherwise, longer than a busy machine's stalls */
export async function redisReady(redis: RedisConnection, timeoutMs = 30_000): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(new Error(`Redis does not answer after ${timeoutMs} ms. Is it running at the configured address?`));
    }, timeoutMs);
    const onReady = (): void => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', onReady);
  });
}
