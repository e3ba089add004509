/**
 * The kernel keeps control groups after their processes have ended. So the engine's groups are removed by name, also those of a killed run.
 */
import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

export const groupPrefix = 'cloakroom-engine-';
const root = '/sys/fs/cgroup';

/** In version 1 each controller has its own tree. A group with a process in it belongs to another run, and stays. */
export function removeGroups(top = root): void {
  for (const tree of [top, ...foldersIn(top)])
    for (const group of foldersIn(tree)) if (group.slice(tree.length + 1).startsWith(groupPrefix)) removeFromBelow(group);
}

function removeFromBelow(group: string): void {
  for (const below of foldersIn(group)) removeFromBelow(below);
  try {
    rmdirSync(group);
  } catch {
    // In use.
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}
