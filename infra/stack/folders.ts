import { join } from 'node:path';
import { defaultBase } from './stack.ts';
import type { Profile, Provider } from './stack.ts';
import type { Database } from './stack.spec.ts';

export const repository = join(import.meta.dirname, '../..');
/** All that a run leaves behind, ignored by git. */
export const dataRoot = join(repository, '.cloakroom');
/** Fetched once, kept by --fresh. */
export const toolsDir = join(dataRoot, 'tools');

/** Runs on other ports are other shops: they share no data. */
export function dataDirOf(provider: Provider, base: number, database: Database = 'sqlite', profile: Profile = 'usual'): string {
  // Nor do runs on another database: its people are others. A cluster has one database alone.
  const name = profile === 'cluster' ? `${provider}-cluster` : database === 'sqlite' ? provider : `${provider}-${database}`;
  return join(dataRoot, base === defaultBase ? name : `${name}-${base}`);
}
