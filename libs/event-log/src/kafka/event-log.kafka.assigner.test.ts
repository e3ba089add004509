import kafkajs from 'kafkajs';
import type { PartitionAssigner } from 'kafkajs';
import { expect, it } from 'vitest';
import { samePartitions, settingsFor } from './event-log.kafka.assigner.ts';

const { AssignerProtocol, PartitionAssigners } = kafkajs;
const topics = ['cart.events', 'us.cart.events'];
const partitions = Array.from({ length: 24 }, (_, partitionId) => ({ partitionId }));
const cluster = { findTopicPartitionMetadata: () => partitions };

/** The owners of each partition of the topics, in their order. */
async function ownersBy(assigner: PartitionAssigner, memberCount: number): Promise<string[][]> {
  const config = { cluster, groupId: 'g', logger: undefined } as unknown as Parameters<PartitionAssigner>[0];
  const members = Array.from({ length: memberCount }, (_, n) => ({ memberId: `member-${n}`, memberMetadata: Buffer.alloc(0) }));
  const shares = await assigner(config).assign({ members: members.toReversed(), topics });
  return partitions.map(({ partitionId }) =>
    topics.map((topic) =>
      shares
        .filter(({ memberAssignment }) =>
          AssignerProtocol.MemberAssignment.decode(memberAssignment)!.assignment[topic]?.includes(partitionId),
        )
        .map(({ memberId }) => memberId)
        .join(' and '),
    ),
  );
}

it.each([1, 2, 3, 5, 7, 24, 30])('of %i members one owns partition p of both topics', async (memberCount) => {
  const owners = await ownersBy(samePartitions, memberCount);
  for (const [one, other] of owners) expect([other, one]).toEqual([one, expect.stringMatching(/^member-\d+$/)]);
  expect(new Set(owners.map(([one]) => one)).size).toBe(Math.min(memberCount, 24));
});

it("kafkajs' own assigner does so by luck alone, and is offered for members of an older build", async () => {
  const torn = async (memberCount: number) =>
    (await ownersBy(PartitionAssigners.roundRobin, memberCount)).some(([one, other]) => one !== other);
  expect([await torn(2), await torn(5)]).toEqual([false, true]);
  expect(settingsFor(2).partitionAssigners).toEqual([samePartitions, PartitionAssigners.roundRobin]);
  expect(settingsFor(1)).toEqual({});
});
