/**
 * Two regions in two clusters: each connection is told at one end and open at both, and MirrorMaker is told what the one of `--profile regions` is
 * told. The schemas of Kubernetes judge these files in k8s.test.ts, and the services read their settings in overlays.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { mirrorProperties } from '../native/mirror.ts';
import { meshNames } from '../stack/stack.ts';
import { servicePorts } from './cluster.ts';
import { environmentOf, kustomizationOf } from './overlays.fixture.ts';
import { dialsOf, nameAbroad, networkOf, otherRegion, regionNames, type RegionName } from './regions.ts';
import { mirrorSettings } from './regions.mirror.ts';

const folder = join(import.meta.dirname, '..', 'k8s');
const read = <Document>(path: string): Document[] =>
  [parseAllDocuments(readFileSync(join(folder, path), 'utf8'))].flat().flatMap((one) => ('toJS' in one ? [one.toJS() as Document] : []));
const policyOf = (region: RegionName, name: string) =>
  read<INetworkPolicy>(`components/region-${region}/network-policies.yaml`).find(({ metadata }) => metadata!.name === `${name}-abroad`)
    ?.spec;
const doorsOf = (region: RegionName) => read<IService>(`components/region-${region}/doors.yaml`);
const environment = (region: RegionName, name: (typeof meshNames)[number]) =>
  environmentOf(name, [kustomizationOf('base'), kustomizationOf(`components/region-${region}`)]);
const port = (name: (typeof meshNames)[number]) => servicePorts(name)[0]!.port;

describe.each(regionNames)('%s', (here) => {
  const there = otherRegion(here);

  it('tells every service its region, and where the auth of the other one is', () => {
    for (const name of meshNames) {
      const env = environment(here, name);
      expect([env['REGION'], env['OTHER_REGIONS']]).toEqual([here, `${there}=${nameAbroad('auth', there)}:${port('auth')}`]);
      expect(env['FORMER_REGION']).toBe(name === 'gateway' ? 'local=eu' : undefined);
    }
  });

  it('lets each service out to what it dials, in the network of the other region alone', () => {
    for (const name of meshNames) {
      const dialled = new Set(dialsOf(here).flatMap(({ from, to }) => (from === name ? [port(to)] : [])));
      const egress = policyOf(here, name)?.egress ?? [];
      expect([name, egress.map(({ ports }) => ports![0]!.port)]).toEqual([name, [...dialled]]);
      for (const { to } of egress) expect(to).toEqual([{ ipBlock: { cidr: networkOf[there] } }]);
    }
  });

  it('opens a door for what the other region dials, and lets nothing else in', () => {
    const dialled = [...new Set(dialsOf(there).map(({ to }) => to))].toSorted();
    expect(dialled).toEqual(expect.arrayContaining(['auth', 'profile']));
    expect(
      doorsOf(here)
        .map(({ spec }) => spec!.selector!['app.kubernetes.io/name']!)
        .toSorted(),
    ).toEqual(dialled);
    for (const { spec } of doorsOf(here)) expect(spec!.loadBalancerSourceRanges).toEqual([networkOf[there]]);
    for (const name of meshNames) {
      const ingress = policyOf(here, name)?.ingress ?? [];
      const wanted = dialled.some((one) => one === name) ? [[{ ipBlock: { cidr: networkOf[there] } }, port(name)]] : [];
      expect(ingress.map(({ from, ports }) => [from![0], ports![0]!.port])).toEqual(wanted);
    }
  });

  it('holds every connection of the drawing: an address that is told names a door of the other region', () => {
    const told = meshNames.flatMap((name) =>
      Object.values(environment(here, name)).flatMap((value) => new RegExp(`^${there}=(.+):(\\d+)$`).exec(value)?.slice(1).join(' ') ?? []),
    );
    const doors = doorsOf(there).map(({ spec }) => {
      const name = spec!.selector!['app.kubernetes.io/name']!;
      return `${nameAbroad(name, there)} ${spec!.ports![0]!.port}`;
    });
    expect([...new Set(told)].toSorted()).toEqual(doors.toSorted());
  });
});

/** The fields of Strimzi that we use. A field that it does not have would be dropped by a cluster, or refused. */
const config = z.record(z.string(), z.union([z.string(), z.number()]));
const certificate = z.strictObject({ secretName: z.string(), certificate: z.string() });
const named = z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() });
const strimzi = z.discriminatedUnion('kind', [
  z.strictObject({
    apiVersion: z.literal('kafka.strimzi.io/v1'),
    kind: z.literal('KafkaTopic'),
    metadata: named,
    spec: z.strictObject({ topicName: z.string(), partitions: z.int(), replicas: z.int(), config }),
  }),
  z.strictObject({
    apiVersion: z.literal('kafka.strimzi.io/v1'),
    kind: z.literal('KafkaMirrorMaker2'),
    metadata: named,
    spec: z.strictObject({
      replicas: z.int(),
      image: z.string(),
      target: z.strictObject({
        alias: z.string(),
        bootstrapServers: z.string(),
        groupId: z.string(),
        configStorageTopic: z.string(),
        offsetStorageTopic: z.string(),
        statusStorageTopic: z.string(),
        config,
      }),
      mirrors: z.tuple([
        z.strictObject({
          source: z.strictObject({
            alias: z.string(),
            bootstrapServers: z.string(),
            tls: z.strictObject({ trustedCertificates: z.tuple([certificate]) }),
            authentication: z.strictObject({ type: z.literal('tls'), certificateAndKey: certificate.extend({ key: z.string() }) }),
          }),
          sourceConnector: z.strictObject({ tasksMax: z.int(), config }),
          topicsPattern: z.string(),
        }),
      ]),
      resources: z.strictObject({ requests: config, limits: config }),
    }),
  }),
]);

