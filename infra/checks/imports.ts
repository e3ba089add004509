/** The dependency rule, whole: imports point down; apps meet only on the wire. */
import { isBuiltin } from 'node:module';
import type { SourceFile } from './sources.ts';
import type { Tree, Violation } from './tree.ts';

const scope = '@cloakroom/';
const apps = ['gateway', 'auth', 'cart', 'profile', 'catalog', 'orders', 'web'];

/** The one door beside a root: types of the gateway's answers, for all that may import contracts, and for the page. It has no code. */
const httpTypes = 'contracts/http';
const shared = ['contracts', 'platform', 'event-log', 'mesh', 'identity'];

/** Package -> the workspace packages that it may import. What is not listed may import none. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'libs/contracts': [],
  'libs/session': ['contracts'],
  'libs/platform': ['contracts'],
  'libs/event-log': ['contracts', 'platform'],
  'libs/mesh': ['contracts', 'platform'],
  'libs/identity': ['contracts', 'platform', 'event-log', 'mesh'],
  // No lib that it depends on may depend on it: contracts and platform are tested here where they need it.
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
const belowTesting = new Set(['libs/contracts', 'libs/platform']);
/** The composition root may import an app, by its one door. So may tests of what the apps are told: they ask each what it takes, no more. */
const importersOfApps = new Set(['infra/embedded.ts', 'infra/containers/overlays.test.ts', 'infra/checks/environment-names.test.ts']);

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
  if (may.includes(name) || (source.isTest && name === 'testing' && !belowTesting.has(source.package ?? ''))) return undefined;
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

/** No circle of imports at run time: in a circle no file can be read first. */
export function checkCycles(sources: readonly SourceFile[]): Violation[] {
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((one) => !one.typeOnly && one.target !== undefined).map((one) => one.target!),
    ]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const violations: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const circle = [...trail.slice(trail.indexOf(path)), path];
      violations.push({ path, message: `import circle: ${circle.join(' -> ')}` });
      return;
    }
    state.set(path, 'open');
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of edges.keys()) visit(path, []);
  return violations;
}
