/** A running stack for tests and benchmarks: the same drawing and the same supervisor as `npm start`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandFor, settleProcess } from './commands.ts';
import { dataDirOf, repository, toolsDir } from '../stack/folders.ts';
import { chooseProvider, completeFor } from './provider.ts';
import type { Chosen } from './provider.ts';
import { checkInspect } from '../stack/inspect.ts';
import type { Inspect } from '../stack/inspect.ts';
import { findPostgres } from '../native/postgres.ts';
import { orStackError, StackError } from '../stack/outcome.ts';
import { meshCertificates, newObservatoryKeys } from './secrets.ts';
import { drawStack, portsOf } from '../stack/stack.ts';
import type { Database } from '../stack/stack.spec.ts';
import type { LaunchSpec } from '../supervisor/child.ts';
import type { ProcessName, ProcessSpec, Profile, Provider, StackSpec, StorageDetours } from '../stack/stack.ts';
import type { ObservatoryDoor } from '../supervisor/state.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Fresh, StackEvent } from '../supervisor/supervisor.ts';

export interface StackRequest {
  /** Tests name their provider: with auto a suite could pass on another provider than it says. */
  readonly provider: Provider;
  /** usual by default. */
  readonly profile?: Profile;
  readonly base: number;
  /** .cloakroom/<provider>-<base> by default. */
  readonly dataDir?: string;
  readonly fresh?: Fresh;
  readonly logLevel?: string;
  /** OTEL_* for every process; by default those of the launcher's own environment. */
  readonly telemetry?: Readonly<Record<string, string>>;
  /** As in StackOptions. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly sessionMode?: string;
  /** The session modes that a sign-in may ask for, separated by commas; by default SESSION_MODES of the launcher's environment. */
  readonly sessionModes?: string;
  readonly accessTokenLifetimeMs?: number;
  /** The round trip between two regions; for the profile regions alone. */
  readonly oceanRttMs?: number | undefined;
  /** sqlite by default. */
  readonly database?: Database;
  /** Other addresses for our own Redis and Kafka, such as those of a test's proxy. For native alone. */
  readonly storageUrls?: StorageDetours;
  readonly onEvent?: (event: StackEvent) => void;
  /** Starts the Observatory beside the shop. `npm start` does so by default; a test or a benchmark only where it asks. */
  readonly observatory?: boolean;
  /**
   * A module that each of our own processes imports first. Tests take a defence away with it (labs/faults/plant.ts). `npm start` has no such option.
   */
  readonly preload?: string;
  /** The nemesis moves a part elsewhere with it (labs/chaos/namespaces.ts). */
  readonly reshape?: Reshape;
}

/** Changes to the drawing, and to the command that a process becomes. */
export interface Reshape {
  readonly spec?: (spec: StackSpec) => StackSpec;
  readonly launch?: (process: ProcessSpec, launch: LaunchSpec) => LaunchSpec;
}

export interface RunningProcess {
  pid(): number | undefined;
  /** @returns false when it is gone */
  kill(signal: NodeJS.Signals): boolean;
  /** Kills it with -9, and keeps it down. Resolves when it is gone. */
  takeAway(): Promise<void>;
  /** Resolves when its successor is ready. */
  giveBack(): Promise<void>;
  /** Resolves with the id of the process that took over from `pid`, once that is ready. */
  waitUntilReplaced(pid: number): Promise<number>;
}

export interface RunningStack {
  readonly spec: StackSpec;
  readonly gateways: StackSpec['gateways'];
  /** Undefined where it was not asked for. */
  readonly observatory: ObservatoryDoor | undefined;
  readonly processes: Readonly<Partial<Record<ProcessName, RunningProcess>>>;
  /** @throws when this stack has no such process */
  process(name: ProcessName): RunningProcess;
  stop(): Promise<void>;
}

/** @throws StackError when a port is in use, a part is missing or a process does not start; nothing is left running then */
export async function startStack(request: StackRequest): Promise<RunningStack> {
  const around = { env: process.env, toolsDir, say: () => undefined };
  const chosen = await completeFor(request.profile ?? 'usual', await chooseProvider(request.provider, around), around);
  const supervisor = assembleStack({ ...request, chosen });
  await supervisor.start({ fresh: request.fresh ?? false });
  const handle = (name: ProcessName): RunningProcess => {
    const supervised = supervisor.find(name);
    return {
      pid: () => supervised.pid,
      kill: (signal) => supervised.kill(signal),
      takeAway: () => supervised.takeAway(),
      giveBack: () => supervised.giveBack(),
      waitUntilReplaced: (pid) => supervised.untilReplaced(pid),
    };
  };
  const { spec } = supervisor;
  return {
    spec,
    gateways: spec.gateways,
    observatory: supervisor.observatory,
    processes: Object.fromEntries(spec.processes.map(({ name }) => [name, handle(name)])),
    process: handle,
    stop: () => supervisor.stop(),
  };
}

