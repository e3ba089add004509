/** Makes the stopped shop of one region the region eu of two: its files move to where `--profile regions` looks for them. docs/regions.md has the table. */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../stack/outcome.ts';
import type { RegionName } from '../stack/stack.ports.ts';

/** Both regions use these. */
const sharedNames = ['tls', 'session-mac.key'];
const folders = ['redis-sessions', 'redis-carts', 'kafka'];
const keys = ['refresh-token', 'key-encryption'];

/**
 * @param from the data folder of a shop of one region on native with SQLite
 * @param to a data folder of two regions, which has nothing of this region yet
 * @throws StackError
 */
export function becomeRegion(from: string, to: string, region: RegionName): void {
  const databases = readdirSync(join(from, 'db')).map((file) => [join('db', file), join('db', inRegion(file, region))] as const);
  const moves = [
    ...sharedNames.map((name) => [name, name] as const),
    ...folders.map((name) => [name, `${name}-${region}`] as const),
    ...keys.map((name) => [`${name}.key`, `${name}-${region}.key`] as const),
    ...databases,
  ];
  const taken = moves.find(([, target]) => existsSync(join(to, target)));
  if (taken !== undefined) throw new StackError(`${to} has ${taken[1]} already`, 'choose an empty folder');
  const missing = moves.find(([source]) => !existsSync(join(from, source)));
  if (missing !== undefined)
    throw new StackError(`${from} has no ${missing[0]}`, 'name the data folder of a shop that ran on native with SQLite');
  mkdirSync(join(to, 'db'), { recursive: true, mode: 0o700 });
  for (const [source, target] of moves) renameSync(join(from, source), join(to, target));
}

/** `auth.sqlite` and its log `auth.sqlite-wal` keep their endings. */
const inRegion = (file: string, region: RegionName): string => file.replace('.sqlite', `-${region}.sqlite`);
