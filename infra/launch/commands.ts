/** Turns each process of the drawing into a command on this machine. */
import { join } from 'node:path';
import type { LaunchSpec } from '../supervisor/child.ts';
import { repository, toolsDir } from '../stack/folders.ts';
import { inspectArguments } from '../stack/inspect.ts';
import type { Inspect } from '../stack/inspect.ts';
import { kafkaLaunch } from '../native/kafka.ts';
import { findPostgres, postgresLaunch } from '../native/postgres.ts';
import { clusterNodeLaunch, createCluster } from '../native/redis-cluster.ts';
import { redisLaunch } from '../native/redis.ts';
import { orStackError } from '../stack/outcome.ts';
import type { NativeTools } from './provider.ts';
import { newMeshSecret, databasePassword, keyEncryptionKey, refreshTokenKey, sessionMacKey } from './secrets.ts';
import type { AppSpec, ProcessSpec, SecretName } from '../stack/stack.ts';

/** Keeps compiled code between starts: most of a service's start is reading its libraries, and 7 processes read the same ones. */
const compileCache = join(toolsDir, 'compile-cache');

/** Node prints these at each start: node:sqlite is a release candidate, and kafkajs computes a negative timer (its issue 1751). */
const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', '--enable-source-maps'];

const secretOf: Record<SecretName, (dataDir: string) => string> = {
  SESSION_MAC_KEY: sessionMacKey,
  REFRESH_TOKEN_KEY: refreshTokenKey,
  KEY_ENCRYPTION_KEY: keyEncryptionKey,
  DATABASE_PASSWORD: databasePassword,
};

export const embeddedAppsVariable = 'CLOAKROOM_EMBEDDED';

export function commandFor(dataDir: string, tools: NativeTools | undefined, inspect: readonly Inspect[] = []) {
  const told = (app: AppSpec) => ({ ...app.env, ...Object.fromEntries(app.secrets.map((name) => [name, secretOf[name](dataDir)])) });
  return async (spec: ProcessSpec, logFile: string): Promise<LaunchSpec> => {
    const { name, run } = spec;
    const place = { name, logFile, flags: inspectArguments(inspect, spec) };
    if (run.kind === 'app') return node(place, join(repository, 'apps', run.app.app, 'dist', 'main.js'), told(run.app));
    if (run.kind === 'embedded') {
      const orders: EmbeddedOrders = {
        apps: run.apps.map((app) => ({ app: app.app, env: told(app) })),
        eventLogFile: run.eventLogFile,
        meshSecret: newMeshSecret(dataDir),
      };
      return node(place, join(import.meta.dirname, '../embedded.ts'), { [embeddedAppsVariable]: JSON.stringify(orders) });
    }
    if (run.kind === 'postgres') {
      const { port, dir, databases } = run;
      return orStackError(
        postgresLaunch(orStackError(findPostgres()), { name, port, dir, databases, logFile, password: databasePassword(dataDir) }),
      );
    }
    if (tools === undefined) throw new Error(`${name} needs the native tools`);
    if (run.kind === 'redis') return redisLaunch(tools.redis, { name, port: run.port, dir: run.dir, logFile });
    if (run.kind === 'redis-cluster-node') return clusterNodeLaunch(tools.redis, { name, port: run.port, dir: run.dir, logFile });
    const { port, controllerPort, dir, among } = run;
    return orStackError(await kafkaLaunch(tools.kafka, { name, port, controllerPort, dir, logFile, among }));
  };
}

/** Finishes the set-up once a process answers, before the processes that need it begin. */
export function settleProcess({ run }: ProcessSpec): Promise<void> {
  return run.kind === 'redis-cluster-node' && run.forms !== undefined ? createCluster(run.forms) : Promise.resolve();
}

/** The orders of the embedded process. They hold the MAC key, so they come by its environment and never by its arguments. */
export interface EmbeddedOrders {
  readonly apps: readonly Pick<AppSpec, 'app' | 'env'>[];
  readonly eventLogFile: string;
  /** Calls within the process carry it, in place of certificates. */
  readonly meshSecret: string;
}

interface Place {
  readonly name: string;
  readonly logFile: string;
  /** Flags for Node itself. */
  readonly flags: readonly string[];
}

function node({ name, logFile, flags }: Place, script: string, env: Readonly<Record<string, string>>): LaunchSpec {
  return {
    name,
    command: process.execPath,
    args: [...quiet, ...flags, script],
    env: { ...env, NODE_ENV: 'production', NODE_COMPILE_CACHE: compileCache },
    cwd: repository,
    logFile,
  };
}
