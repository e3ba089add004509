/**
 * An example for operators that run Kafka with Strimzi: the contract's topics as KafkaTopic resources.
 * Without them the services make the topics.
 */
import { deadLetterTopic, topics } from '@cloakroom/contracts';
import type { TopicSpec } from '@cloakroom/contracts';

/** For three brokers, of which one may fail. */
export const copies = { replicas: 3, inSync: 2 };

export function drawTopics(): object[] {
  const owned: readonly TopicSpec[] = [...Object.values(topics), deadLetterTopic(topics.cartEvents)];
  return owned.map(topicResource);
}

export const topicResource = ({ name, partitions, cleanup, retentionMs }: TopicSpec): object => ({
  apiVersion: 'kafka.strimzi.io/v1',
  kind: 'KafkaTopic',
  metadata: { name: name.replaceAll('.', '-'), labels: { 'strimzi.io/cluster': 'cloakroom' } },
  spec: {
    topicName: name,
    // Part of the contract: a cart stays in its partition for ever.
    partitions,
    replicas: copies.replicas,
    config: {
      'cleanup.policy': cleanup,
      ...(cleanup === 'delete' && { 'retention.ms': retentionMs }),
      'min.insync.replicas': copies.inSync,
    },
  },
});
