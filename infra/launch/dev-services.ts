/**
 * Starts storage for integration tests: two Redis, a Redis cluster, one Kafka and, where its binaries are installed, one PostgreSQL. They come from
 * the same drawings as the shop's: `node infra/launch/dev-services.ts --base 22000`.
 * The command prints the environment of those tests, stays until a signal, then ends them all.
 */
import { join } from 'node:path';
import { commandFor, settleProcess } from './commands.ts';
import { dataRoot, toolsDir } from '../stack/folders.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { findPostgres, postgresSuperuser } from '../native/postgres.ts';
import { clusterNodeCount, clusterUrl } from '../native/redis-cluster.ts';
import { obtainNative } from './provider.ts';
import type { NativeTools } from './provider.ts';
import { databasePassword } from './secrets.ts';
import { drawStack, portsOf } from '../stack/stack.ts';
import { redisCluster } from '../stack/stack.storage.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Fresh, StackEvent } from '../supervisor/supervisor.ts';

export interface DevServicesRequest {
  readonly base: number;
  /** .cloakroom/dev-<base> by default. */
  readonly dataDir?: string;
  readonly fresh?: Fresh;
  readonly say?: (line: string) => void;
}

export interface DevServices {
  /** TEST_KAFKA_BROKERS, TEST_KAFKA_PID, TEST_SESSION_REDIS_URL, TEST_CART_REDIS_URL, TEST_REDIS_CLUSTER_URL, TEST_POSTGRES_URL */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @throws StackError, and then nothing is left running */
export async function startDevServices({
  base,
  dataDir = join(dataRoot, `dev-${base}`),
  fresh = false,
  say = () => undefined,
}: DevServicesRequest): Promise<DevServices> {
  const native = await obtainNative({ env: process.env, toolsDir, say });
  if (!('tools' in native)) throw new StackError(native.why, native.remedy);
  const server = findPostgres();
  if (!server.ok) say(`tests on PostgreSQL are left out: ${server.why}. Remedy: ${server.remedy}`);
  const drawn = drawStack({ provider: 'native', base, dataDir, database: server.ok ? 'postgres' : 'sqlite' });
  const onEvent = (event: StackEvent): void => {
    if (event.kind === 'note') say(event.text);
    else if (event.note !== undefined) say(`${event.process.spec.name} ${event.note}`);
  };
  const supervisor = new Supervisor({
    spec: { ...drawn, processes: drawn.processes.filter(({ run }) => run.kind !== 'app') },
    prepare: commandFor(dataDir, native.tools),
    onEvent,
  });
  const cluster = superviseCluster(base, join(dataDir, 'redis-cluster'), native.tools, onEvent);
  await supervisor.start({ fresh });
  try {
    await cluster.start({ fresh });
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  const ports = portsOf(base);
  return {
    env: {
      TEST_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      TEST_KAFKA_PID: String(supervisor.find('kafka').pid),
      TEST_SESSION_REDIS_URL: `redis://127.0.0.1:${ports.redisSessions}`,
      TEST_CART_REDIS_URL: `redis://127.0.0.1:${ports.redisCarts}`,
      TEST_REDIS_CLUSTER_URL: clusterUrl(clusterPorts(base)),
      ...(server.ok && {
        TEST_POSTGRES_URL: `postgres://${postgresSuperuser}:${databasePassword(dataDir)}@127.0.0.1:${ports.postgres}/postgres`,
      }),
    },
    stop: async () => void (await Promise.all([supervisor.stop(), cluster.stop()])),
  };
}

/** Beside the single Redis of the same services. The bus ports of its nodes are 40 higher. */
const clusterPorts = (base: number): number[] => Array.from({ length: clusterNodeCount }, (_, index) => base + 250 + index);

/** A node that a test killed stays down until its replica has taken over, and comes back as the replica. Tests wait up to 6 s for it. */
const clusterBackoff = { firstMs: 6_000, maxMs: 6_000, resetAfterMs: 1_000 };

/** Supervised apart from the other services: tests kill its nodes, while a killed service of the others must be back at once. */
function superviseCluster(base: number, dataDir: string, tools: NativeTools, onEvent: (event: StackEvent) => void): Supervisor {
  const drawn = drawStack({ provider: 'native', base, dataDir });
  return new Supervisor({
    spec: { ...drawn, processes: redisCluster(clusterPorts(base), dataDir) },
    prepare: commandFor(dataDir, tools),
    settle: settleProcess,
    backoff: clusterBackoff,
    onEvent,
  });
}

async function main(): Promise<void> {
  const base = Number(process.argv[process.argv.indexOf('--base') + 1]);
  if (!process.argv.includes('--base') || !Number.isInteger(base))
    throw new StackError('no --base', 'node infra/launch/dev-services.ts --base 22000');
  const told = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.resolve());
  // Without this timer Node would end, with nothing left to wait for.
  const alive = setInterval(() => undefined, 60_000);
  const services = await startDevServices({ base, say: (line) => process.stderr.write(`${line}\n`) });
  const words = Object.entries(services.env).map(([key, value]) => `${key}=${value}`);
  process.stdout.write(`export ${words.join(' ')}\n`);
  await told.promise;
  await services.stop();
  clearInterval(alive);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exit(1);
  });
}
