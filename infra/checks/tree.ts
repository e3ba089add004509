/** The files that the checks look at: git's view of the working tree, or a planted tree in a test. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Tree {
  /** Paths from the root, with `/`. */
  readonly files: readonly string[];
  read(path: string): string;
}

export interface Violation {
  readonly path: string;
  readonly line?: number;
  /** The fault, and how to mend it. */
  readonly message: string;
}

/** A rule that cannot be asked here, and why. It passes, and says so. */
export interface LeftOut {
  readonly leftOut: string;
}

export function workingTree(root: string): Tree {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const deleted = new Set(execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0'));
  const files = listed.split('\0').filter((path) => path !== '' && !deleted.has(path));
  return { files: [...new Set(files)], read: (path) => readFileSync(join(root, path), 'utf8') };
}

/** Every page that people read: the first ones, docs/, and the page of each package. */
export const documentsOf = (tree: Tree): string[] => [
  'ARCHITECTURE.md',
  'README.md',
  'CONTRIBUTING.md',
  ...tree.files.filter((path) => /^docs\/.*\.md$/.test(path) || packagePage.test(path)),
];

/** The README.md of a library, an app, or a room beside them. */
export const packagePage = /^(?:(?:apps|libs)\/[^/]+|infra|labs|e2e|tools)\/README\.md$/;

export function plantedTree(files: Readonly<Record<string, string>>): Tree {
  return {
    files: Object.keys(files),
    read: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
  };
}
