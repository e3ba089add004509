/** The first command on a fresh clone, tested in a small clone whose packages would run scripts when they are installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { repository } from './stack/folders.ts';

const commandTimeoutMs = 60_000;
let clone: string;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'cloakroom-clone-'));
  for (const name of ['allowed', 'uninvited']) {
    mkdirSync(join(clone, 'packed', name), { recursive: true });
    const install = `node -e "require('fs').writeFileSync('ran','')"`;
    writeFileSync(join(clone, 'packed', name, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts: { install } }));
    npm('pack', `./packed/${name}`);
  }
  const dependencies = { allowed: 'file:allowed-1.0.0.tgz', uninvited: 'file:uninvited-1.0.0.tgz' };
  const both = { allowed: true, uninvited: false, 'of-another-platform': true };
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ name: 'clone', version: '1.0.0', dependencies, allowScripts: both }));
  npm('install', '--package-lock-only', '--ignore-scripts');
  mkdirSync(join(clone, 'infra'));
  cpSync(join(repository, 'infra', 'bootstrap.mjs'), join(clone, 'infra', 'bootstrap.mjs'));
  writeFileSync(join(clone, 'infra', 'cli.ts'), `import { writeFileSync } from 'node:fs'; writeFileSync('reached', '');`);
}, commandTimeoutMs);
afterAll(() => rmSync(clone, { recursive: true }));

const npm = (...args: string[]) =>
  execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: clone, timeout: commandTimeoutMs });

it('only packages that are allowed by name run an install script', { timeout: commandTimeoutMs }, () => {
  execFileSync(process.execPath, [join(clone, 'infra', 'bootstrap.mjs'), 'status'], { cwd: clone, timeout: commandTimeoutMs });
  expect(existsSync(join(clone, 'reached'))).toBe(true);
  expect(existsSync(join(clone, 'node_modules', 'allowed', 'ran'))).toBe(true);
  expect(existsSync(join(clone, 'node_modules', 'uninvited', 'ran'))).toBe(false);
});

it('only packages with an install script, by the lock file, are allowed by name', () => {
  const { allowScripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { allowScripts: Record<string, boolean> };
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const having = new Set(Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript === true ? [path] : [])));
  for (const name of Object.keys(allowScripts)) expect([...having], `${name} has a script to run`).toContain(`node_modules/${name}`);
});

describe('the build', () => {
  /** Takes the place of nx and of the compiler: notes that it was called, and fails if the file `broken` exists. */
  const tool = (name: string) => `const { appendFileSync, existsSync } = require('node:fs');
appendFileSync('called', '${name} ' + process.argv.slice(2).join(' ') + '\\n');
if (existsSync('broken')) { console.log('cart.ts: a wrong type'); process.exit(1); }`;
  const states = '.cloakroom/embedded';
  beforeAll(() => {
    for (const [path, name] of [
      ['nx/dist/bin/nx.js', 'nx'],
      ['typescript/bin/tsc', 'tsc'],
    ] as const) {
      mkdirSync(join(clone, 'node_modules', path, '..'), { recursive: true });
      writeFileSync(join(clone, 'node_modules', path), tool(name));
    }
    mkdirSync(join(clone, states), { recursive: true });
  });
  afterEach(() => {
    for (const path of ['called', 'broken', 'reached', 'apps', `${states}/state.json`])
      rmSync(join(clone, path), { recursive: true, force: true });
  });
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [join(clone, 'infra', 'bootstrap.mjs'), ...args], {
      cwd: clone,
      env: { ...process.env, CLOAKROOM_BUILT: undefined, ...env },
      encoding: 'utf8',
      timeout: commandTimeoutMs,
    });
  const called = () => (existsSync(join(clone, 'called')) ? readFileSync(join(clone, 'called'), 'utf8').trim().split('\n') : []);
  const shopRuns = (pid: number) => writeFileSync(join(clone, states, 'state.json'), JSON.stringify({ supervisor: { pid } }));

  it('of npm start and npm test is done by nx, which knows what is built', () => {
    expect(run(['start']).stderr).not.toContain('building');
    expect(called()).toEqual([expect.stringMatching(/^nx run-many -t build/)]);
    expect(existsSync(join(clone, 'reached'))).toBe(true);
    run(['test']);
    expect(called()).toHaveLength(2);
    run(['test', '--help']);
    expect(called()).toHaveLength(2);
  });

  it('beside a running shop is done in place, because nx would remove the files that the shop uses', () => {
    shopRuns(process.pid);
    run(['test']);
    expect(called()).toEqual([
      'tsc -b',
      expect.stringMatching(/^nx run @cloakroom\/web:build/),
      expect.stringMatching(/^nx run @cloakroom\/observatory:page/),
    ]);
  });

  it('ignores a shop whose supervisor is gone', () => {
    shopRuns(spawnSync(process.execPath, ['--version']).pid);
    run(['test']);
    expect(called()).toEqual([expect.stringMatching(/^nx run-many/)]);
  });

  it('is skipped by a command that talks to a running shop, unless there is no build yet', () => {
    run(['keys', 'rotate']);
    expect(called()).toHaveLength(1);
    mkdirSync(join(clone, 'apps/gateway/dist'), { recursive: true });
    writeFileSync(join(clone, 'apps/gateway/dist/main.js'), '');
    run(['keys', 'rotate']);
    expect(called()).toHaveLength(1);
  });

  it('is skipped inside of npm test, where other suites run from the same files', () => {
    run(['test'], { CLOAKROOM_BUILT: '1' });
    expect(called()).toEqual([]);
    expect(existsSync(join(clone, 'reached'))).toBe(true);
  });

  it('that fails says why, and nothing is started', () => {
    writeFileSync(join(clone, 'broken'), '');
    const { status, stderr } = run(['start']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/cart.ts: a wrong type[\s\S]*the build failed. Remedy/);
    expect(existsSync(join(clone, 'reached'))).toBe(false);
  });
});
