/**
 * The files of a stack's Redis in memory, where that can be had. Tests hold these stores to half a second, and a disk may keep one waiting for longer
 * while another suite's databases begin beside it (seen: 2.4 s; `appendfsync everysec` waits for a sync that is late). What a killed process
 * finds again is the same.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { StackSpec } from './stack.ts';

/** Memory as a folder, on every Linux; in a container often a small one. */
const memory = '/dev/shm';
/** Many times what the tests' stores come to. */
const memoryMinBytes = 256 * 1024 ** 2;

/** Of a data folder that is empty. @returns what takes the files away, once the stack has ended */
export function putRedisInMemory({ dataDir, processes }: StackSpec): () => void {
  const folders = processes.flatMap(({ run }) => (run.kind === 'redis' || run.kind === 'redis-cluster-node' ? [run.dir] : []));
  // By the data folder's name: what a run that was killed left is taken away by the next one.
  const home = join(memory, `cloakroom-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  const forget = (): void => {
    rmSync(home, { recursive: true, force: true });
    // A link to nothing would be in the way of the next start.
    for (const folder of folders) if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(folder);
  };
  forget();
  if (folders.length === 0 || !hasRoom()) return () => undefined;
  mkdirSync(home, { mode: 0o700 });
  for (const folder of folders) {
    const place = join(home, basename(folder));
    mkdirSync(place, { mode: 0o700 });
    symlinkSync(place, folder);
  }
  return forget;
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= memoryMinBytes;
  } catch {
    return false;
  }
}
