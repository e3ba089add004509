/** Tests of the Dockerfile as text, for faults that still build. The suite `containers` builds and runs it. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { meshNames } from '../stack/stack.ts';

const repository = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const dockerfile = read('infra/Dockerfile').replaceAll('\\\n', ' ');
const manifest = (folder: string) => JSON.parse(read(`${folder}/package.json`)) as { name: string; dependencies?: Record<string, string> };
const stages = dockerfile.split(/^(?=FROM )/m).slice(1);
const final = stages.at(-1)!;

/** Folders of the workspaces, as npm sees them. */
const workspaces = globSync(['apps/*/package.json', 'libs/*/package.json', 'infra/package.json', 'e2e/package.json', 'labs/package.json'], {
  cwd: repository,
}).map((path) => path.replaceAll('\\', '/').replace('/package.json', ''));

it('npm sees every workspace: else npm ci finds the lock file wrong', () => {
  for (const folder of workspaces) expect(dockerfile).toContain(`COPY ${folder}/package.json ${folder}/\n`);
});

it('the image ships the services and the libraries that they link to, and no more', () => {
  const names = new Map(workspaces.map((folder) => [manifest(folder).name, folder]));
  const shipped = new Set<string>();
  const add = (folder: string) => {
    if (shipped.has(folder)) return;
    shipped.add(folder);
    for (const name of Object.keys(manifest(folder).dependencies ?? {})) if (names.has(name)) add(names.get(name)!);
  };
  for (const name of meshNames) add(`apps/${name}`);
  const copied = [...dockerfile.matchAll(/^COPY --from=build \/app\/(\S+)\/dist \1\/dist$/gm)].map(([, folder]) => folder!);
  expect(copied.toSorted()).toEqual([...shipped, 'apps/web'].toSorted());
  const installed = [...stages.find((stage) => stage.includes('AS production'))!.matchAll(/--workspace (\S+)/g)].map(
    ([, folder]) => folder!,
  );
  expect(installed.toSorted()).toEqual(meshNames.map((name) => `apps/${name}`).toSorted());
});

it('no file of the image can switch a fault on: the provider, its SDK and the Observatory are left out', () => {
  // The services know the seam alone. A package of its own answers there, and none of them depends on it.
  const inFinal = [...dockerfile.matchAll(/^COPY --from=build (.*)$/gm)].map(([, paths]) => paths!);
  expect(inFinal.filter((paths) => /faults|observatory/.test(paths))).toEqual([]);
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { dependencies?: Record<string, string> }> };
  const installed = new Set<string>();
  const add = (name: string): void => {
    if (installed.has(name)) return;
    installed.add(name);
    const folder = workspaces.find((each) => manifest(each).name === name);
    for (const next of Object.keys(lock.packages[folder ?? `node_modules/${name}`]?.dependencies ?? {})) add(next);
  };
  for (const name of meshNames) add(manifest(`apps/${name}`).name);
  expect(installed.size).toBeGreaterThan(50);
  expect([...installed].filter((name) => /^@openfeature|^@cloakroom\/(?:faults|observatory)$/.test(name))).toEqual([]);
});

it('the build gets the files that it copies, and nothing else of this machine', () => {
  const [deny, ...rules] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(deny).toBe('*');
  const allowed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources!.trim().split(/\s+/));
  expect(copied.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  expect(copied.filter((path) => !allowed.some((one) => path === one || path.startsWith(`${one}/`)))).toEqual([]);
  expect(rules).toEqual(expect.arrayContaining(['**/node_modules', '**/dist', '**/.env']));
});

it('the image runs as a user by number that is not root, and has the folders for its mounts', () => {
  expect(/^USER (.*)$/m.exec(final)?.[1]).toBe('1000:1000');
  expect(final).toMatch(/chown -R 1000:1000 \/data \/certificates \/handout$/m);
  for (const name of meshNames) expect(final).toMatch(new RegExp(` /handout/${name}\\b`));
  expect(final).toMatch(/^HEALTHCHECK .*infra\/containers\/healthcheck\.mjs/m);
});

it('all stages use one base image, by a name that a release replaces with a digest', () => {
  expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24-slim$/m);
  const bases = stages.map((stage) => /^FROM (\S+)/.exec(stage)![1]!);
  const own = new Set(stages.flatMap((stage) => /^FROM \S+ AS (\S+)/.exec(stage)?.[1] ?? []));
  expect(bases.filter((base) => !own.has(base))).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}']);
});

it('the image holds no secret', () => {
  expect(dockerfile).not.toMatch(/SESSION_MAC_KEY|PASSWORD|TOKEN|--mount=type=secret/i);
});

it('nothing that ships has the Observatory: no image, no compose file, no Kubernetes overlay', () => {
  const [, ...rest] = dockerfile.split('AS production');
  expect(rest.join('')).not.toMatch(/observatory/i);
  const shipped = globSync(['infra/compose*.yaml', 'infra/k8s/**/*.yaml'], { cwd: repository });
  expect(shipped.length).toBeGreaterThan(10);
  for (const path of shipped) expect([path, /observatory_|observatory:|apps\/observatory/i.test(read(path))]).toEqual([path, false]);
});
