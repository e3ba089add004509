/** Settings and checks for the connection to any Redis server, alone or in a cluster. */
import { setImmediate as readSockets, setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Command, Redis } from 'ioredis';
import { Counter } from 'prom-client';
import { metrics } from '../admin.ts';
import type { Logger } from '../log.ts';

/** Far above a healthy answer (below 1 ms on loopback, below 10 ms in one region), far below any request's budget. */
export const commandTimeoutMs = 500;
const connectTimeoutMs = 500;
/** After a command's time-out a socket gets this many turns of this many milliseconds to deliver a byte: about a second of silence in all. */
const silentTurnCount = 2;
const silentTurnMs = 250;
const reconnectDelayMaxMs = 500;

/** Options for the connection to any one server, in a cluster or alone. */
export const nodeOptions = {
  connectTimeout: connectTimeoutMs,
  commandTimeout: commandTimeoutMs,
  // A command whose connection broke has an unknown outcome, so its caller decides, not the client.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
};
export const reconnectDelayMs = (attempt: number): number => Math.min(50 * attempt, reconnectDelayMaxMs);

/** One server or a cluster. Both take the same commands, as long as all keys of one command are in one slot. */
export type RedisConnection = Redis | Cluster;

const commandTimeouts = new Counter({
  name: 'redis_command_timeouts_total',
  help: 'Commands that Redis did not answer in time, by connection.',
  labelNames: ['connection'],
  registers: [metrics],
});

/** ioredis reports a time-out only to the command's caller, by its message. @param onFailure called for any failure that is not a reply */
export function watchFailures(redis: RedisConnection, connection: string, onFailure?: () => void): void {
  onFailedCommand(redis, (timedOut) => {
    if (timedOut) commandTimeouts.inc({ connection });
    onFailure?.();
  });
}

/** Sends the commands of one turn of the event loop together: one packet and one system call in place of one for each. */
export function sendTogether(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let corked = false;
    const uncork = (): void => {
      corked = false;
      stream.uncork();
    };
    stream.write = (...args: unknown[]): boolean => {
      if (!corked) {
        corked = true;
        stream.cork();
        // It runs once the turn's promises have settled, so that each command they begin is in.
        process.nextTick(uncork);
      }
      return write(...args);
    };
  });
}

/**
 * Destroys a socket that stays silent after a command has timed out, so that ioredis reconnects. A single slow command fails alone.
 *
 * ioredis has `socketTimeout` for this, but it fits no busy machine. Its timer runs before the socket is read, so a process that stalls for a second
 * drops a connection whose answers have long arrived. Here the silence is counted in turns of the event loop, each of which reads the socket.
 */
export function dropSilentSocket(redis: Redis): void {
  let watching = false;
  const watch = async (): Promise<void> => {
    const { stream } = redis;
    const before = stream.bytesRead;
    for (let turn = 0; turn < silentTurnCount; turn++) {
      await delay(silentTurnMs);
      await readSockets();
      // In a cluster a command may have been answered here by "moved" and have timed out elsewhere. Then this server owes nothing.
      if (stream.destroyed || stream.bytesRead !== before || redis.commandQueue.length === 0) return;
    }
    stream.destroy(new Error('Redis owed an answer for a second and sent nothing'));
  };
  onFailedCommand(redis, (timedOut) => {
    if (!timedOut || watching) return;
    watching = true;
    void watch().finally(() => (watching = false));
  });
}

function onFailedCommand(redis: RedisConnection, tell: (timedOut: boolean) => void): void {
  const send = redis.sendCommand.bind(redis) as (command: Command, ...rest: unknown[]) => unknown;
  redis.sendCommand = (command: Command, ...rest: unknown[]) => {
    command.promise.catch((error: unknown) => {
      if (error instanceof Error && error.name !== 'ReplyError') tell(error.message === 'Command timed out');
    });
    return send(command, ...rest);
  };
}

/** Warns at each connection. A server that evicts loses sessions and carts without a trace, and one before 7.0 refuses our scripts. */
export async function warnOfServer(redis: Redis, name: string, log: Logger): Promise<void> {
  try {
    const info = await redis.info();
    const [version, policy] = ['redis_version', 'maxmemory_policy'].map(
      (field) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1] ?? '',
    );
    if (Number.parseInt(version!, 10) < 7) log.error({ redis: name, version }, 'this Redis is older than 7.0: its scripts will be refused');
    if (policy !== 'noeviction') log.warn({ redis: name, policy }, 'this Redis may evict keys: set maxmemory-policy noeviction');
  } catch {
    // The server is gone again, or refuses the question. The connection's user will find out.
  }
}
