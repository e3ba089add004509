/** The dependency rule, whole: imports point down; apps meet only on the wire. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { isExample, isProduct, type SourceFile } from './sources.ts';
import type { Tree, Violation } from './tree.ts';

const scope = '@cloakroom/';
const apps = ['gateway', 'auth', 'cart', 'profile', 'catalog', 'orders', 'web'];

/** The one door beside a root: types of the gateway's answers, for all that may import contracts, and for the page. It has no code. */
const httpTypes = 'contracts/http';
const shared = ['contracts', 'platform', 'event-log', 'mesh', 'identity'];

/** Package -> the workspace packages that it may import. A package that is not listed may import none. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'libs/contracts': [],
  'libs/session': ['contracts'],
  'libs/platform': ['contracts'],
  'libs/event-log': ['contracts', 'platform'],
  'libs/mesh': ['contracts', 'platform'],
  'libs/identity': ['contracts', 'platform', 'event-log', 'mesh'],
  'libs/testing': ['contracts', 'platform'],
  'apps/gateway': [...shared, 'session'],
  'apps/auth': [...shared, 'session'],
  'apps/cart': shared,
  'apps/profile': shared,
  'apps/catalog': shared,
  'apps/orders': shared,
  'apps/web': [httpTypes],
  infra: [...shared, 'session', 'testing'],
  e2e: [...shared, 'infra', 'testing'],
  labs: [...shared, 'infra', 'e2e', 'session', 'testing', 'cart'],
};
/** The composition root may import an app, by its one door. So may tests of what the apps are told: they ask each what it takes, no more. */
const importersOfApps = new Set(['infra/embedded.ts', 'infra/containers/overlays.test.ts', 'infra/checks/environment-names.test.ts']);

/** An example names its own library as its reader will. */
const importsItself = (source: SourceFile, name: string): boolean =>
  isExample(source.path) && source.package === `libs/${name.slice(scope.length)}`;

export function checkBoundaries(sources: readonly SourceFile[]): Violation[] {
  return sources.flatMap((source) => source.imports.flatMap((one) => boundaryViolation(source, one) ?? []));
}

function boundaryViolation(
  source: SourceFile,
  { specifier, line, target, typeOnly }: SourceFile['imports'][number],
): Violation | undefined {
  const at = { path: source.path, line };
  // Experiments are no part of what they look at: they may reach into anything, and are started as processes.
  const intoLabs = target?.startsWith('labs/') === true || specifier === `${scope}labs`;
  if (intoLabs && source.package !== 'labs') return { ...at, message: 'imports a lab: nothing but a lab does' };
  if (specifier.startsWith('.')) {
    if (source.package === 'labs') return undefined;
    if (target !== undefined && source.package !== undefined && !target.startsWith(`${source.package}/`)) {
      return { ...at, message: `reaches into ${target} of another package: import that package by its name` };
    }
    return undefined;
  }
  if (!specifier.startsWith(scope)) return undefined;
  const [name = '', ...inside] = specifier.slice(scope.length).split('/');
  const may = allowed[source.package ?? ''] ?? [];
  if (specifier === `${scope}${httpTypes}` && typeOnly && (may.includes(httpTypes) || may.includes('contracts'))) return undefined;
  if (inside.length > 0) return { ...at, message: `imports the inside of ${scope}${name}: import its root` };
  if (importersOfApps.has(source.path) && apps.includes(name)) return undefined;
  if (may.includes(name) || (source.isTest && name === 'testing') || importsItself(source, specifier)) return undefined;
  return {
    ...at,
    message: `${source.package ?? source.path} must not import ${scope}${name}${apps.includes(name) ? ' (apps meet only on the wire)' : ''}`,
  };
}

/** A package that is imported stands in the importer's own package.json; tools of the root are for tests and infra alone. */
export function checkDeclared(sources: readonly SourceFile[], tree: Tree): Violation[] {
  const rootTools = declared('package.json', tree);
  return sources.flatMap((source) => {
    const manifest = source.package === undefined ? 'package.json' : `${source.package}/package.json`;
    const own = declared(manifest, tree);
    return source.imports.flatMap(({ specifier, line, typeOnly }) => {
      if (specifier.startsWith('.') || isBuiltin(specifier)) return [];
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const known =
        own.dependencies.has(name) ||
        importsItself(source, name) ||
        ((source.isTest || typeOnly || source.package === 'infra' || source.package === 'labs' || isConfigFile(source.path)) &&
          (own.devDependencies.has(name) || rootTools.devDependencies.has(name)));
      return known ? [] : [{ path: source.path, line, message: `${name} is not declared in ${manifest}` }];
    });
  });
}

const isConfigFile = (path: string): boolean => path.endsWith('.config.ts');

function declared(path: string, tree: Tree): { dependencies: Set<string>; devDependencies: Set<string> } {
  const manifest = JSON.parse(tree.read(path)) as { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };
  return {
    dependencies: new Set(Object.keys(manifest.dependencies ?? {})),
    devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
  };
}

/**
 * Folders of one level import each other in one direction, types included. A folder and the folders in it may import each other: the
 * parent puts its parts together. Circles of files are the linter's (`import/no-cycle`).
 */
export function checkFolderCircles(sources: readonly SourceFile[]): Violation[] {
  const edges = new Map<string, Map<string, string>>();
  for (const { path, imports } of sources) {
    const from = posix.dirname(path);
    for (const { target } of isProduct(path) ? imports : []) {
      const to = posix.dirname(target ?? path);
      if (`${from}/`.startsWith(`${to}/`) || to.startsWith(`${from}/`)) continue;
      edges.set(from, (edges.get(from) ?? new Map<string, string>()).set(to, path));
    }
  }
  const state = new Map<string, 'open' | 'done'>();
  const violations: Violation[] = [];
  const visit = (folder: string, trail: readonly string[]): void => {
    if (state.get(folder) === 'done') return;
    if (state.get(folder) === 'open') {
      const circle = [...trail.slice(trail.indexOf(folder)), folder];
      const through = circle.slice(1).map((to, index) => edges.get(circle[index]!)!.get(to)!);
      violations.push({ path: folder, message: `folders in a circle: ${circle.join(' -> ')}, by ${through.join(', ')}` });
      return;
    }
    state.set(folder, 'open');
    for (const to of edges.get(folder)?.keys() ?? []) visit(to, [...trail, folder]);
    state.set(folder, 'done');
  };
  for (const folder of edges.keys()) visit(folder, []);
  return violations;
}

/** No lib that the test kits are made of depends on them, not even for its tests: nx refuses such a circle. */
export function checkBelowTesting(tree: Tree): Violation[] {
  const below = new Set(['testing']);
  for (const name of below) for (const each of workspaceDependencies(tree, name)) below.add(each);
  return [...below]
    .filter((name) => workspaceDependencies(tree, name).includes('testing'))
    .map((name) => ({
      path: `libs/${name}/package.json`,
      message: `depends on ${scope}testing, which is made of it: tests that need both live in libs/testing`,
    }));
}

function workspaceDependencies(tree: Tree, name: string): string[] {
  const path = `libs/${name}/package.json`;
  if (!tree.files.includes(path)) return [];
  const { dependencies, devDependencies } = declared(path, tree);
  return [...dependencies, ...devDependencies].filter((each) => each.startsWith(scope)).map((each) => each.slice(scope.length));
}
