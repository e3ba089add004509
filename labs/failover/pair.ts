/**
 * The sessions' Redis in one of two forms: a primary with a replica, watched by a real Redis Sentinel, or one server alone. The replica and the
 * sentinel reach the primary by a proxy, and the clients reach it directly. So the proxy can cut the primary off from both while people go on
 * writing to it.
 */
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady, type RedisConnection } from '@cloakroom/platform/redis';
import { openTcpProxy, type TcpProxy } from '@cloakroom/testing';
import { Redis } from 'ioredis';
import { type RedisFarm, type RedisNode, until } from '../runner/redis.ts';

export type Fault = 'nothing' | 'kill' | 'pause' | 'cut';

export interface Pair {
  readonly client: RedisConnection;
  /** Waits until the replica has everything that was written so far. */
  caughtUp(): Promise<void>;
  strike(fault: Fault): Promise<void>;
  /** Resolves when the clients have another server than before, or the same one again. @throws where the fault did not happen */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** A sentinel calls a primary dead after this silence. Its default is 30 s. Below 2 s a busy machine looks like a dead one. */
const downAfterMs = 2_000;
const group = 'sessions';
const failoverMaxMs = 30_000;
const waitTimeoutMs = 2_000;

/** As libs/platform tunes any connection: each command ends within half a second, and none is sent twice. */
const clientOptions = {
  connectTimeout: 500,
  commandTimeout: 500,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
};

/** @param lagMs how long the primary's bytes wait before they leave for the replica */
export async function openPair(farm: RedisFarm, base: number, lagMs: number): Promise<Pair> {
  // A replica does not wait for others that might want the same copy.
  const primary = await farm.single(base, ['--repl-diskless-sync-delay', '0']);
  const link = await openTcpProxy({ port: primary.port, protocol: 'any' });
  const replica = await farm.single(base + 1, ['--replicaof', '127.0.0.1', String(link.port)]);
  await until('the replica has its copy', async () => /master_link_status:up/.test(await replica.redis.info('replication')));
  const sentinel = await farm.sentinel(base + 2, [
    `sentinel monitor ${group} 127.0.0.1 ${link.port} 1`,
    `sentinel down-after-milliseconds ${group} ${downAfterMs}`,
    `sentinel failover-timeout ${group} ${failoverMaxMs}`,
  ]);
  await until('the sentinel knows the replica', async () => /status=ok,.*slaves=1,/.test(await sentinel.redis.info('sentinel')));
  link.delay(lagMs, 'answers');
  const client = new Redis({
    ...clientOptions,
    name: group,
    sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
    natMap: { [link.address]: { host: '127.0.0.1', port: primary.port } },
    sentinelRetryStrategy: () => 50,
  });
  client.on('error', () => undefined);
  await redisReady(client);
  const news = await followSwitches(sentinel, client);
  const parts = { primary, replica, link, client };
  return { client, ...faultsOf(parts), close: () => (news.disconnect(), link.close()) };
}

/**
 * A client whose connection is in order would stay with a primary that was voted out, so it is told. ioredis can do so by itself (`failoverDetector`).
 * But where the news come while it connects, it gives up for good.
 */
async function followSwitches(sentinel: RedisNode, client: Redis): Promise<Redis> {
  const news = new Redis({ port: sentinel.port, host: '127.0.0.1' });
  news.on('error', () => undefined);
  news.on('message', () => {
    if (client.status === 'ready') client.stream.destroy();
  });
  await news.subscribe('+switch-master');
  return news;
}

interface Parts {
  readonly primary: RedisNode;
  readonly replica: RedisNode;
  readonly link: TcpProxy;
  readonly client: Redis;
}

function faultsOf({ primary, replica, link, client }: Parts): Omit<Pair, 'client' | 'close'> {
  let struck: Fault = 'nothing';
  return {
    // A replica that has just got its copy is sent nothing more until it has said so, which it does once a second.
    async caughtUp() {
      // WAIT speaks of the writes of its own connection, so that needs one.
      await primary.redis.set('lab:caught-up', '1');
      await until('the replica has caught up', async () => (await primary.redis.wait(1, waitTimeoutMs)) === 1);
    },
    async strike(fault) {
      struck = fault;
      if (fault === 'kill') await primary.crash();
      else if (fault === 'pause') await primary.pause();
      else if (fault === 'cut') link.cut();
    },
    async settled() {
      if (struck === 'nothing') return;
      await until('the replica has taken over', async () => /role:master/.test(await replica.redis.info('replication')), failoverMaxMs);
      const there = new RegExp(`^tcp_port:${replica.port}\\r`, 'm');
      await until('the clients have gone over', async () => there.test(await client.info('server')), failoverMaxMs);
    },
  };
}

/** One server without a replica, which is started again after its death, as a supervisor does. */
export async function openSingle(farm: RedisFarm, base: number): Promise<Pair> {
  const server = await farm.single(base);
  const client = openRedis({ url: `redis://127.0.0.1:${base}`, name: 'lab', log: createLogger('lab', 'silent') });
  await redisReady(client);
  return {
    client,
    caughtUp: () => Promise.resolve(),
    async strike() {
      await server.crash();
      await server.again();
    },
    settled: () => until('the server is back', async () => (await server.redis.ping()) === 'PONG'),
    close: () => Promise.resolve(),
  };
}
