/** The README.md of a library shows how it is used alone. Each snippet there is run, on what was built, so that a reader can copy it. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dataRoot, repository } from '../stack/folders.ts';

/** A snippet does its work in less than a second; a machine that also runs other tests may take longer. */
const timeoutMs = 60_000;

it.each(globSync('libs/*/README.md', { cwd: repository }))('%s shows code that runs', (page) => {
  const [, code] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(repository, page), 'utf8')) ?? [];
  expect(code).toMatch(/assert/);
  // Below the repository, so that the packages are found by their names.
  const folder = join(dataRoot, 'snippets');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${page.split('/')[1]}.ts`);
  writeFileSync(file, code!);
  const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
