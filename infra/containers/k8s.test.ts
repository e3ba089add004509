/** The promises of the manifests, and the proof that a cluster accepts them. CI asks no real cluster: docs/deploy.md says so. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Certificate, Issuer } from '@kubernetes-models/cert-manager/cert-manager.io/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { drawStack, meshNames } from '../stack/stack.ts';
import type { AppName } from '../stack/stack.ts';
import { edges, labelsOfStorage, storages } from './cluster.ts';
import { environmentOf, kustomizationOf } from './overlays.fixture.ts';
import type { Storage } from './cluster.ts';

const folder = join(import.meta.dirname, '..', 'k8s');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Every kind that we write, and the schema that judges it. */
const kinds = {
  Deployment,
  Service,
  ServiceAccount,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  HorizontalPodAutoscaler,
  Ingress,
  Certificate,
  Issuer,
};

function resourcesOf(text: string): Resource[] {
  const documents = [parseAllDocuments(text, { version: '1.1' })].flat();
  return documents.flatMap((document) => ('toJS' in document ? [document.toJS() as Resource] : []));
}

/** @returns the objections of the schemas of Kubernetes and cert-manager */
function objections(resource: Resource): string {
  const Kind = kinds[resource.kind as keyof typeof kinds] as unknown as new (data: unknown) => { apiVersion: string; validate(): void };
  if (Kind === undefined) return `no schema for ${resource.kind}`;
  const model = new Kind(resource);
  if (new Kind({}).apiVersion !== resource.apiVersion) return `${resource.kind} is not of ${resource.apiVersion}`;
  try {
    model.validate();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const baseOfAll = kustomizationOf('base');

const files = globSync('{base,overlays/*,components/*}/*.yaml', { cwd: folder }).filter((path) => !path.endsWith('kustomization.yaml'));
const base = files.filter((path) => path.startsWith('base')).flatMap((path) => resourcesOf(read(path)));
const find = <T>(kind: string, name: string) => base.find((one) => one.kind === kind && one.metadata.name === name) as T;
const deployment = (name: AppName) => find<IDeployment>('Deployment', name);
const pod = (name: AppName) => deployment(name).spec!.template.spec!;
const stack = drawStack({ provider: 'docker', base: 4000, dataDir: '/data', webDir: '/app/apps/web/dist' });
const drawn = (name: AppName) => stack.processes.find(({ run }) => run.kind === 'app' && run.app.app === name)!;

it.each(files)('%s is valid by the schemas of Kubernetes and cert-manager', (path) => {
  const resources = resourcesOf(read(path));
  expect(resources.length).toBeGreaterThan(0);
  for (const resource of resources) expect([resource.metadata.name, objections(resource)]).toEqual([resource.metadata.name, '']);
});

it.each([
  ['a field of another type', (text: string) => text.replace('replicas: 2', 'replicas: two')],
  [
    'a field missing',
    (text: string) => text.replace('  selector:\n    matchLabels:\n      app.kubernetes.io/name: cart\n  strategy', '  strategy'),
  ],
  ['another version', (text: string) => text.replace('apps/v1', 'apps/v1beta1')],
  ['another kind', (text: string) => text.replace('kind: Deployment', 'kind: Deploymint')],
])('refuses a manifest with %s', (_, plant) => {
  const [good, broken] = [read('base/cart.yaml'), plant(read('base/cart.yaml'))];
  expect(broken).not.toBe(good);
  expect(resourcesOf(broken).map(objections).join('')).not.toBe('');
});

describe.each(meshNames)('%s', (name) => {
  const { run, ports } = drawn(name);
  const container = () => pod(name).containers[0]!;

  it('listens where the drawing says, and its Service leads there', () => {
    expect(container().ports!.map(({ containerPort }) => containerPort)).toEqual(ports);
    const service = find<{ spec: { ports: { port: number; targetPort: string }[]; selector: object } }>('Service', name);
    expect(service.spec.ports.map(({ port }) => port)).toEqual(ports);
    expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(container().ports!.map((port) => port.name));
    expect(service.spec.selector).toEqual(deployment(name).spec!.template.metadata!.labels);
    expect(container().args).toEqual(['node', `apps/${name}/dist/main.js`]);
  });

  it('gets the settings of the drawing from its ConfigMap or a Secret, and nothing else', () => {
    const maps = container().envFrom!.map(({ configMapRef }) => configMapRef!.name!);
    expect(maps).toEqual(['gateway', 'auth'].includes(name) ? ['edge', name] : [name]);
    const config = environmentOf(name, [baseOfAll]);
    const referred = container().env!.map((one) => one.name);
    const env = run.kind === 'app' ? run.app.env : {};
    const secrets = run.kind === 'app' ? run.app.secrets : [];
    expect([...Object.keys(config), ...referred].toSorted()).toEqual([...Object.keys(env), ...secrets].toSorted());
    const other = Object.keys(config).filter((key) => config[key] !== env[key]);
    expect(other.filter((key) => !['PROVIDER', 'KAFKA_BROKERS', 'PUBLIC_ORIGINS', 'SEED_ACCOUNTS'].includes(key))).toEqual([]);
    expect(config['SEED_ACCOUNTS'] ?? 'false').toBe('false');
    for (const one of container().env!) expect('value' in one).toBe(false);
  });

  it('is probed on the port that serves probes, and leaves the endpoints before it ends', () => {
    const port = container().ports!.at(-1)!.name;
    const { startupProbe, readinessProbe, livenessProbe, lifecycle } = container();
    expect([startupProbe, readinessProbe, livenessProbe].map((probe) => probe!.httpGet)).toEqual([
      { path: '/healthz', port },
      { path: '/readyz', port },
      { path: '/healthz', port },
    ]);
    // process.ts needs 8 s to stop at most.
    expect(pod(name).terminationGracePeriodSeconds).toBeGreaterThan(lifecycle!.preStop!.sleep!.seconds + 8);
    expect(find('PodDisruptionBudget', name)).toMatchObject({ spec: { maxUnavailable: 1, selector: deployment(name).spec!.selector } });
  });

  it('passes the restricted profile, and holds no key to the cluster', () => {
    expect(pod(name)).toMatchObject({
      serviceAccountName: name,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container().resources).toMatchObject({ requests: { memory: expect.any(String) }, limits: { memory: expect.any(String) } });
    expect(find('ServiceAccount', name)).toMatchObject({ automountServiceAccountToken: false });
    const kinds = new Set(pod(name).volumes!.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name')));
    expect([...kinds].toSorted()).toEqual(['emptyDir', 'secret']);
  });

  it('has a certificate with the name that the mesh looks for, in the files that it reads', () => {
    expect(find('Certificate', `tls-${name}`)).toMatchObject({
      spec: {
        commonName: name,
        dnsNames: [name],
        secretName: `tls-${name}`,
        usages: expect.arrayContaining(['server auth', 'client auth']),
      },
    });
    const tls = pod(name).volumes!.find((volume) => volume.name === 'tls')!.secret!;
    expect(tls.items!.map(({ path }) => path)).toEqual(['ca.pem', `${name}.pem`, `${name}.key`]);
    expect(container().volumeMounts).toContainEqual({ name: 'tls', mountPath: '/data/tls', readOnly: true });
  });
});

it('every service has two replicas or more', () => {
  for (const name of meshNames) if (name !== 'gateway') expect(deployment(name).spec!.replicas).toBeGreaterThanOrEqual(2);
  expect(deployment('gateway').spec).not.toHaveProperty('replicas');
  expect(find('HorizontalPodAutoscaler', 'gateway')).toMatchObject({ spec: { minReplicas: 2, scaleTargetRef: { name: 'gateway' } } });
});

it('only the gateways and auth see the MAC key', () => {
  const holders = meshNames.filter((name) => pod(name).containers[0]!.env!.some((one) => one.name === 'SESSION_MAC_KEY'));
  expect(holders).toEqual(['gateway', 'auth']);
});

it.each(['KEY_ENCRYPTION_KEY', 'REFRESH_TOKEN_KEY'])('only auth sees %s', (key) => {
  const holders = meshNames.filter((name) => pod(name).containers[0]!.env!.some((one) => one.name === key));
  expect(holders).toEqual(['auth']);
});

describe('network policies', () => {
  const policy = (name: string) => find<INetworkPolicy>('NetworkPolicy', name).spec!;
  const appLabel = (name: string) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/name': name } } });

  it('deny by default, both ways, to every pod of the shop', () => {
    expect(policy('deny-all')).toEqual({
      podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: meshNames }] },
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  it.each(meshNames)('let %s reach what the drawing says that it needs, and no more', (name) => {
    const { needs, run } = drawn(name);
    const env = run.kind === 'app' ? run.app.env : {};
    const reached = policy(name).egress!.map(({ to, ports }) => JSON.stringify([to![0], ports![0]!.port]));
    const calls = meshNames
      .filter((other) => needs.some((need) => need === other))
      .map((other) => [appLabel(other), drawn(other).ports[0]]);
    const looks = name === 'gateway' ? (['auth', 'cart'] as const).map((other) => [appLabel(other), drawn(other).ports[1]]) : [];
    const told: [Storage, string][] = [
      ['kafka', 'KAFKA_BROKERS'],
      ['redis-sessions', 'SESSION_REDIS_URL'],
      ['redis-carts', 'CART_REDIS_URL'],
      ['postgres', 'DATABASE_URL'],
    ];
    const stores = told
      .filter(([, variable]) => variable in env)
      .map(([store]) => [{ podSelector: { matchLabels: labelsOfStorage(store, name) } }, storages[store].port]);
    expect(reached.toSorted()).toEqual([...calls, ...looks, ...stores].map((one) => JSON.stringify(one)).toSorted());
  });

  it('open at the callee exactly what they open at the caller', () => {
    for (const name of meshNames) {
      const opened = policy(name).ingress!.flatMap(({ from, ports }) =>
        from!.map((peer) => [peer.podSelector?.matchLabels, ports![0]!.port] as const),
      );
      const fromPods = opened
        .filter(([labels]) => labels !== undefined)
        .map(([labels, port]) => `${labels!['app.kubernetes.io/name']} ${port}`);
      expect(fromPods.toSorted()).toEqual(
        edges()
          .filter(({ to }) => to === name)
          .map(({ from, port }) => `${from} ${port}`)
          .toSorted(),
      );
    }
  });

  it('let the stores of sessions and carts be reached by their one owner', () => {
    const reaching = (store: Storage) =>
      edges()
        .filter(({ to }) => to === store)
        .map(({ from }) => from);
    expect(reaching('redis-sessions')).toEqual(['auth']);
    expect(reaching('redis-carts')).toEqual(['cart']);
    expect(reaching('kafka')).toEqual(meshNames.filter((name) => name !== 'catalog'));
    expect(reaching('postgres')).toEqual(['auth', 'profile', 'catalog', 'orders']);
  });

  it('let people in at the gateway and nowhere else', () => {
    const open = meshNames.filter((name) => JSON.stringify(policy(name).ingress).includes('cloakroom.example/edge'));
    expect(open).toEqual(['gateway']);
  });
});

describe('overlays/example', () => {
  const overlay = kustomizationOf('overlays/example');

  it('names files that exist, the image of the base, and the issuer that its certificates ask for', () => {
    const own = overlay.resources!.filter((path) => path.endsWith('.yaml'));
    expect(files).toEqual(expect.arrayContaining(own.map((path) => join('overlays', 'example', path))));
    expect(overlay.images!.map(({ name }) => name)).toEqual([pod('cart').containers[0]!.image]);
    const issuers = resourcesOf(read('overlays/example/issuer.yaml'))
      .filter(({ kind }) => kind === 'Issuer')
      .map(({ metadata }) => metadata.name);
    expect(issuers).toContain(find<{ spec: { issuerRef: { name: string } } }>('Certificate', 'tls-cart').spec.issuerRef.name);
  });

  it('leads people to the gateway by the name of its port', () => {
    const [ingress] = resourcesOf(read('overlays/example/ingress.yaml'));
    expect(JSON.stringify(ingress)).toContain('"service":{"name":"gateway","port":{"name":"http"}}');
    expect(find<{ spec: { ports: { name: string }[] } }>('Service', 'gateway').spec.ports.map(({ name }) => name)).toEqual(['http']);
  });
});
