/** The event log's contract: members of a group, and handlers that are slow or end early. */
import { RetryLater } from '../event-log.ts';
import type { Subscription } from '../event-log.ts';
import { expect, it, vi } from 'vitest';
import { byNumber, numbers, patience, text, unique } from './event-log.kit.contract.ts';
import type { Part } from './event-log.kit.contract.ts';

/** Longer than the session time-out of 6 s. */
const slowHandlerMs = 7_000;

export function groups({ under, newTopic, subscribe, numbered }: Part): void {
  // Longer because it is a list of promises, read one by one.
  const partitionsOf = (subscription: Subscription) => subscription.assigned().map(({ partition }) => partition);

  it('shares the partitions over the members of a group, and gives them back', async () => {
    const topic = await newTopic(4);
    const group = unique('group');
    const revoked: number[] = [];
    const one = await subscribe({
      topics: [topic],
      group,
      onRevoked: (partitions) => void revoked.push(...partitions.map(({ partition }) => partition)),
    });
    await vi.waitFor(() => expect(partitionsOf(one.subscription)).toHaveLength(4), patience);
    const two = await subscribe({ topics: [topic], group }, under().other);
    await vi.waitFor(() => {
      expect(partitionsOf(one.subscription)).toHaveLength(2);
      expect(partitionsOf(two.subscription)).toHaveLength(2);
    }, patience);
    expect(new Set(revoked)).toEqual(new Set([0, 1, 2, 3]));
    await under().log.publish(
      topic,
      [0, 1, 2, 3].map((partition) => ({ key: 'k', value: Buffer.from(String(partition)), partition })),
    );
    await vi.waitFor(() => expect(byNumber([...one.values(), ...two.values()])).toEqual(numbers(4)), patience);
    expect(new Set(one.records.map(({ partition }) => partition))).toEqual(new Set(partitionsOf(one.subscription)));
    await two.subscription.stop();
    expect(two.subscription.assigned()).toEqual([]);
    await vi.waitFor(() => expect(partitionsOf(one.subscription)).toHaveLength(4), patience);
  });

  it('gives partition p of several topics to one member, however many members divide them', async () => {
    const topics = [await newTopic(3), await newTopic(3)];
    const group = unique('group');
    const members = [await subscribe({ topics, group }), await subscribe({ topics, group }, under().other)];
    const ascending = (one: number, other: number): number => one - other;
    const shareOf = ({ subscription }: (typeof members)[number], name: string): number[] =>
      subscription
        .assigned()
        .flatMap(({ topic, partition }) => (topic === name ? [partition] : []))
        .toSorted(ascending);
    await vi.waitFor(() => {
      for (const member of members) expect(shareOf(member, topics[0]!.name)).toEqual(shareOf(member, topics[1]!.name));
      expect(members.map((member) => shareOf(member, topics[0]!.name).length).toSorted(ascending)).toEqual([1, 2]);
    }, patience);
  });

  it('takes a member that reads one topic more into the group of one that does not, and the other way round', async () => {
    const [before, added] = [await newTopic(2), await newTopic(2)];
    const group = unique('group');
    const older = await subscribe({ topics: [before], group });
    await vi.waitFor(() => expect(older.subscription.assigned()).toHaveLength(2), patience);
    const newer = await subscribe({ topics: [before, added], group }, under().other);
    await vi.waitFor(() => expect(newer.subscription.assigned().map(({ topic }) => topic)).toContain(before.name), patience);
    await older.subscription.stop();
    await vi.waitFor(() => expect(newer.subscription.assigned()).toHaveLength(4), patience);
    for (const topic of [before, added]) await under().log.publish(topic, numbered(10));
    await vi.waitFor(() => expect(newer.records).toHaveLength(20), patience);
  });

  it('gives one member more than there are partitions a share too: an empty one', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    const one = await subscribe({ topics: [topic], group });
    const two = await subscribe({ topics: [topic], group }, under().other);
    await vi.waitFor(() => {
      expect(partitionsOf(one.subscription).length + partitionsOf(two.subscription).length).toBe(1);
      expect([one.subscription.unassignedMs(), two.subscription.unassignedMs()]).toEqual([0, 0]);
    }, patience);
  });

  it('measures lag as what was published and not committed', async () => {
    const topic = await newTopic(2);
    const group = unique('group');
    const lag = async () =>
      (await under().log.lag(group, topic)).toSorted((a, b) => a.partition - b.partition).map(({ records }) => records);
    await under().log.publish(
      topic,
      Array.from({ length: 3 }, () => ({ key: 'k', value: null, partition: 1 })),
    );
    expect(await lag()).toEqual([0n, 3n]);
    const { subscription, records } = await subscribe({ topics: [topic], group });
    await vi.waitFor(() => expect(records).toHaveLength(3), patience);
    await vi.waitFor(async () => expect(await lag()).toEqual([0n, 0n]), patience);
    await subscription.stop();
    await under().log.publish(topic, [{ key: 'k', value: null, partition: 1 }]);
    expect(await lag()).toEqual([0n, 1n]);
  });

  it('goes on where it committed when a member stops and comes back', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    await under().log.publish(topic, numbered(3));
    const before = await subscribe({ topics: [topic], group });
    await vi.waitFor(() => expect(before.values()).toEqual(numbers(3)), patience);
    await before.subscription.stop();
    await under().log.publish(topic, numbered(2, 3));
    const after = await subscribe({ topics: [topic], group }, under().other);
    await vi.waitFor(() => expect(after.values()).toEqual(numbers(2, 3)), patience);
    expect(before.values()).toEqual(numbers(3));
  });

  it('hands over again what was applied and not committed', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    await under().log.publish(topic, numbered(3));
    const applied: string[] = [];
    const first = await subscribe({
      topics: [topic],
      group,
      handler: (batch) => {
        applied.push(...batch.records.map(text));
        throw new RetryLater('ended between apply and commit');
      },
    });
    await vi.waitFor(() => expect(applied.slice(0, 3)).toEqual(numbers(3)), patience);
    await first.subscription.stop();
    const second = await subscribe({ topics: [topic], group });
    await vi.waitFor(() => expect(second.values()).toEqual(numbers(3)), patience);
  });

  it('lets a handler be slower than the session, and hands its batch over once', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    const seen: string[] = [];
    let revocations = 0;
    await subscribe({
      topics: [topic],
      group,
      onRevoked: () => void revocations++,
      handler: async (batch) => {
        seen.push(...batch.records.map(text));
        if (seen.length === 1) await new Promise((resolve) => setTimeout(resolve, slowHandlerMs));
      },
    });
    await under().log.publish(topic, numbered(1));
    await vi.waitFor(() => expect(seen).toEqual(['0']), patience);
    await under().log.publish(topic, numbered(1, 1));
    await vi.waitFor(() => expect(seen).toEqual(['0', '1']), patience);
    expect(revocations).toBe(0);
  });

  it('waits for the handler in progress when it stops, and commits what it did', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    let finished = false;
    let begun = false;
    const { subscription } = await subscribe({
      topics: [topic],
      group,
      handler: async () => {
        begun = true;
        await new Promise((resolve) => setTimeout(resolve, 500));
        finished = true;
      },
    });
    await under().log.publish(topic, numbered(1));
    await vi.waitFor(() => expect(begun).toBe(true), patience);
    await subscription.stop();
    expect(finished).toBe(true);
    expect((await under().log.lag(group, topic))[0]?.records).toBe(0n);
  });
}
