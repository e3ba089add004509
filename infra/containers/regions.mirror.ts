/**
 * MirrorMaker 2 of a region by Strimzi, and the topics that it writes: examples/strimzi-region-eu.yaml and -us.yaml. Each setting comes from the file
 * that `npm start -- --profile regions` runs (infra/kafka/mirror/mirror.properties), so the two say the same.
 */
import { mirroredTopic } from '@cloakroom/contracts';
import { mirrorProperties } from '../native/mirror.ts';
import { mirroredTopics } from '../ocean/mirrored-topics.ts';
import { nameAbroad, otherRegion, type RegionName } from './regions.ts';
import { copies, topicResource } from './strimzi-topics.ts';

/** Kafka's listener for the other region: TLS, and a certificate of each caller. */
const abroadPort = 9094;
/** The image of Strimzi with infra/kafka/mirror/OriginHeaders.java in its plugins. */
const mirrorImage = 'images.example.com/cloakroom-mirror:0.1.0';

/** The place of a property in Strimzi's resource. Undefined: the resource says it in another way, or it is for one machine. */
type Place = readonly ['worker' | 'connector', string] | undefined;

/** The first pattern that fits a name counts. */
const places = (here: RegionName, there: RegionName): readonly (readonly [RegExp, (rest: string) => Place])[] => [
  [new RegExp(`^${there}->${here}\\.consumer\\.(.+)$`), (rest) => ['connector', `consumer.${rest}`]],
  [new RegExp(`^${there}->${here}\\.(transforms.*)$`), (rest) => ['connector', rest]],
  [new RegExp(`^${here}\\.producer\\.(.+)$`), (rest) => ['connector', `producer.override.${rest}`]],
  // The same line once more, for MirrorMaker as a process of its own.
  [/^plugin\.discovery$/, () => undefined],
  [new RegExp(`^${here}\\.bootstrap\\.servers$|^${there}\\.|->|^clusters$|^tasks\\.max$`), () => undefined],
  [new RegExp(`^${here}\\.(.+)$`), (rest) => ['worker', rest]],
  [/^((?:offset|status|config)\.storage\..+)$/, (rest) => ['worker', rest]],
  // No checkpoints are made, and nobody reads MirrorMaker's own heartbeats.
  [/^(?:checkpoints|heartbeats)\.|^emit\.|^refresh\.groups|^sync\.group/, () => undefined],
  [/^(.+)$/, (rest) => ['connector', rest]],
];

/** The one broker of a laptop has one copy of everything. */
const valueOf = (name: string, value: string): string => (name.endsWith('replication.factor') ? String(copies.replicas) : value);

/** @returns the settings of Connect's worker, and those of the connector that copies */
export function mirrorSettings(here: RegionName): Readonly<Record<'worker' | 'connector', Readonly<Record<string, string>>>> {
  const there = otherRegion(here);
  const settings = { worker: {} as Record<string, string>, connector: {} as Record<string, string> };
  for (const line of mirrorProperties({ here, there, brokerHere: '', brokerThere: '' }).split('\n')) {
    const [, name, value] = /^([^#=]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [pattern, placed] = places(here, there).find(([one]) => one.test(name))!;
    const place = placed(pattern.exec(name)![1] ?? '');
    if (place !== undefined) settings[place[0]][place[1]] = valueOf(name, value!);
  }
  return settings;
}

/** The topics that MirrorMaker of `here` writes. They have to be there before a service reads them, with the partitions of their origin. */
function copiedTopics(here: RegionName): object[] {
  return mirroredTopics.map((topic) => topicResource(mirroredTopic(topic, otherRegion(here))));
}

function mirror(here: RegionName): object {
  const there = otherRegion(here);
  const { worker, connector } = mirrorSettings(here);
  const own = (what: string) => `__cloakroom-mirror-${what}`;
  return {
    apiVersion: 'kafka.strimzi.io/v1',
    kind: 'KafkaMirrorMaker2',
    metadata: { name: 'cloakroom-mirror' },
    spec: {
      replicas: 2,
      image: mirrorImage,
      target: {
        alias: here,
        bootstrapServers: 'cloakroom-kafka-bootstrap:9092',
        groupId: 'cloakroom-mirror',
        configStorageTopic: own('config'),
        offsetStorageTopic: own('offset'),
        statusStorageTopic: own('status'),
        config: worker,
      },
      mirrors: [
        {
          source: {
            alias: there,
            bootstrapServers: `${nameAbroad('kafka', there)}:${abroadPort}`,
            tls: { trustedCertificates: [{ secretName: `kafka-ca-of-${there}`, certificate: 'ca.crt' }] },
            authentication: {
              type: 'tls',
              certificateAndKey: { secretName: `kafka-user-in-${there}`, certificate: 'user.crt', key: 'user.key' },
            },
          },
          // As it was measured. A partition keeps its order with any number of tasks.
          sourceConnector: { tasksMax: 1, config: connector },
          topicsPattern: mirroredTopics.map(({ name }) => name.replaceAll('.', String.raw`\.`)).join('|'),
        },
      ],
      resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
    },
  };
}

export const strimziOfRegion = (here: RegionName): object[] => [...copiedTopics(here), mirror(here)];
