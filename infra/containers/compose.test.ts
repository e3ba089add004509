import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTls } from '@cloakroom/mesh';
import { serviceNames } from '../stack/stack.ports.ts';
import { drawStack } from '../stack/stack.ts';
import { drawCompose, drawPostgresOverlay, volumesOf } from './compose.ts';
import type { ComposeService } from './compose.ts';
import { handOut } from './hand-out-certificates.ts';
import { ownImage } from './images.ts';
import { drawObservability, drawPrometheus } from './observability.ts';

const infra = join(import.meta.dirname, '..');
const stack = drawStack({ provider: 'docker', base: 4000, dataDir: '/data', webDir: '/app/apps/web/dist' });
const compose = drawCompose({ base: 4000 });
const overlay = drawObservability();
const postgres = drawPostgresOverlay(4000);
const all = Object.entries({ ...compose.services, ...overlay.services, postgres: postgres.services['postgres']! }).filter(
  ([, service]) => 'image' in service,
);
const mounts = (service: ComposeService) => (service['volumes'] ?? []) as readonly string[];

it('compose has a container for each process of the drawing, and one more that makes certificates', () => {
  expect(Object.keys(compose.services)).toEqual(['certificates', ...stack.processes.map(({ name }) => name)]);
});

it('each service gets the settings that the drawing gives it, and nothing else', () => {
  for (const { name, run } of stack.processes) {
    if (run.kind !== 'app') continue;
    const { NODE_ENV, ...told } = compose.services[name]!['environment'] as Record<string, string>;
    expect(NODE_ENV).toBe('production');
    const secrets = Object.fromEntries(
      run.app.secrets.map((secret) => [secret, expect.stringMatching(new RegExp(`^\\$\\{${secret}:\\?`))]),
    );
    expect(told).toEqual({ ...run.app.env, ...secrets });
    expect(compose.services[name]!['command']).toEqual(['node', `apps/${run.app.app}/dist/main.js`]);
  }
});

it('each service starts after the parts that it needs are healthy', () => {
  for (const { name, needs, run } of stack.processes) {
    const { certificates, ...others } = (compose.services[name]!['depends_on'] ?? {}) as Record<string, { condition: string }>;
    expect(Object.keys(others).toSorted()).toEqual([...needs].toSorted());
    expect(Object.values(others).every(({ condition }) => condition === 'service_healthy')).toBe(true);
    expect(certificates?.condition).toBe(run.kind === 'app' ? 'service_completed_successfully' : undefined);
  }
});

it('only the gateways are published, on loopback, and all other parts are on a network without a way out', () => {
  const published = Object.entries(compose.services).flatMap(([name, service]) =>
    ((service['ports'] ?? []) as string[]).map((port) => `${name} ${port}`),
  );
  expect(published).toEqual(['gateway-1 127.0.0.1:4000:4000', 'gateway-2 127.0.0.1:4001:4001']);
  for (const [name, service] of Object.entries(compose.services)) {
    if (name === 'certificates') expect(service['network_mode']).toBe('none');
    else expect(service['networks']).toEqual(name.startsWith('gateway') ? ['edge', 'mesh'] : ['mesh']);
  }
  expect(compose.networks?.['mesh']).toEqual({ internal: true });
});

it.each(all)('%s has a read-only root, no capability, no new privilege, and bounds', (_, service) => {
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    mem_limit: expect.stringMatching(/^\d+m$/),
    pids_limit: expect.any(Number),
  });
  expect(service).not.toHaveProperty('privileged');
  expect(service).not.toHaveProperty('cap_add');
});

it('each service sees its own key and no other', () => {
  for (const { name, run } of stack.processes) {
    if (run.kind !== 'app') continue;
    expect(mounts(compose.services[name]!).filter((mount) => mount.startsWith('tls-'))).toEqual([`tls-${run.app.app}:/data/tls:ro`]);
  }
  const holders = Object.entries(compose.services).filter(([, service]) => volumesOf(service).includes('certificates'));
  expect(holders.map(([name]) => name)).toEqual(['certificates']);
});

it('every mounted file exists, and every mounted volume is declared', () => {
  const declared = Object.keys({ ...compose.volumes, ...overlay.volumes, ...postgres.volumes });
  const sources = all.flatMap(([, service]) => mounts(service).map((mount) => mount.split(':')[0]!));
  expect(sources.filter((source) => source.startsWith('.') && !existsSync(join(infra, source)))).toEqual([]);
  expect(sources.filter((source) => !source.startsWith('.') && !declared.includes(source))).toEqual([]);
});

