/**
 * A connection to a Redis Cluster that always settles, configured by a URL: `redis-cluster://[user:password@]host:port,host:port,...`
 *
 * The behaviour of ioredis, and why it is changed here:
 * - ioredis never gives up a paused node (SIGSTOP, a dead link without RST): measured, not one of 1,200 commands settled in 14 s. Here each command
 *   has one deadline for everything, redirections and waits included. `commandTimeoutMs` after it was sent it is answered or refused.
 * - ioredis resends a command whose connection broke, to another node. It may have been done, and a rotation done twice looks like a theft. Here
 *   it fails, and the caller decides, because it knows whether it may be repeated. A command that a node refused without doing it is tried again.
 *   MOVED and ASK are followed at once, TRYAGAIN (the slot is on its way to another node) after a pause.
 * - ioredis notices a failover only after some other node answered MOVED. Here any failure makes the client ask which node serves which slots.
 */
import { Cluster } from 'ioredis';
import type { ClusterNode, Command, Redis } from 'ioredis';
import {
  commandTimeoutMs as productTimeoutMs,
  dropSilentSocket,
  nodeOptions,
  reconnectDelayMs,
  warnOfServer,
  watchFailures,
} from './redis.node.ts';
import type { RedisConnection } from './redis.node.ts';
import { openRedis } from './redis.ts';
import type { RedisOptions } from './redis.ts';

/** A paused node must not hold up the question about the slots, so the client asks the next node. */
const slotsRefreshTimeoutMs = 500;
/** Within this time the client learns of a failover that failed no command. One short connection each. */
const slotsRefreshIntervalMs = 1_000;
/** A slot of this size moves in milliseconds. */
const retryDelayOnTryAgainMs = 15;
/** The deadline is the real bound, never this one. A slot that moves takes up to three redirections a try. */
const redirectionCountMax = 60;

const urlPattern = /^(rediss?)-cluster:\/\/(?:([^:@/]*):([^@/]*)@)?([^/]+)\/?$/;

export const isClusterUrl = (url: string): boolean => urlPattern.test(url);

/** `redis://` one server, `redis-cluster://` a cluster; with TLS `rediss` in both. */
export function openRedisByUrl(options: RedisOptions): RedisConnection {
  return isClusterUrl(options.url) ? openRedisCluster(options) : openRedis(options);
}

/** Connects in the background; commands fail at once until it is connected. @throws TypeError on a URL without nodes */
export function openRedisCluster(options: RedisOptions): Cluster {
  const { url, name, log, subscriber = false, commandTimeoutMs = productTimeoutMs } = options;
  const { nodes, ...access } = parseClusterUrl(url);
  const cluster = new Cluster([...nodes], {
    redisOptions: { ...nodeOptions, commandTimeout: commandTimeoutMs, ...access, connectionName: name },
    // Waits for a node just met, within the deadline. `boundEveryCommand` refuses commands that would wait for the whole cluster.
    enableOfflineQueue: true,
    clusterRetryStrategy: reconnectDelayMs,
    clusterNodeRetryStrategy: reconnectDelayMs,
    maxRedirections: redirectionCountMax,
    retryDelayOnTryAgain: retryDelayOnTryAgainMs,
    // 0 disables the resending of commands.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: slotsRefreshTimeoutMs,
    slotsRefreshInterval: slotsRefreshIntervalMs,
    // Replicas may answer with stale data, so the client never asks them.
    scaleReads: 'master',
  });
  boundEveryCommand(cluster, commandTimeoutMs);
  watchFailures(cluster, name, () => cluster.refreshSlotsCache());
  const reported = new Set<string>();
  const report = (error: Error, node = 'all'): void => {
    // Once per outage, not once per attempt.
    if (reported.has(node)) return;
    reported.add(node);
    log.warn({ redis: name, node, reason: error.message }, 'redis connection failed');
  };
  cluster.on('error', (error: Error) => report(error));
  cluster.on('node error', (error: Error, node: string) => report(error, node));
  cluster.on('+node', (node: Redis) => {
    if (!subscriber) dropSilentSocket(node);
    if (reported.delete(`${node.options.host}:${node.options.port}`)) log.info({ redis: name }, 'redis cluster node is back');
  });
  cluster.on('ready', () => {
    reported.clear();
    if (!subscriber) for (const node of cluster.nodes('master')) void warnOfServer(node, name, log);
  });
  return cluster;
}

/** ioredis counts a command's time for each node it is sent to, and does not bound the wait for a redirection. */
function boundEveryCommand(cluster: Cluster, commandTimeoutMs: number): void {
  const send = cluster.sendCommand.bind(cluster) as (command: Command, ...rest: unknown[]) => unknown;
  cluster.sendCommand = (command: Command, ...rest: unknown[]) => {
    if (cluster.status !== 'ready' && command.name !== 'cluster') command.reject(new Error('The cluster is not connected'));
    else command.setTimeout(commandTimeoutMs);
    return command.isSettled ? command.promise : send(command, ...rest);
  };
}

interface ClusterAddress {
  readonly nodes: readonly ClusterNode[];
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

export function parseClusterUrl(url: string): ClusterAddress {
  const [, scheme, username = '', password = '', hosts = ''] = urlPattern.exec(url) ?? [];
  const nodes = hosts.split(',').map((text) => {
    const [, host, port] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text) ?? [];
    // The URL itself is never shown: it may hold a password.
    if (host === undefined) throw new TypeError('a cluster is told as redis-cluster://host:port,host:port');
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
  return {
    nodes,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(scheme === 'rediss' && { tls: {} }),
  };
}
