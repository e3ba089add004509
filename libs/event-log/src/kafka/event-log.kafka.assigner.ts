/**
 * How the members of a group share the partitions of several topics. A record key has the same partition number in each of them. So one member
 * owns partition p of all topics, and works on a key alone. kafkajs' own assigner does so only where the members happen to divide the partitions.
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

/** For a reader of one topic nothing changes. */
export const assignersFor = (topicCount: number): Pick<ConsumerConfig, 'partitionAssigners'> =>
  topicCount > 1 ? { partitionAssigners: [samePartitions, PartitionAssigners.roundRobin] } : {};
