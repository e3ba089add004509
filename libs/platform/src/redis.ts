/**
 * A Redis connection that always settles. ioredis' defaults never answer while a node is paused (SIGSTOP, a dead link without RST):
 * every command here ends within `commandTimeoutMs`, and nothing waits in an offline queue for a server that may not come back.
 */
import { Redis } from 'ioredis';
import { Counter } from 'prom-client';
import { metrics } from './admin.ts';
import type { Logger } from './log.ts';

/** Far above a healthy answer (below 1 ms on loopback, below 10 ms in one region), far below any request's budget. */
const commandTimeoutMs = 500;
const connectTimeoutMs = 500;
/** A socket that owes an answer for so long is dead: destroy it, reconnect. Above the command's time-out, so one slow command fails alone. */
const socketTimeoutMs = 1_000;
const reconnectDelayMaxMs = 500;

const commandTimeouts = new Counter({
  name: 'redis_command_timeouts_total',
  help: 'Commands that Redis did not answer in time, by connection.',
  labelNames: ['connection'],
  registers: [metrics],
});

export interface RedisOptions {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Logger;
  /** A connection that only listens owes no answers: no socket time-out. */
  readonly subscriber?: boolean;
}

/** Connects in the background; commands fail at once until it has. */
export function openRedis({ url, name, log, subscriber = false }: RedisOptions): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    ...(subscriber ? {} : { socketTimeout: socketTimeoutMs }),
    enableOfflineQueue: false,
    // A command whose connection broke has an unknown outcome: its caller decides, not the client.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: true,
    retryStrategy: (attempt) => Math.min(50 * attempt, reconnectDelayMaxMs),
  });
  countTimeouts(redis, name);
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

/** ioredis tells a time-out to the command's caller alone, by this message. */
function countTimeouts(redis: Redis, connection: string): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, ...rest) => {
    command.promise.catch((error: unknown) => {
      if (error instanceof Error && error.message === 'Command timed out') commandTimeouts.inc({ connection });
    });
    return send(command, ...rest);
  };
}

/** A server that evicts loses sessions and carts without a trace; one before 7.0 refuses our scripts. Said at each connection, decided by nobody here. */
async function warnOfServer(redis: Redis, name: string, log: Logger): Promise<void> {
  try {
    const info = await redis.info();
    const [version, policy] = ['redis_version', 'maxmemory_policy'].map(
      (field) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1] ?? '',
    );
    if (Number.parseInt(version!, 10) < 7) log.error({ redis: name, version }, 'this Redis is older than 7.0: its scripts will be refused');
    if (policy !== 'noeviction') log.warn({ redis: name, policy }, 'this Redis may evict keys: set maxmemory-policy noeviction');
  } catch {
    // Gone again, or not allowed to ask: whoever uses the connection finds out.
  }
}

/** Waits until the connection is usable. @throws after `timeoutMs` */
export async function redisReady(redis: Redis, timeoutMs: number): Promise<void> {
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