export interface AssemblyRequest extends Omit<StackRequest, 'provider'> {
  readonly chosen: Chosen;
  readonly inspect?: readonly Inspect[];
  readonly pagesOrigin?: string | undefined;
}

/** Everything before the first process: the drawing, and the command of each part. @throws StackError */
export function assembleStack(request: AssemblyRequest): Supervisor {
  const { base, chosen, logLevel, sessionMode, onEvent, inspect = [], profile = 'usual' } = request;
  const { provider, tools, external } = chosen;
  const database = databaseFor(databaseOfProfile(profile, request.database, chosen), chosen);
  if (provider === 'docker') throw new StackError('containers are run by compose', 'npm start -- --infra docker');
  const dataDir = request.dataDir ?? dataDirOf(provider, base, database, profile);
  const built = join(repository, 'apps', 'web', 'dist');
  const webDir = existsSync(join(built, 'index.html')) ? built : undefined;
  const telemetry = request.telemetry ?? telemetryOf(process.env);
  const { accessTokenLifetimeMs, sessionModes = process.env['SESSION_MODES'] } = request;
  const sessions = { sessionMode, sessionModes, accessTokenLifetimeMs };
  const detours = request.storageUrls === undefined ? {} : { storageUrls: request.storageUrls };
  const places = { provider, profile, base, dataDir, webDir };
  const drawn = drawStack({
    ...places,
    logLevel,
    telemetry,
    limits: request.limits,
    ...sessions,
    ...detours,
    database,
    external,
    pagesOrigin: request.pagesOrigin,
    oceanRttMs: request.oceanRttMs,
    observatory: request.observatory,
  });
  const spec = request.reshape?.spec?.(drawn) ?? drawn;
  checkInspect(inspect, spec.processes);
  const keys = request.observatory === true ? newObservatoryKeys() : undefined;
  return new Supervisor({
    spec,
    prepare: reshaping(request.reshape, preloading(request.preload, commandFor(dataDir, tools, inspect, keys))),
    observatory: keys && { url: `http://localhost:${portsOf(base).observatory}`, pageKey: keys.page },
    settle: settleProcess,
    onEvent: onEvent ?? (() => undefined),
    provision: () => (provider === 'embedded' ? Promise.resolve() : meshCertificates(dataDir)),
  });
}

function preloading(module: string | undefined, prepare: ReturnType<typeof commandFor>): ReturnType<typeof commandFor> {
  if (module === undefined) return prepare;
  return async (spec, logFile) => {
    const launch = await prepare(spec, logFile);
    return launch.command === process.execPath ? { ...launch, args: ['--import', module, ...launch.args] } : launch;
  };
}

function reshaping(reshape: Reshape | undefined, prepare: ReturnType<typeof commandFor>): ReturnType<typeof commandFor> {
  const change = reshape?.launch;
  return change === undefined ? prepare : async (spec, logFile) => change(spec, await prepare(spec, logFile));
}

/** Telemetry settings that a person gave to `npm start`: the children see nothing else of the launcher's environment. */
function telemetryOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER_ARG'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** @throws StackError where the profile cannot have it */
function databaseOfProfile(profile: Profile, wanted: Database | undefined, chosen: Chosen): Database | undefined {
  if (profile === 'cluster') return databaseOfCluster(wanted, chosen);
  if (profile === 'regions' && wanted === 'postgres')
    throw new StackError('two regions have no PostgreSQL: each service keeps a SQLite file', 'leave --database out');
  return wanted;
}

/** @throws StackError where this machine cannot run the cluster */
function databaseOfCluster(wanted: Database | undefined, { provider }: Chosen): Database {
  const remedy = 'use --infra native --profile cluster: it brings six Redis, three Kafka and PostgreSQL itself';
  if (provider !== 'native') throw new StackError(`${provider} has no cluster profile`, remedy);
  if (wanted === 'sqlite') throw new StackError('two replicas of a service cannot share a SQLite file', remedy);
  return 'postgres';
}

/** The database of the run, after a check that it exists. External has PostgreSQL when its URLs are set. @throws StackError */
function databaseFor(wanted: Database | undefined, { provider, external }: Chosen): Database {
  if (provider === 'external') {
    if (wanted === 'postgres' && external?.databaseUrls === undefined)
      throw new StackError(
        'external PostgreSQL needs DATABASE_URL, or DATABASE_URL_AUTH, _PROFILE, _CATALOG and _ORDERS',
        'set them in the environment: see .env.example',
      );
    return wanted ?? (external?.databaseUrls === undefined ? 'sqlite' : 'postgres');
  }
  if (wanted !== 'postgres') return 'sqlite';
  if (provider !== 'native')
    throw new StackError(
      `${provider} keeps what is the services’ in SQLite`,
      'use --infra native or --infra external with --database postgres',
    );
  orStackError(findPostgres());
  return 'postgres';
}
