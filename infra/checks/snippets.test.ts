/** The README.md of a library shows how it is used alone. Each snippet there is run, on what was built, so that a reader can copy it. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataRoot, repository } from '../stack/folders.ts';
import { snippetOf } from './snippets.ts';

/** A snippet does its work in less than a second; a machine that also runs other tests may take longer. */
const timeoutMs = 60_000;
/** A page whose example is longer than a page shows the heart of it, and names the file. taken-parts.int.test.ts runs the whole. */
const hearts: Readonly<Record<string, string>> = { session: 'example/nest-sessions.ts' };
const libs = globSync('libs/*/README.md', { cwd: repository }).map((page) => page.split('/')[1]!);

function run(name: string, code: string): void {
  expect(code).toMatch(/assert/);
  // Below the repository, so that the packages are found by their names.
  const folder = join(dataRoot, 'snippets');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, code);
  const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

describe('the page of a library', () => {
  it.each(libs.filter((lib) => hearts[lib] === undefined))('libs/%s shows code that runs', (lib) => run(lib, snippetOf(lib)));

  it.each(Object.entries(hearts))('libs/%s shows the heart of its example, and names the file', (lib, file) => {
    expect(readFileSync(join(repository, 'libs', lib, 'README.md'), 'utf8')).toContain(`libs/${lib}/${file}`);
    expect(readFileSync(join(repository, 'libs', lib, file), 'utf8')).toContain(snippetOf(lib));
  });

  it.each([
    ['session', 'example/in-memory.ts'],
    ['identity', 'example/two-services.ts'],
  ])('libs/%s names %s, which runs in one process', (lib, file) => {
    expect(readFileSync(join(repository, 'libs', lib, 'README.md'), 'utf8')).toContain(`libs/${lib}/${file}`);
    run(file.replace(/^.*\/|\.ts$/g, ''), readFileSync(join(repository, 'libs', lib, file), 'utf8'));
  });
});
