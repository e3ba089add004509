/** The dependency rule, whole: imports point down; apps meet only on the wire. It speaks of tags, which each project carries. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Project } from './project-graph.ts';
import { isExample, isProduct, type SourceFile } from './sources.ts';
import type { Tree, Violation } from './tree.ts';

const scope = '@cloakroom/';

/** The first door beside a root: types of the gateway's answers, for all that may import contracts, and for the page. It has no code. */
const httpTypes = `${scope}contracts/http`;
/**
 * The other doors. The platform has three: what each process needs but for metrics, databases, and Redis. A process loads only what it goes in by. The
 * trainee's cookie and id come without protobuf, for the Observatory's page. Each is the same lib, so whoever may import that may come in here.
 */
const doors: ReadonlySet<string> = new Set([
  ...['process-life', 'database', 'redis'].map((door) => `${scope}platform/${door}`),
  `${scope}contracts/trainee`,
]);
const shared = ['layer:contracts', 'layer:platform', 'layer:event-log', 'layer:mesh', 'layer:identity'];
const everything = '*';

/** Tag -> the tags that a project with it may import. A project may import what any of its tags allows. The tags stand in each package.json. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'layer:contracts': [],
  'layer:session': ['layer:contracts'],
  'layer:platform': ['layer:contracts'],
  'layer:event-log': ['layer:contracts', 'layer:platform'],
  'layer:mesh': ['layer:contracts', 'layer:platform'],
  'layer:identity': ['layer:contracts', 'layer:platform', 'layer:event-log', 'layer:mesh'],
  // It answers at the points of services by a seam of platform. Nobody imports it, and the image that ships lacks it.
  'layer:faults': ['layer:contracts', 'layer:platform'],
  'layer:testing': ['layer:contracts', 'layer:platform'],
  'layer:app': shared,
  // The gateway knows cookies, auth owns sessions; no other app knows what a session is.
  'holds:session': ['layer:session'],
  'layer:page': [],
  'layer:infra': [...shared, 'layer:session', 'layer:testing'],
  'layer:e2e': [...shared, 'layer:infra', 'layer:testing'],
  'layer:labs': [everything],
  'layer:tools': [],
};

/** Every project says where it stands; otherwise the rule would not bind it. */
export function checkTags(projects: readonly Project[]): Violation[] {
  return projects.flatMap(({ root, tags }) => {
    const path = `${root}/package.json`;
    const layers = tags.filter((tag) => tag.startsWith('layer:'));
    const unknown = tags.filter((tag) => !(tag in mayImport) && !tag.startsWith('npm:'));
    return [
      ...(layers.length === 1 ? [] : [{ path, message: `has ${layers.length} tags "layer:..." in nx.tags: one says where it stands` }]),
      ...unknown.map((tag) => ({ path, message: `the tag ${tag} is not in the rule (infra/checks/imports.ts)` })),
    ];
  });
}

/** The composition root may import an app, by its one door. So may tests of what the apps are told: they ask each what it takes, no more. */
const importersOfApps = new Set(['infra/embedded.ts', 'infra/containers/overlays.test.ts', 'infra/checks/environment-names.test.ts']);

/** An example names its own library as its reader will. */
const importsItself = (source: SourceFile, name: string): boolean =>
  isExample(source.path) && source.package === `libs/${name.slice(scope.length)}`;

export function checkBoundaries(sources: readonly SourceFile[], projects: readonly Project[]): Violation[] {
  const tagsOf = {
    folder: new Map(projects.map(({ root, tags }) => [root, tags])),
    name: new Map(projects.map(({ name, tags }) => [name, tags])),
  };
  return sources.flatMap((source) => source.imports.flatMap((one) => boundaryViolation(source, one, tagsOf) ?? []));
}

type Tags = ReadonlyMap<string, readonly string[]>;

function boundaryViolation(
  source: SourceFile,
  { specifier, line, target, typeOnly }: SourceFile['imports'][number],
  tagsOf: { readonly folder: Tags; readonly name: Tags },
): Violation | undefined {
  const at = { path: source.path, line };
  const own = tagsOf.folder.get(source.package ?? '') ?? [];
  const inLabs = own.includes('layer:labs');
  // Experiments are no part of what they look at: they may reach into anything, and are started as processes.
  const intoLabs = target?.startsWith('labs/') === true || tagsOf.name.get(specifier)?.includes('layer:labs') === true;
  if (intoLabs && !inLabs) return { ...at, message: 'imports a lab: nothing but a lab does' };
  if (specifier.startsWith('.')) {
    if (inLabs) return undefined;
    if (target !== undefined && source.package !== undefined && !target.startsWith(`${source.package}/`)) {
      return { ...at, message: `reaches into ${target} of another package: import that package by its name` };
    }
    return undefined;
  }
  if (!specifier.startsWith(scope)) return undefined;
  const [name = '', ...inside] = specifier.slice(scope.length).split('/');
  const its = tagsOf.name.get(`${scope}${name}`) ?? [];
  const may = own.flatMap((tag) => mayImport[tag] ?? []);
  if (specifier === httpTypes && typeOnly && (own.includes('layer:page') || may.includes('layer:contracts') || may.includes(everything)))
    return undefined;
  if (inside.length > 0 && !doors.has(specifier)) return { ...at, message: `imports the inside of ${scope}${name}: import its root` };
  const isApp = its.includes('layer:app') || its.includes('layer:page');
  if (importersOfApps.has(source.path) && isApp) return undefined;
  if (may.includes(everything) || its.some((tag) => may.includes(tag))) return undefined;
  if (source.isTest && its.includes('layer:testing')) return undefined;
  if (importsItself(source, specifier)) return undefined;
  return {
    ...at,
    message: `${source.package ?? source.path} must not import ${scope}${name}${isApp ? ' (apps meet only on the wire)' : ''}`,
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
