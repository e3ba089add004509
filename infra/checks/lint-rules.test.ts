/** The house rules that oxlint holds the tree to, each with a planted violation: .oxlintrc.json must refuse it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const lines = (count: number) => 'x();\n'.repeat(count);
const readsEnvironment = `export const x = process.env['X'];\n`;
const tree: Readonly<Record<string, string>> = {
  'apps/cart/src/circle/a.ts': `import { b } from './b.ts';\nexport const a = b;\n`,
  'apps/cart/src/circle/b.ts': `import { c } from './c.ts';\nexport const b = c;\n`,
  'apps/cart/src/circle/c.ts': `import { a } from './a.ts';\nexport const c = () => a;\n`,
  'apps/cart/src/types/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;\n`,
  'apps/cart/src/types/b.ts': `import type { A } from './a.ts';\nexport type B = readonly A[];\n`,
  'apps/cart/src/sizes/long.ts': lines(301),
  'apps/cart/src/sizes/whole.ts': lines(300),
  'apps/cart/src/sizes/long.test.ts': lines(301),
  'apps/cart/src/sizes/reasoned.ts': `/* oxlint-disable max-lines -- Longer because it is one table. */\n${lines(400)}`,
  'apps/cart/src/sizes/function.ts': `export const f = () => {\n${lines(59)}};\n`,
  'apps/cart/src/sizes/whole-function.ts': `export const f = () => {\n${lines(58)}};\n`,
  'apps/cart/src/sizes/reasoned-function.ts': `// oxlint-disable-next-line max-lines-per-function -- Longer because it is one table.\nexport function f() {\n${lines(70)}}\n`,
  'apps/cart/src/environment.ts': readsEnvironment,
  'apps/cart/src/config.ts': readsEnvironment,
  'apps/cart/src/reads/config.ts': readsEnvironment,
  'libs/platform/src/config.ts': readsEnvironment,
  'infra/cli.ts': readsEnvironment,
};

let folder: string;
let found: readonly { readonly code: string; readonly filename: string }[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lint-rules-'));
  await cp(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const run = promisify(execFile)(join(root, 'node_modules/.bin/oxlint'), ['--format', 'json'], { cwd: folder });
  // It ends with 1, since it finds what is planted.
  const { stdout } = (await run.catch((error: unknown) => error)) as { stdout: string };
  found = (JSON.parse(stdout) as { diagnostics: typeof found }).diagnostics;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ['import(no-cycle)', ['circle/a.ts', 'circle/b.ts', 'circle/c.ts', 'types/a.ts', 'types/b.ts'].map((path) => `apps/cart/src/${path}`)],
  ['eslint(max-lines)', ['apps/cart/src/sizes/long.ts']],
  ['eslint(max-lines-per-function)', ['apps/cart/src/sizes/function.ts']],
  ['node(no-process-env)', ['apps/cart/src/environment.ts', 'apps/cart/src/reads/config.ts']],
])('%s refuses what is planted, and nothing else', (rule, paths) => {
  expect(
    found
      .filter(({ code }) => code === rule)
      .map(({ filename }) => filename)
      .toSorted(),
  ).toEqual(paths);
});
