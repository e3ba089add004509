/**
 * `npm run admin -- grant EMAIL`, `revoke EMAIL`, `list`: manages the administrators of the shop that runs here. auth's own command does the work, on
 * auth's database. For a shop in containers the command runs inside auth's container, which has that database and its settings.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { composeProject } from '../containers/compose-files.ts';
import { dataRoot, repository } from '../stack/folders.ts';
import { findOnPath } from '../native/debian.ts';
import { StackError } from '../stack/outcome.ts';
import { readDatabaseUrls } from '../launch/provider.ts';
import { oneRegion, runningShop } from './running-shop.ts';
import type { RunningShop, WhichShop } from './running-shop.ts';
import { databasePassword } from '../launch/secrets.ts';
import { sqliteFileOf } from '../stack/stack.storage.ts';
import { isAlive, readStates } from '../supervisor/state.ts';

const script = 'apps/auth/dist/admin.main.js';
/** Time for the start of Node, one transaction, and an engine that may be remote. */
const containerTimeoutMs = 30_000;
/** An engine that hangs must not block the command for a shop without containers. */
const listTimeoutMs = 3_000;

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** All settings of the command. A command in a container has its settings there. */
  readonly env?: Readonly<Record<string, string>>;
}

/** @returns the exit code */
export async function administer(args: readonly string[], which: WhichShop, print: (line: string) => void): Promise<number> {
  const { file, args: given, env } = await commandFor(which, findOnPath('docker'));
  const told = env === undefined ? { timeout: containerTimeoutMs } : { env, extendEnv: false };
  const result = await execa(file, [...given, ...args], { ...told, reject: false });
  print(result.stdout || result.stderr || (result.shortMessage ?? ''));
  return result.exitCode ?? 1;
}

async function commandFor(which: WhichShop, docker: string | undefined): Promise<Command> {
  const { portBase: base, region } = which;
  const runs = readStates(dataRoot).some((state) => isAlive(state.supervisor) && (base === undefined || state.base === base));
  const inContainer = docker === undefined ? undefined : await commandInContainer(docker, base);
  if (inContainer === undefined) return { file: process.execPath, args: [join(repository, script)], env: databaseOf(runningShop(which)) };
  if (runs) throw new StackError('a shop runs here in containers and another without', 'say which with --port-base');
  if (region !== undefined) throw oneRegion('docker');
  return inContainer;
}

/**
 * A shop in containers writes no state, so the engine finds it by the labels of compose.
 * @returns undefined where no such shop runs, or no engine answers
 */
export async function commandInContainer(docker: string, base: number | undefined): Promise<Command | undefined> {
  const listing = [
    'ps',
    '--filter',
    'label=com.docker.compose.service=auth',
    '--format',
    '{{.ID}} {{.Label "com.docker.compose.project"}}',
  ];
  const { stdout } = await execa(docker, listing, { reject: false, timeout: listTimeoutMs });
  const running = String(stdout ?? '')
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter(([, project = '']) => (base === undefined ? /^cloakroom(-\d+)?$/.test(project) : project === composeProject(base)));
  if (running.length > 1)
    throw new StackError(
      `several shops run in containers: ${running.map(([, project]) => project).join(', ')}`,
      'say which with --port-base',
    );
  const id = running[0]?.[0];
  return id === undefined ? undefined : { file: docker, args: ['exec', id, 'node', script] };
}

/** The settings that auth of this shop has for its database. @throws StackError */
export function databaseOf(
  { state, dataDir, region, ports }: Pick<RunningShop, 'state' | 'dataDir' | 'region' | 'ports'>,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  if (state.processes.some(({ name }) => name === 'postgres'))
    return {
      DATABASE_URL: `postgres://auth@127.0.0.1:${ports.postgres}/auth`,
      DATABASE_PASSWORD: databasePassword(dataDir),
    };
  const file = sqliteFileOf(dataDir, 'auth', region);
  if (state.provider === 'external') {
    const named = readDatabaseUrls(env)?.auth ?? (env['DATABASE_URL_AUTH'] || undefined);
    // A file from an earlier run may lie there, while auth uses PostgreSQL.
    if (named === undefined)
      throw new StackError(
        'the shop that runs here is external: no variable names the database of auth',
        `set DATABASE_URL as it was at its start; if none was set, DATABASE_URL_AUTH=sqlite:${file}`,
      );
    return { DATABASE_URL: named };
  }
  if (!existsSync(file)) throw new StackError(`${file} is not there`, 'end the shop and start it again');
  return { DATABASE_URL: `sqlite:${file}` };
}
