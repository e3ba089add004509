import { join } from 'node:path';
import { defaultBase } from './stack.ports.ts';
import type { Profile, Provider } from './stack.spec.ts';
import type { Database } from './stack.spec.ts';

export const repository = join(import.meta.dirname, '../..');
/** Everything that a run leaves behind. Git ignores it. */
export const dataRoot = join(repository, '.cloakroom');
/** Downloaded once. --fresh keeps it. */
export const toolsDir = join(dataRoot, 'tools');

/** Runs on other ports are other shops, and share no data. */
export function dataDirOf(provider: Provider, base: number, database: Database = 'sqlite', profile: Profile = 'usual'): string {
  // Runs on another database share none either: its people are others. A cluster and two regions support one database only.
  const name = profile !== 'usual' ? `${provider}-${profile}` : database === 'sqlite' ? provider : `${provider}-${database}`;
  return join(dataRoot, base === defaultBase ? name : `${name}-${base}`);
}
