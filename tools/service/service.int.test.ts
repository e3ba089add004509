/** The generator, in a copy of this tree: the service that it makes builds, passes its tests, starts with the shop and knows who calls it. */
import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../..');
/** A whole build takes a minute on 2 cores, and other suites run beside this one. */
const commandTimeoutMs = 400_000;
/** Apart from the shop, the browser tests and the storage of the integration tests. */
const portBase = '8300';

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'cloakroom-service-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  for (const path of new Set(listed.split('\0').filter((each) => each !== '' && existsSync(join(repository, each))))) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    copyFileSync(join(repository, path), join(copy, path));
  }
  const folders = listed.split('\0').filter((path) => path.endsWith('package.json'));
  for (const folder of folders.map((path) => join(dirname(path), 'node_modules'))) mirror(join(repository, folder), join(copy, folder));
}, commandTimeoutMs);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** npm's notes of the packages that are there. npm writes into this file in place. */
const notes = 'node_modules/.package-lock.json';
/** Caches of tools lie beside the packages. */
const isCache = (name: string): boolean => name.startsWith('.') && name !== '.bin' && !notes.endsWith(name);

/**
 * Links each file where both folders are on one disk, and copies it where they are not. Symbolic links stay what they are. A file that a command
 * would write in place is copied, or the command would change this tree.
 */
function mirror(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (from.endsWith('node_modules') && isCache(entry.name)) continue;
    if (source.endsWith(notes)) copyFileSync(source, target);
    else if (entry.isDirectory()) mirror(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else {
      try {
        linkSync(source, target);
      } catch {
        copyFileSync(source, target);
      }
    }
  }
}

/** @returns what it said */
async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { npm_config_local_prefix: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    NX_ISOLATE_PLUGINS: 'false',
    CLOAKROOM_INTEGRATION: undefined,
    CLOAKROOM_E2E_PROVIDER: 'embedded',
    CLOAKROOM_E2E_PORT_BASE: portBase,
  };
  const options = { cwd: copy, env, timeout: commandTimeoutMs, maxBuffer: 16 << 20 };
  const failed = (error: { message: string; stdout?: string }) => Promise.reject(new Error(`${error.message}\n${error.stdout ?? ''}`));
  return (await promisify(execFile)(command, args, options).catch(failed)).stdout;
}
const nx = (...args: readonly string[]) => run(process.execPath, 'node_modules/nx/dist/bin/nx.js', ...args);

it(
  'a generated service builds, passes its tests, starts with the shop and knows who calls',
  { timeout: 3 * commandTimeoutMs },
  async () => {
    await nx('g', '@cloakroom/tools:service', 'wishlist');
    expect(readFileSync(join(copy, 'infra/compose.yaml'), 'utf8')).toContain('apps/wishlist/dist/main.js');
    expect(readFileSync(join(copy, 'package-lock.json'), 'utf8')).toContain('"apps/wishlist"');
    await nx('run-many', '-t', 'build', '--exclude=@cloakroom/web', '--outputStyle=static');
    await nx('run', '@cloakroom/wishlist:test');
    await nx('run', '@cloakroom/wishlist:typecheck');
    await run(process.execPath, 'infra/cli.ts', 'check', '--accept-contracts');
    expect(readFileSync(join(copy, 'libs/contracts/baseline/policies.json'), 'utf8')).toContain('GetWishlist');
    expect(await run(process.execPath, 'infra/cli.ts', 'e2e', 'wishlist-knows-the-caller')).toContain('2 passed');
    await expect(nx('g', '@cloakroom/tools:service', 'wishlist')).rejects.toThrow('there is a wishlist already');
  },
);
