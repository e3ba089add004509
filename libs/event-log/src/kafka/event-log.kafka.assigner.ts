/**
 * How the members of a group share the partitions of several topics, and how the partitions share a fetch. A record key has the same partition
 * number in each of the topics. So one member owns partition p of all topics, and works on a key alone. kafkajs' own assigner does so only where
 * the members happen to divide the partitions.
 *
 * Subtlety: the broker lets a member in only when it offers an assigner that every member has. Members of an older build have kafkajs' own. So both
 * are offered. While an older build runs, a key may have two owners, and the handler must bear it.
 */
import kafkajs from 'kafkajs';
import type { Assigner, ConsumerConfig, PartitionAssigner } from 'kafkajs';

const { AssignerProtocol, PartitionAssigners } = kafkajs;

export const samePartitions: PartitionAssigner = ({ cluster }): Assigner => {
  const name = 'SamePartitionsAssigner';
  const version = 0;
  return {
    name,
    version,
    assign({ members, topics }) {
      const partitionsOf = (topic: string) => cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      const owners = members.map(({ memberId }) => memberId).sort();
      return Promise.resolve(
        owners.map((memberId, at) => {
          const isIts = (partition: number): boolean => partition % owners.length === at;
          const assignment = Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic).filter(isIts)]));
          return {
            memberId,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment, userData: Buffer.alloc(0) }),
          };
        }),
      );
    },
    protocol: ({ topics }) => ({ name, metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.alloc(0) }) }),
  };
};

/**
 * So little that all partitions of a few topics fit into one fetch of 10 MB. By default ten partitions with a backlog fill it, and the other topics
 * wait. A larger batch comes when its partition is the first in a fetch that has anything; kafkajs shuffles them.
 */
const maxBytesPerPartition = 64 * 1024;

/** For a reader of one topic nothing changes. */
export const settingsFor = (topicCount: number): Pick<ConsumerConfig, 'partitionAssigners' | 'maxBytesPerPartition'> =>
  topicCount > 1 ? { partitionAssigners: [samePartitions, PartitionAssigners.roundRobin], maxBytesPerPartition } : {};
