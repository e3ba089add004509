/** Compares docs/deploy.md with the drawing: its names and numbers. The suite `containers` runs its commands for compose. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { drawStack, meshNames } from '../stack/stack.ts';
import { appSpecs, secretRefs } from './cluster.ts';
import { engineMajorMin } from '../launch/docker.ts';
import { pageUrls } from './observability.ts';

const repository = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(repository, 'docs', 'deploy.md'), 'utf8');
const commands = text
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => /^(docker|kubectl) /.test(line));
const rows = (heading: string) =>
  text
    .split(`## ${heading}\n`)[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, first]) => !first!.startsWith('-'));

it('the commands for compose and for kubectl name files and folders that exist', () => {
  const named = commands.flatMap((command) => [...command.matchAll(/--(?:file|filename|kustomize) (\S+)/g)].map(([, path]) => path!));
  expect(named).toEqual(expect.arrayContaining(['infra/compose.yaml', 'infra/k8s/overlays/example']));
  expect(named.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  expect(existsSync(join(repository, 'infra/k8s/overlays/example/kustomization.yaml'))).toBe(true);
});

it('compose returns once the shop serves, and the page says which engine can do that', () => {
  const ups = commands.filter((command) => /^docker compose .* up /.test(command));
  expect(ups).toHaveLength(3);
  for (const command of ups) expect(command).toMatch(/ --wait$/);
  expect(text).toContain(`Docker Engine ${engineMajorMin} or newer`);
});

it('the namespace is made from the overlay’s own file, before anything is put into it', () => {
  const inCluster = commands.filter((command) => command.startsWith('kubectl '));
  expect(inCluster.filter((command) => command.startsWith('kubectl create namespace'))).toEqual([]);
  const made = inCluster.indexOf('kubectl apply --filename infra/k8s/overlays/example/namespace.yaml');
  expect(made).toBeGreaterThanOrEqual(0);
  expect(inCluster.findIndex((command) => command.includes('--namespace cloakroom'))).toBeGreaterThan(made);
});

it('the page names the warning of Valkey, which no container can change', () => {
  expect(text).toContain('`vm.overcommit_memory`');
});

it('the page makes every secret that a service needs and that is made nowhere else', () => {
  const made = commands.flatMap((command) => {
    const [, name, key] = /create secret generic (\S+) .*--from-literal=(\w+)=/.exec(command) ?? [];
    return name === undefined ? [] : [`${name} ${key}`];
  });
  const wanted = meshNames.flatMap((name) => secretRefs(name, appSpecs[name].app).map(({ secret, key }) => `${secret} ${key}`));
  const byOperator = wanted.filter((one) => one.endsWith('-database-app uri'));
  expect(byOperator.toSorted()).toEqual(['auth', 'catalog', 'orders', 'profile'].map((name) => `${name}-database-app uri`));
  expect(made.toSorted()).toEqual([...new Set(wanted)].filter((one) => !byOperator.includes(one)).toSorted());
});

it('the page says which service reads which secret', () => {
  const table = rows('Secrets').filter(([, variable]) => /^[A-Z_]+$/.test(variable!));
  const readers = (variable: string) =>
    meshNames.filter((name) => secretRefs(name, appSpecs[name].app).some((one) => one.variable === variable)).toSorted();
  expect(table.map(([, variable, who]) => [variable, who!.split(', ').toSorted()])).toEqual(
    table.map(([, variable]) => [variable, readers(variable!)]),
  );
  expect(table).toHaveLength(6);
});

it('the page lists the ports of every process', () => {
  const { processes } = drawStack({ provider: 'docker', base: 4000, dataDir: '/data', database: 'postgres' });
  const listed = Object.fromEntries(rows('Ports and probes').map(([, name, ports]) => [name, ports]));
  expect(listed).toEqual(Object.fromEntries(processes.map(({ name, ports }) => [name, ports.join(', ')])));
});

it('the page has the addresses of the observability overlay', () => {
  const { jaeger, prometheus, grafana } = pageUrls();
  for (const url of [jaeger, prometheus, grafana]) expect(text).toContain(url);
});

it('.vscode/launch.json uses a port that npm start can open', () => {
  const launch = JSON.parse(readFileSync(join(repository, '.vscode', 'launch.json'), 'utf8')) as { inputs: { default: string }[] };
  expect(launch.inputs[0]!.default).toBe('9229');
});
