import { join } from 'node:path';
import { defaultBase } from './stack.ts';
import type { Provider } from './stack.ts';

export const repository = join(import.meta.dirname, '..');
/** All that a run leaves behind, ignored by git. */
export const dataRoot = join(repository, '.cloakroom');
/** Fetched once, kept by --fresh. */
export const toolsDir = join(dataRoot, 'tools');

/** Runs on other ports are other shops: they share no data. */
export function dataDirOf(provider: Provider, base: number): string {
  return join(dataRoot, base === defaultBase ? provider : `${provider}-${base}`);
}