describe.each(regionNames)('examples/strimzi-region-%s.yaml', (here) => {
  const there = otherRegion(here);
  const file = `examples/strimzi-region-${here}.yaml`;
  const documents = read<unknown>(file).map((one) => strimzi.parse(one));
  const topics = documents.flatMap((one) => (one.kind === 'KafkaTopic' ? [one.spec] : []));
  const [mirror] = documents.flatMap((one) => (one.kind === 'KafkaMirrorMaker2' ? [one.spec] : []));

  it('copies each topic of the other region into one that is there with as many partitions', () => {
    const own = read<{ spec: { topicName: string; partitions: number } }>('examples/strimzi-topics.yaml');
    const pattern = new RegExp(`^(?:${mirror!.mirrors[0].topicsPattern})$`);
    const copied = own.filter(({ spec }) => pattern.test(spec.topicName));
    expect(copied.map(({ spec }) => spec.topicName).toSorted()).toEqual([
      'cart.events',
      'identity.events',
      'order.events',
      'session.revocations',
    ]);
    expect(topics.map(({ topicName, partitions }) => [topicName, partitions])).toEqual(
      expect.arrayContaining(copied.map(({ spec }) => [`${there}.${spec.topicName}`, spec.partitions])),
    );
    expect(topics).toHaveLength(copied.length);
    expect('cartXevents').not.toMatch(pattern);
  });

  it('writes this region and reads the other one, with three copies of everything', () => {
    expect([mirror!.target.alias, mirror!.mirrors[0].source.alias]).toEqual([here, there]);
    expect(mirror!.mirrors[0].source.bootstrapServers).toBe(`kafka.${there}.shop.example.com:9094`);
    const all = { ...mirror!.target.config, ...mirror!.mirrors[0].sourceConnector.config };
    const copies = Object.entries(all).filter(([name]) => name.endsWith('replication.factor'));
    expect(copies.length).toBeGreaterThanOrEqual(5);
    expect(new Set(copies.map(([, value]) => value))).toEqual(new Set(['3']));
  });

  it('is told each setting that MirrorMaker of --profile regions is told, once', () => {
    const { worker, connector } = mirrorSettings(here);
    expect([mirror!.target.config, mirror!.mirrors[0].sourceConnector.config]).toEqual([worker, connector]);
    const lines = mirrorProperties({ here, there, brokerHere: '', brokerThere: '' })
      .split('\n')
      .filter((line) => /^[^#]+=/.test(line))
      .map((line) => line.split('=')[0]!);
    const short = (name: string) =>
      name
        .replace(`${there}->${here}.`, '')
        .replace(/^(eu|us)\.producer\./, 'producer.override.')
        .replace(/^(eu|us)\./, '');
    const placed = new Set([...Object.keys(worker), ...Object.keys(connector)]);
    const left = lines.map(short).filter((name) => !placed.has(name));
    // The resource says these elsewhere, or switches them off by leaving them out.
    expect(left.toSorted()).toEqual(
      [
        'bootstrap.servers',
        'bootstrap.servers',
        'clusters',
        'tasks.max',
        'enabled',
        'topics',
        `${here}->${there}.enabled`,
        `${here}->${there}.emit.heartbeats.enabled`,
        'checkpoints.topic.replication.factor',
        'heartbeats.topic.replication.factor',
        'emit.checkpoints.enabled',
        'emit.heartbeats.interval.seconds',
        'refresh.groups.enabled',
        'sync.group.offsets.enabled',
      ].toSorted(),
    );
    expect(connector).toMatchObject({
      'transforms.origin.type': 'cloakroom.OriginHeaders',
      'offset-syncs.topic.location': 'target',
      'consumer.auto.offset.reset': 'earliest',
      'producer.override.acks': 'all',
    });
    expect(worker).toMatchObject({ 'offset.flush.interval.ms': '1000', 'plugin.discovery': 'service_load' });
  });

  it.each([
    ['a field of another version of Strimzi', (text: string) => text.replace('  target:', '  connectCluster: eu\n  target:')],
    ['an older version', (text: string) => text.replaceAll('kafka.strimzi.io/v1', 'kafka.strimzi.io/v1beta2')],
    ['a number as text', (text: string) => text.replace('partitions: 24', "partitions: '24'")],
  ])('is refused with %s', (_, plant) => {
    const good = readFileSync(join(folder, file), 'utf8');
    const broken = plant(good);
    expect(broken).not.toBe(good);
    const judged = [parseAllDocuments(broken)].flat().map((one) => strimzi.safeParse('toJS' in one ? one.toJS() : {}).success);
    expect(judged).toContain(false);
  });
});

it('the image of the mirror has the transform that its settings name, where Connect looks for it', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '..', 'kafka', 'mirror', 'Dockerfile'), 'utf8');
  expect(dockerfile).toContain('COPY infra/kafka/mirror/OriginHeaders.java');
  expect(dockerfile).toContain('META-INF/services/org.apache.kafka.connect.transforms.Transformation');
  expect(dockerfile).toContain('/opt/kafka/plugins/');
});
