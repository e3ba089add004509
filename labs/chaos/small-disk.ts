/** A disk of a few megabytes for one broker: a tmpfs over its folder. Filling it fills no other disk. Linux and root only. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Found } from '../../infra/native/debian.ts';

export interface SmallDisk {
  /** Writes until there is no byte left. */
  fill(): void;
  /** The bytes that are left. */
  freeBytes(): number;
  /** Removes the file that `fill` wrote. */
  empty(): void;
  unmount(): void;
}

/** Room for some minutes of a broker's log: its segments are 16 MB. */
const sizeMb = 384;
const chunk = Buffer.alloc(64 * 1024);

export function mountSmallDisk(folder: string): Found<SmallDisk> {
  const remedy = 'run as root on Linux, where tmpfs may be mounted';
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { ok: false, why: 'not root on Linux', remedy };
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=0700`, 'cloakroom-chaos', folder], { encoding: 'utf8' });
  if (mounted.status !== 0) return { ok: false, why: `mount: ${mounted.stderr?.trim() ?? mounted.error?.message}`, remedy };
  const filler = join(folder, 'filler');
  const unmount = (): void => {
    process.removeListener('exit', unmount);
    // The unmount is lazy, because an ending process may still hold a file open.
    if (isMounted(folder)) spawnSync('umount', ['--lazy', folder]);
  };
  process.once('exit', unmount);
  return {
    ok: true,
    value: {
      fill: () => fill(filler),
      freeBytes: () => {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize;
      },
      empty: () => rmSync(filler, { force: true }),
      unmount,
    },
  };
}

function fill(file: string): void {
  const handle = openSync(file, 'a');
  try {
    for (let bytes = chunk.length; bytes >= 1; bytes = Math.floor(bytes / 2)) while (writes(handle, bytes));
  } finally {
    closeSync(handle);
  }
}

/** @returns false when there was no room for all bytes */
function writes(handle: number, bytes: number): boolean {
  try {
    return writeSync(handle, chunk, 0, bytes) === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

/** Unmounts disks below `folder` that an earlier, killed run left mounted. */
export function unmountLeftovers(folder: string): void {
  if (process.platform !== 'linux') return;
  for (const mount of mounts()) if (mount.startsWith(`${folder}/`)) spawnSync('umount', ['--lazy', mount]);
}

const isMounted = (folder: string): boolean => mounts().includes(folder);

const mounts = (): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
