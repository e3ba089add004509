/** Real Redis processes for a lab, which it may kill and pause. Each starts empty, in a folder of its own. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { untilStopped } from '@cloakroom/testing';
import { Redis } from 'ioredis';
import { clusterNodeLaunch } from '../../infra/native/redis-cluster.ts';
import { obtainRedis, redisLaunch, type RedisPlace } from '../../infra/native/redis.ts';
import { dataRoot, toolsDir } from '../../infra/stack/folders.ts';
import { orStackError } from '../../infra/stack/outcome.ts';
import { launch, type Child, type LaunchSpec } from '../../infra/supervisor/child.ts';
import { redisProbe, waitFor } from '../../infra/supervisor/probe.ts';

/** A Redis answers within 100 ms; this is for a machine that does ten other things. */
const startTimeoutMs = 20_000;
const adminTimeoutMs = 5_000;
const pollMs = 20;

export interface RedisNode {
  readonly port: number;
  /** For questions of the lab itself. */
  readonly redis: Redis;
  /** Ends it as a crash does. It keeps its folder, so `again` starts it with its data. */
  crash(): Promise<void>;
  again(): Promise<void>;
  /** Stops it without its end: SIGSTOP. */
  pause(): Promise<void>;
  wake(): void;
}

export interface RedisFarm {
  /** One server, alone. */
  single(port: number, options?: readonly string[]): Promise<RedisNode>;
  /** A node that knows no other yet. */
  clusterNode(port: number): Promise<RedisNode>;
  sentinel(port: number, lines: readonly string[]): Promise<RedisNode>;
  /** Ends all of them. */
  close(): Promise<void>;
}

/** @param name a folder below .cloakroom, which is emptied @throws StackError where this machine has no Redis */
export async function openRedisFarm(name: string, say: (line: string) => void): Promise<RedisFarm> {
  const binary = orStackError(await obtainRedis(toolsDir, say));
  const folder = join(dataRoot, name);
  rmSync(folder, { recursive: true, force: true });
  const open: { end: () => Promise<void> }[] = [];
  const placeOf = (port: number): RedisPlace => ({
    name: `redis-${port}`,
    port,
    dir: join(folder, String(port)),
    logFile: join(folder, `${port}.log`),
  });
  const start = async (port: number, spec: LaunchSpec): Promise<RedisNode> => {
    const { node, end } = await startNode(port, spec);
    open.push({ end });
    return node;
  };
  return {
    single(port, options = []) {
      const place = placeOf(port);
      const { args, ...spec } = redisLaunch(binary, place);
      // A sentinel has its servers write their settings back, and the file of the shop is no lab's.
      const settings = join(place.dir, 'redis.conf');
      copyFileSync(args[0]!, settings);
      return start(port, { ...spec, args: [settings, ...args.slice(1), ...options] });
    },
    clusterNode: (port) => start(port, clusterNodeLaunch(binary, placeOf(port))),
    sentinel(port, lines) {
      const { name: called, dir, logFile } = placeOf(port);
      const file = join(dir, 'sentinel.conf');
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...lines, ''].join('\n'));
      return start(port, { name: called, command: binary, args: [file, '--sentinel'], cwd: dir, logFile });
    },
    close: async () => void (await Promise.all(open.map(({ end }) => end()))),
  };
}

async function startNode(port: number, spec: LaunchSpec): Promise<{ node: RedisNode; end: () => Promise<void> }> {
  let child: Child = launch(spec);
  const answers = async () => {
    const ready = await waitFor(redisProbe(port), {
      timeoutMs: startTimeoutMs,
      givesUp: () => (child.exit() === undefined ? undefined : `Redis on ${port} ended: see ${spec.logFile}`),
    });
    if (!ready.ok) throw new Error(ready.detail);
  };
  await answers();
  const redis = new Redis({ port, host: '127.0.0.1', commandTimeout: adminTimeoutMs, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  // The command that fails reports the error.
  redis.on('error', () => undefined);
  const crash = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
  };
  const node: RedisNode = {
    port,
    redis,
    crash,
    async again() {
      child = launch(spec);
      await answers();
    },
    async pause() {
      child.kill('SIGSTOP');
      await untilStopped(child.pid);
    },
    wake: () => void child.kill('SIGCONT'),
  };
  const end = async (): Promise<void> => {
    redis.disconnect();
    await crash();
  };
  return { node, end };
}

/** Asks until the answer is yes. @throws after `timeoutMs` */
export async function until(what: string, isSo: () => Promise<boolean>, timeoutMs = startTimeoutMs): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    if (await isSo().catch(() => false)) return;
    if (performance.now() > endMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}