it('every port moves with the base, and the project has another name there', () => {
  const other = drawCompose({ base: 31_500 });
  expect(other.name).toBe('cloakroom-31500');
  expect(JSON.stringify(other)).not.toMatch(/\b4[0-2]\d\d\b/);
});

it('Kafka’s garbage collector is chosen where its script looks for one, and nowhere else', () => {
  const { KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS } = compose.services['kafka']!['environment'] as Record<string, string>;
  expect(KAFKA_HEAP_OPTS).toMatch(/^-Xms\d+m -Xmx\d+m$/);
  // If the variable is unset or empty, the script adds a collector of its own choice.
  expect(KAFKA_JVM_PERFORMANCE_OPTS).toMatch(/-XX:\+UseSerialGC/);
});

it('no unnamed volume is left behind: every volume of Kafka’s image has a place', () => {
  const { tmpfs, volumes } = compose.services['kafka']! as unknown as Record<'tmpfs' | 'volumes', string[]>;
  const places = [...tmpfs.map((mount) => mount.split(':')[0]), ...volumes.map((mount) => mount.split(':')[1])];
  expect(places).toEqual(expect.arrayContaining(['/etc/kafka/secrets', '/mnt/shared/config', '/var/lib/kafka/data']));
});

it('the image is built once for all services, and never fetched from a registry', () => {
  const own = Object.entries(compose.services).filter(([, { image }]) => image === ownImage);
  // The services, two gateways, and the one that hands out certificates.
  expect(own).toHaveLength(serviceNames.length + 3);
  const built = Object.entries(compose.services).filter(([, service]) => 'build' in service);
  expect(built.map(([name]) => name)).toEqual(['certificates']);
  for (const [name, service] of own) {
    if (name === 'certificates') continue;
    expect(service['pull_policy']).toBe('never');
    expect(service['depends_on']).toHaveProperty('certificates');
  }
});

it('the container runs the Kafka that native fetches', () => {
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>(.*?)</.exec(
    readFileSync(join(infra, 'kafka', 'pom.xml'), 'utf8'),
  )?.[1];
  expect(compose.services['kafka']!['image']).toBe(`apache/kafka:${version}`);
});

it('every image is pinned to a version', () => {
  for (const [, service] of all) expect(service['image']).toMatch(/^[\w./-]+:(local|v?\d+\.\d+(\.\d+)?)$/);
});

it('the overlay for PostgreSQL has the settings of the drawing with PostgreSQL', () => {
  const drawn = drawStack({ provider: 'docker', base: 4000, dataDir: '/data', webDir: '/app/apps/web/dist', database: 'postgres' });
  expect(drawn.processes.map(({ name }) => name)).toContain('postgres');
  for (const { name, run, needs } of drawn.processes) {
    if (run.kind !== 'app') continue;
    const both = (key: string) => ({
      ...(compose.services[name]![key] as object),
      ...(postgres.services[name]?.[key] as object | undefined),
    });
    expect(both('environment')).toMatchObject(run.app.env);
    for (const secret of run.app.secrets) expect(both('environment')).toHaveProperty(secret);
    expect(Object.keys(both('depends_on')).toSorted()).toEqual(['certificates', ...needs].toSorted());
  }
});

it('every service is asked for its metrics on the port of its readiness', () => {
  const [job] = drawPrometheus().scrape_configs;
  const apps = stack.processes.filter(({ run }) => run.kind === 'app');
  expect(job!.static_configs.flatMap(({ targets }) => targets)).toEqual(
    apps.map(({ name, health }) => `${name}:${health.kind === 'http' ? new URL(health.urls[0]!).port : ''}`),
  );
  expect(Object.keys(overlay.services)).toEqual([...apps.map(({ name }) => name), 'jaeger', 'prometheus', 'grafana']);
});

it('each service can read its certificate, which has its own name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cloakroom-handout-'));
  const again = () => handOut(join(folder, 'all'), join(folder, 'own'), ['auth', 'cart']);
  await again();
  const first = await readTls(join(folder, 'own', 'auth'), 'auth');
  expect(existsSync(join(folder, 'own', 'auth', 'cart.key'))).toBe(false);
  // The second start must not make new certificates: else the services of the first would refuse each other.
  await again();
  expect((await readTls(join(folder, 'own', 'auth'), 'auth')).ca.equals(first.ca)).toBe(true);
  rmSync(folder, { recursive: true });
});
