/** The projects as nx sees them: their tags carry the dependency rule, and their edges are the dependencies of each package.json. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tree, Violation } from './tree.ts';

export interface Project {
  /** As in its package.json: "@cloakroom/cart". */
  readonly name: string;
  /** Its folder: "apps/cart". */
  readonly root: string;
  readonly tags: readonly string[];
  /** The names of the projects that its package.json depends on, for tests too. */
  readonly dependencies: readonly string[];
}

/** A part of what `nx graph --file=graph.json` writes. */
interface GraphFile {
  readonly graph: {
    readonly nodes: Readonly<Record<string, { readonly data: { readonly root: string; readonly tags?: readonly string[] } }>>;
    readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
  };
}

export function readProjects(root: string): Project[] {
  const folder = mkdtempSync(join(tmpdir(), 'cloakroom-graph-'));
  try {
    const file = join(folder, 'graph.json');
    const env = { ...process.env, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false' };
    execFileSync(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'graph', `--file=${file}`], { cwd: root, env });
    const { graph } = JSON.parse(readFileSync(file, 'utf8')) as GraphFile;
    return Object.entries(graph.nodes).map(([name, { data }]) => ({
      name,
      root: data.root,
      tags: data.tags ?? [],
      dependencies: (graph.dependencies[name] ?? []).map(({ target }) => target).filter((target) => target in graph.nodes),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** nx builds a project after those that it depends on, so a circle has no order. A dependency of tests alone counts as well. */
export function checkProjectCircles(projects: readonly Project[]): Violation[] {
  const byName = new Map(projects.map((project) => [project.name, project]));
  return projects.flatMap(({ name, root }) => {
    const back = wayBack(name, byName);
    return back === undefined
      ? []
      : [{ path: `${root}/package.json`, message: `in a circle: ${back.join(' -> ')}. Tests that need both live in libs/testing` }];
  });
}

/** @returns the way from a project to itself, or undefined */
function wayBack(name: string, byName: ReadonlyMap<string, Project>): string[] | undefined {
  const seen = new Set<string>();
  const search = (at: string, trail: readonly string[]): string[] | undefined => {
    for (const next of byName.get(at)?.dependencies ?? []) {
      if (next === name) return [...trail, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = search(next, [...trail, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(name, [name]);
}

interface TsConfig {
  readonly references?: readonly { readonly path: string }[];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * `tsc -b` takes the order of the build from references, and nx takes it from package.json: both must say the same. A project takes part if its
 * tsconfig.json has references. Test dependencies have none, as no test is built.
 */
export function checkReferences(projects: readonly Project[], tree: Tree): Violation[] {
  const configOf = ({ root }: Project): string => `${root}/tsconfig.json`;
  const read = (path: string): TsConfig => (tree.files.includes(path) ? (JSON.parse(tree.read(path)) as TsConfig) : {});
  const built = projects.filter((project) => read(configOf(project)).references !== undefined);
  const own = built.flatMap((project) => {
    const { dependencies = {} } = JSON.parse(tree.read(`${project.root}/package.json`)) as Manifest;
    const wanted = built.filter(({ name }) => name in dependencies).map(({ root }) => root);
    return compareReferences(configOf(project), foldersIn(project.root, read(configOf(project))), wanted, `${project.root}/package.json`);
  });
  const all = built.map(({ root }) => root);
  return [...own, ...compareReferences('tsconfig.json', foldersIn('.', read('tsconfig.json')), all, 'the projects that are built')];
}

function foldersIn(folder: string, { references = [] }: TsConfig): string[] {
  return references.map(({ path }) => join(folder, path));
}

function compareReferences(path: string, found: readonly string[], wanted: readonly string[], source: string): Violation[] {
  return [
    ...wanted.filter((each) => !found.includes(each)).map((each) => ({ path, message: `has no reference to ${each}, named by ${source}` })),
    ...found.filter((each) => !wanted.includes(each)).map((each) => ({ path, message: `refers to ${each}, not named by ${source}` })),
  ];
}
