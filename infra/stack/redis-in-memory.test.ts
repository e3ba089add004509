import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { putRedisInMemory } from './redis-in-memory.ts';
import { drawStack } from './stack.ts';

it.each(['usual', 'cluster'] as const)('links the folder of each Redis, and of nothing else, until it is told to forget: %s', (profile) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'cloakroom-memory-'));
  const spec = drawStack({ provider: 'native', profile, base: 4000, dataDir, database: 'postgres' });
  const folders = spec.processes.map(({ name }) => ({ name, folder: join(dataDir, name) }));
  const linked = () => folders.filter(({ folder }) => lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink());
  const [filled] = folders.filter(({ name }) => name.startsWith('redis-')) as [(typeof folders)[number]];
  mkdirSync(filled.folder);
  writeFileSync(join(filled.folder, 'earlier.aof'), 'kept');
  const forget = putRedisInMemory(spec);
  try {
    const names = linked().map(({ name }) => name);
    // A machine without a memory folder, or with too little memory in it, keeps the files on disk.
    if (names.length > 0) expect(names).toEqual(folders.map(({ name }) => name).filter((name) => name.startsWith('redis-')));
    const places = linked().map(({ folder }) => realpathSync(folder));
    expect(new Set(places).size).toBe(names.length);
    expect(readFileSync(join(filled.folder, 'earlier.aof'), 'utf8')).toBe('kept');
    for (const place of places) writeFileSync(join(place, 'appendonly.aof'), 'x');
    forget();
    expect(linked()).toEqual([]);
    expect(places.filter((place) => existsSync(place))).toEqual([]);
  } finally {
    forget();
    rmSync(dataDir, { recursive: true });
  }
});
