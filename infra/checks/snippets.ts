/** The code that the page of a library shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../stack/folders.ts';

/** The first TypeScript block of a README.md, as it stands there. */
export function snippetOf(lib: string): string {
  const [, code] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(repository, 'libs', lib, 'README.md'), 'utf8')) ?? [];
  if (code === undefined) throw new Error(`libs/${lib}/README.md shows no code`);
  return code;
}
