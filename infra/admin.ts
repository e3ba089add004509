/** `npm run admin -- grant EMAIL`, `revoke EMAIL`, `list`: who administers the shop that runs here. auth's own command does it, on auth's database. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { repository } from './folders.ts';
import { StackError } from './outcome.ts';
import { readDatabaseUrls } from './provider.ts';
import { runningShop } from './running-shop.ts';
import type { RunningShop } from './running-shop.ts';
import { databasePassword } from './secrets.ts';
import { portsOf } from './stack.ts';

/** @param base of the shop that is meant; may be left out where one runs. @returns the exit code */
export async function administer(args: readonly string[], base: number | undefined, print: (line: string) => void): Promise<number> {
  const env = databaseOf(runningShop(base));
  const command = [join(repository, 'apps', 'auth', 'dist', 'admin.main.js'), ...args];
  const { stdout, stderr, exitCode = 1 } = await execa(process.execPath, command, { env, extendEnv: false, reject: false });
  print(stdout || stderr);
  return exitCode;
}

/** What auth of this shop is told of its database. @throws StackError */
function databaseOf({ state, dataDir }: RunningShop): Record<string, string> {
  if (state.provider === 'docker')
    throw new StackError(
      'the database is in a container',
      'docker compose --file infra/compose.yaml exec auth node apps/auth/dist/admin.main.js list',
    );
  if (state.processes.some(({ name }) => name === 'postgres'))
    return {
      DATABASE_URL: `postgres://auth@127.0.0.1:${portsOf(state.base).postgres}/auth`,
      DATABASE_PASSWORD: databasePassword(dataDir),
    };
  const external = state.provider === 'external' ? readDatabaseUrls(process.env)?.auth : undefined;
  if (external !== undefined) return { DATABASE_URL: external };
  const file = join(dataDir, 'db', 'auth.sqlite');
  if (!existsSync(file)) throw new StackError(`${file} is not there`, 'set DATABASE_URL as for npm start');
  return { DATABASE_URL: `sqlite:${file}` };
}
