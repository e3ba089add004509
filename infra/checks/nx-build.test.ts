/** The targets of nx.json, in a small workspace with the compiler and the settings of this one. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';

/** Each build starts nx and the compiler; a busy machine takes its time over that. */
const buildTimeoutMs = 120_000;
const ignored = 'node_modules\n.nx\ndist\nreports\n';
let workspace: string;
const write = (path: string, text: string) => writeFileSync(join(workspace, path), text);

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), 'cloakroom-nx-'));
  for (const file of ['nx.json', 'tsconfig.base.json']) cpSync(join(repository, file), join(workspace, file));
  symlinkSync(join(repository, 'node_modules'), join(workspace, 'node_modules'));
  write('package.json', JSON.stringify({ name: 'small', private: true, type: 'module', workspaces: ['libs/*'] }));
  write('package-lock.json', JSON.stringify({ name: 'small', lockfileVersion: 3, packages: {} }));
  for (const name of ['low', 'high']) {
    mkdirSync(join(workspace, 'libs', name, 'src'), { recursive: true });
    const dependencies = name === 'high' ? { '@small/low': '0.1.0' } : {};
    const manifest = {
      name: `@small/${name}`,
      version: '0.1.0',
      type: 'module',
      dependencies,
      nx: { targets: { build: {}, test: { command: 'node --version' } } },
    };
    write(`libs/${name}/package.json`, JSON.stringify(manifest));
    const places = { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' };
    const references = name === 'high' ? [{ path: '../low' }] : [];
    write(`libs/${name}/tsconfig.json`, JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: places, references }));
  }
  write('libs/low/src/kept.ts', 'export const kept = 1;\n');
  write('libs/low/src/deleted.ts', 'export const deleted = 1;\n');
  write('libs/high/src/high.ts', `export { kept } from '../../low/dist/kept.js';\n`);
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

/** @returns the tasks that ran; the others came out of nx's cache */
function nx(...args: string[]): string[] {
  const places = { NX_CACHE_DIRECTORY: join(workspace, '.nx/cache'), NX_WORKSPACE_DATA_DIRECTORY: join(workspace, '.nx/data') };
  // A surrounding nx tells its tasks where it works, and asks them for colours. The nx below must hear of neither.
  const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NX_')));
  const env = { ...outside, ...places, NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false', FORCE_COLOR: '0' };
  const program = join(repository, 'node_modules/nx/dist/bin/nx.js');
  const output = execFileSync(process.execPath, [program, ...args, '--outputStyle=static'], {
    cwd: workspace,
    env,
    encoding: 'utf8',
    timeout: buildTimeoutMs,
  });
  return [...output.matchAll(/^> nx run @small\/(\w+(?::\w+)+)$/gm)].map(([, task]) => task!).toSorted();
}
const build = () => nx('run-many', '-t', 'build');
const built = (name: string) => readdirSync(join(workspace, 'libs', name, 'dist')).filter((file) => file.endsWith('.js'));

it('builds what changed, brings back what did not, and keeps no output of a deleted source', { timeout: 5 * buildTimeoutMs }, () => {
  expect(build()).toEqual(['high:build', 'low:build']);
  expect(built('low')).toEqual(['deleted.js', 'kept.js']);

  rmSync(join(workspace, 'libs/low/dist'), { recursive: true });
  expect(build()).toEqual([]);
  expect(built('low')).toEqual(['deleted.js', 'kept.js']);

  rmSync(join(workspace, 'libs/low/src/deleted.ts'));
  build();
  expect(built('low')).toEqual(['kept.js']);

  // A change that no type shows stays with the project itself.
  write('libs/low/src/kept.ts', 'export const kept = 1;\nif (kept > 1) throw new Error();\n');
  expect(build()).toEqual(['low:build']);
  expect(readFileSync(join(workspace, 'libs/low/dist/kept.js'), 'utf8')).toContain('throw');
  expect(existsSync(join(workspace, 'libs/high/dist/high.js'))).toBe(true);
});

it('tests what changed and what depends on it, and nothing else', { timeout: 5 * buildTimeoutMs }, () => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: workspace, stdio: 'ignore' });
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  write('.gitignore', ignored);
  git('init', '--initial-branch=main');
  git('add', '.');
  git(...identity, 'commit', '--message', 'all');
  const affected = () => nx('affected', '-t', 'test', '--excludeTaskDependencies');
  expect(affected()).toEqual([]);
  write('libs/high/src/high.ts', `export { kept as high } from '../../low/dist/kept.js';\n`);
  expect(affected()).toEqual(['high:test']);
  write('libs/low/src/kept.ts', 'export const kept = 2;\n');
  expect(affected()).toEqual(['high:test', 'low:test']);
});

/** Asks for the report of a suite as `npm test` does. @returns its text, or undefined where nx brought none back */
function recall(report: string): string | undefined {
  rmSync(report, { force: true });
  try {
    return nx('run', '@small/infra:suite:labs').length === 0 ? readFileSync(report, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

it('brings a report back until any file of the tree changes, and none that it was not given', { timeout: 7 * buildTimeoutMs }, () => {
  const { suite } = (
    JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8')) as {
      nx: { targets: { suite: { inputs: readonly (string | object)[] } } };
    }
  ).nx.targets;
  const inputs = suite.inputs.filter((input) => typeof input === 'string' || !('runtime' in input));
  write('.gitignore', ignored);
  write('package.json', JSON.stringify({ name: 'small', private: true, type: 'module', workspaces: ['libs/*', 'infra'] }));
  mkdirSync(join(workspace, 'infra/testing'), { recursive: true });
  cpSync(join(repository, 'infra/testing/report.main.ts'), join(workspace, 'infra/testing/report.main.ts'));
  write(
    'infra/package.json',
    JSON.stringify({ name: '@small/infra', version: '0.1.0', type: 'module', nx: { targets: { suite: { ...suite, inputs } } } }),
  );
  const report = join(workspace, 'infra/reports/suites/labs.json');
  expect(recall(report)).toBeUndefined();
  mkdirSync(join(workspace, 'infra/reports/suites'), { recursive: true });
  writeFileSync(report, 'all passed');
  expect(nx('run', '@small/infra:suite:labs')).toEqual(['infra:suite:labs']);
  expect(recall(report)).toBe('all passed');
  write('a-document.md', 'a word more');
  expect(recall(report)).toBeUndefined();
  rmSync(join(workspace, 'a-document.md'));
  expect(recall(report)).toBe('all passed');
});
