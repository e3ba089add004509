/** The first command on a fresh clone, in a small one: packages that would run scripts as they are installed. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

it('no package runs an install script but those that are allowed by name', { timeout: commandTimeoutMs }, () => {
  execFileSync(process.execPath, [join(clone, 'infra', 'bootstrap.mjs'), 'status'], { cwd: clone, timeout: commandTimeoutMs });
  expect(existsSync(join(clone, 'reached'))).toBe(true);
  expect(existsSync(join(clone, 'node_modules', 'allowed', 'ran'))).toBe(true);
  expect(existsSync(join(clone, 'node_modules', 'uninvited', 'ran'))).toBe(false);
});

it('allows those alone that the lock file says have one', () => {
  const { allowScripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { allowScripts: Record<string, boolean> };
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const having = new Set(Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript === true ? [path] : [])));
  for (const name of Object.keys(allowScripts)) expect([...having], `${name} has a script to run`).toContain(`node_modules/${name}`);
});
