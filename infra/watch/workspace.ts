/** The projects of this repository that are built, and what each is made of, read from each package.json. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../stack/folders.ts';

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports: { readonly '.': { readonly default: string } };
}

/** Folder -> the folders of the projects that it ships with: "apps/cart" -> "libs/mesh" and so on. */
export type Workspace = ReadonlyMap<string, readonly string[]>;

const readManifest = (folder: string) => JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as Manifest;

export function readWorkspace(): Workspace {
  const folders = globSync(['apps/*', 'libs/*'], { cwd: repository }).filter((folder) =>
    existsSync(join(repository, folder, 'tsconfig.json')),
  );
  const manifests = folders.map((folder) => ({ folder, manifest: readManifest(folder) }));
  const folderOf = new Map(manifests.map(({ folder, manifest }) => [manifest.name, folder]));
  return new Map(
    manifests.map(({ folder, manifest }) => [folder, Object.keys(manifest.dependencies ?? {}).flatMap((name) => folderOf.get(name) ?? [])]),
  );
}

/** @returns the folders given, and all that they are made of */
export function madeOf(folders: readonly string[], workspace: Workspace): ReadonlySet<string> {
  const found = new Set(folders);
  // A Set is walked to its end, whatever is added on the way.
  for (const folder of found) for (const need of workspace.get(folder) ?? []) found.add(need);
  return found;
}

/** The module that a project hands out, as a URL. */
export function doorOf(folder: string): string {
  const { exports } = readManifest(folder);
  return pathToFileURL(join(repository, folder, exports['.'].default)).href;
}

/** The code of a project as a process loads it. Types and times do not count. */
export function hashOfCode(folder: string): string {
  const hash = createHash('sha256');
  const dist = join(repository, folder, 'dist');
  for (const file of globSync('**/*.js', { cwd: dist }).toSorted()) hash.update(`${file}\n`).update(readFileSync(join(dist, file)));
  return hash.digest('hex');
}
