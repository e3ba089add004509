/** Turns each process of the drawing into a command on this machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from '../supervisor/child.ts';
import { repository, toolsDir } from '../stack/folders.ts';
import { inspectArguments } from '../stack/inspect.ts';
import type { Inspect } from '../stack/inspect.ts';
import { kafkaLaunch } from '../native/kafka.ts';
import { mirrorLaunch } from '../native/mirror.ts';
import { findPostgres, postgresLaunch } from '../native/postgres.ts';
import { clusterNodeLaunch, createCluster } from '../native/redis-cluster.ts';
import { redisLaunch } from '../native/redis.ts';
import { orStackError } from '../stack/outcome.ts';
import { embeddedAppsVariable } from './embedded-orders.ts';
import type { EmbeddedOrders } from './embedded-orders.ts';
import type { NativeTools } from './provider.ts';
import { newMeshSecret, databasePassword, keyEncryptionKey, oceanKey, refreshTokenKey, sessionMacKey } from './secrets.ts';
import type { ObservatoryKeys } from './secrets.ts';
import type { AppSpec, ProcessSpec, SecretName } from '../stack/stack.ts';

/** Keeps compiled code between starts: most of a service's start is reading its libraries, and 7 processes read the same ones. */
const compileCache = join(toolsDir, 'compile-cache');

/** Node prints these at each start: node:sqlite is a release candidate, and kafkajs computes a negative timer (its issue 1751). */
const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', '--enable-source-maps'];

const secretOf: Record<Exclude<SecretName, 'OBSERVATORY_SPAN_KEY'>, (dataDir: string, region: string | undefined) => string> = {
  SESSION_MAC_KEY: sessionMacKey,
  REFRESH_TOKEN_KEY: refreshTokenKey,
  KEY_ENCRYPTION_KEY: keyEncryptionKey,
  DATABASE_PASSWORD: databasePassword,
};

/**
 * Node lets the young part of a heap grow to 48 MB before it looks at the old one. The Observatory keeps its spans for long and the rest for a
 * moment, so a small young part costs it nothing: 73 MB instead of 121 MB after a start. The bound of the old part makes Node collect in time.
 */
const smallHeap = ['--max-semi-space-size=2', '--max-old-space-size=128'];

/** The same for the one process of embedded, which answers a few people: 168 MB instead of 261 MB after a start. Native keeps Node's defaults. */
const embeddedHeap = ['--max-semi-space-size=4'];

/** @param observatory the keys of this start, where the Observatory is drawn */
export function commandFor(
  dataDir: string,
  tools: NativeTools | undefined,
  inspect: readonly Inspect[] = [],
  observatory?: ObservatoryKeys,
) {
  const secret = (name: SecretName, region: string | undefined): string =>
    name === 'OBSERVATORY_SPAN_KEY' ? (observatory?.spans ?? '') : secretOf[name](dataDir, region);
  // One secret for as long as this launcher runs: a process may be started early, beside the one that it will replace.
  let meshSecret: string | undefined;
  const told = (app: AppSpec, region?: string) => ({
    ...app.env,
    ...Object.fromEntries(app.secrets.map((name) => [name, secret(name, region)])),
  });
  return async (spec: ProcessSpec, logFile: string): Promise<LaunchSpec> => {
    const { name, run, region } = spec;
    const place = { name, logFile, flags: inspectArguments(inspect, spec) };
    if (run.kind === 'app') return node(place, join(repository, 'apps', run.app.app, 'dist', 'main.js'), told(run.app, region));
    if (run.kind === 'embedded') {
      const orders: EmbeddedOrders = {
        apps: run.apps.map((app) => ({ app: app.app, env: told(app) })),
        eventLogFile: run.eventLogFile,
        meshSecret: (meshSecret ??= newMeshSecret(dataDir)),
      };
      return node({ ...place, flags: [...place.flags, ...embeddedHeap] }, join(import.meta.dirname, '../embedded.ts'), {
        [embeddedAppsVariable]: JSON.stringify(orders),
      });
    }
    if (run.kind === 'observatory') {
      if (observatory === undefined) throw new Error('the Observatory needs the keys of this start');
      // Without the address of an ocean there is no key of one.
      const ocean = run.env['OCEAN_URL'] === undefined ? {} : { OCEAN_KEY: oceanKey(dataDir) };
      return observatoryLaunch(place, { ...run.env, ...ocean }, observatory);
    }
    if (run.kind === 'ocean') {
      const orders = JSON.stringify({ ...run.ocean, key: oceanKey(dataDir) });
      return node({ ...place, flags: [...place.flags, ...smallHeap] }, join(import.meta.dirname, '../ocean/ocean.main.ts'), {
        OCEAN: orders,
      });
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
    if (run.kind === 'mirror') {
      if (tools.mirror === undefined) throw new Error(`${name} needs MirrorMaker`);
      return mirrorLaunch(tools.mirror, { name, dir: run.dir, logFile, mirror: run.mirror });
    }
    const { port, controllerPort, dir, among, wan } = run;
    return orStackError(await kafkaLaunch(tools.kafka, { name, port, controllerPort, dir, logFile, among, wan }));
  };
}

function observatoryLaunch(place: Place, env: Readonly<Record<string, string>>, keys: ObservatoryKeys): LaunchSpec {
  const folder = join(repository, 'apps', 'observatory');
  const secrets = { OBSERVATORY_PAGE_KEY: keys.page, OBSERVATORY_SPAN_KEY: keys.spans };
  const program = join(repository, 'apps', 'cart', 'dist', 'history.main.js');
  const labs = join(repository, 'labs');
  const told = {
    ...env,
    ...secrets,
    CART_HISTORY_PROGRAM: program,
    OBSERVATORY_WEB_DIR: join(folder, 'web', 'dist'),
    ...(existsSync(join(labs, 'course', 'tell.ts')) && { LABS_DIR: labs }),
  };
  const flags = [...place.flags, ...smallHeap];
  const { env: given, ...launch } = node({ ...place, flags }, join(folder, 'dist', 'main.js'), told);
  // Node holds what it read from that cache for as long as the process lives. Here it takes 6 MB, and saves 0.1 s of a start that nobody waits for.
  const { NODE_COMPILE_CACHE: _, ...uncached } = given;
  // glibc else keeps a heap for each of Node's threads.
  return { ...launch, env: { ...uncached, MALLOC_ARENA_MAX: '1' }, channel: true };
}

/** Finishes the set-up once a process answers, before the processes that need it begin. */
export function settleProcess({ run }: ProcessSpec): Promise<void> {
  return run.kind === 'redis-cluster-node' && run.forms !== undefined ? createCluster(run.forms) : Promise.resolve();
}

interface Place {
  readonly name: string;
  readonly logFile: string;
  /** Flags for Node itself. */
  readonly flags: readonly string[];
}

function node({ name, logFile, flags }: Place, script: string, env: Readonly<Record<string, string>>) {
  return {
    name,
    command: process.execPath,
    args: [...quiet, ...flags, script],
    env: { ...env, NODE_ENV: 'production', NODE_COMPILE_CACHE: compileCache },
    cwd: repository,
    logFile,
  };
}
