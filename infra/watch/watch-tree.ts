/**
 * Tells of each saved file below a folder. It watches folder by folder: Node's recursive watch on Linux follows files, and loses one that an
 * editor saves by renaming another over it.
 */
import { readdirSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** @param onSave gets paths relative to `root`. A new folder counts as a save of its files. */
export function watchTree(root: string, onSave: (path: string) => void, signal: AbortSignal): void {
  const watchers = new Map<string, FSWatcher>();
  /** A folder that was deleted. Should it come back, its parent says so. */
  const forget = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const add = (folder: string): void => {
    if (watchers.has(folder)) return;
    const watcher = watch(join(root, folder), { signal }, (_, name) => {
      if (name === null) return;
      const path = join(folder, name);
      if (isFolder(join(root, path))) {
        add(path);
        for (const file of filesIn(join(root, path))) onSave(join(path, file));
      } else {
        forget(path);
        onSave(path);
      }
    });
    watchers.set(folder, watcher);
    watcher.once('error', () => forget(folder));
    for (const entry of entriesOf(join(root, folder))) if (entry.isDirectory()) add(join(folder, entry.name));
  };
  add('');
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const entriesOf = (folder: string) => readdirSync(folder, { withFileTypes: true });
const filesIn = (folder: string): string[] => entriesOf(folder).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
