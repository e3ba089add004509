/**
 * `node infra/containers/write.ts` writes every file that is derived from the drawing. Run it after a change of infra/stack/stack.ts, of
 * the contracts' topics or of this folder. derived.test.ts fails until then.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { derivedFiles } from './derived.ts';

const infra = join(import.meta.dirname, '..');
for (const [path, text] of Object.entries(await derivedFiles())) {
  const file = join(infra, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`infra/${path}\n`);
}
