/**
 * Puts the files of a stack's Redis in memory where the machine allows it. Tests expect these stores to answer within half a second. A disk may delay
 * them longer while another suite's databases start beside it. A delay of 2.4 s was seen, since `appendfsync everysec` waits for a late sync. A
 * killed process finds the same files again.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { StackSpec } from './stack.ts';

/** The memory folder of every Linux. In a container it is often small. */
const memory = '/dev/shm';
/** Many times the size of the tests' stores. */
const memoryMinBytes = 256 * 1024 ** 2;

/** Files that a folder has already move as well. @returns a function that removes the files, once the stack has ended */
export function putRedisInMemory({ dataDir, processes }: StackSpec): () => void {
  const folders = processes.flatMap(({ run }) => (run.kind === 'redis' || run.kind === 'redis-cluster-node' ? [run.dir] : []));
  // The name comes from the data folder, so the next run removes the files that a killed run left.
  const home = join(memory, `cloakroom-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  const forget = (): void => {
    rmSync(home, { recursive: true, force: true });
    // A dangling link would block the next start.
    for (const folder of folders) if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(folder);
  };
  forget();
  if (folders.length === 0 || !hasRoom()) return () => undefined;
  mkdirSync(home, { mode: 0o700 });
  for (const folder of folders) {
    const place = join(home, basename(folder));
    mkdirSync(place, { mode: 0o700 });
    if (existsSync(folder)) cpSync(folder, place, { recursive: true });
    rmSync(folder, { recursive: true, force: true });
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
