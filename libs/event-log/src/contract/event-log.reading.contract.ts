/** The event log's contract: writing and reading. */
import { partitionOf } from '@cloakroom/contracts';
import { expect, it, vi } from 'vitest';
import { numbers, patience, text, unique } from './event-log.kit.contract.ts';
import type { Part } from './event-log.kit.contract.ts';

export function publishing({ under, newTopic, subscribe, numbered }: Part): void {
  // Longer because it is a list of promises, read one by one.
  it('keeps the order of a key, and puts it where murmur2 says', async () => {
    const topic = await newTopic();
    const sent = numbered(200);
    await Promise.all(sent.map((record) => under().log.publish(topic, [record])));
    const { records } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(records).toHaveLength(sent.length), patience);
    for (const key of new Set(sent.map((record) => record.key))) {
      const expected = sent.filter((record) => record.key === key).map(({ value }) => String(value));
      expect(records.filter((record) => record.key === key).map(text)).toEqual(expected);
    }
    for (const { key, partition } of records) expect(partition).toBe(partitionOf(key, topic));
  });

  it('answers with one position a record, in order, and it is where the record is', async () => {
    const topic = await newTopic();
    const positions = await under().log.publish(topic, numbered(20));
    const { records } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(records).toHaveLength(20), patience);
    expect(positions).toHaveLength(20);
    for (const [i, { partition, offset }] of positions.entries()) {
      const found = records.find((record) => record.partition === partition && record.offset === offset);
      expect(found && text(found)).toBe(String(i));
    }
  });

  it('round-trips headers, bytes, empty values and tombstones', async () => {
    const topic = await newTopic(1);
    const headers = { type: Buffer.from('event'), bytes: Buffer.from([0, 1, 255]), empty: Buffer.alloc(0) };
    await under().log.publish(topic, [
      { key: 'ключ', value: Buffer.from([255, 0, 10]), headers },
      { key: 'k', value: Buffer.alloc(0) },
      { key: 'k', value: null },
    ]);
    const { records } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(records).toHaveLength(3), patience);
    expect(records[0]).toMatchObject({ key: 'ключ', value: Buffer.from([255, 0, 10]), headers, offset: 0n, partition: 0 });
    expect(records[1]?.value).toEqual(Buffer.alloc(0));
    expect(records[2]?.value).toBeNull();
    expect(Math.abs((records[0]?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('refuses what repeating cannot help: an unknown topic, too many bytes, a partition that is not there', async () => {
    const topic = await newTopic();
    const unknown = { ...topic, name: unique('unknown') };
    const fatal = { name: 'EventLogError', kind: 'fatal', outcomeUnknown: false };
    // A broker with other work may not say in time that it has no such topic. Then the caller may try again, and does.
    await vi.waitFor(() => expect(under().log.publish(unknown, numbered(1))).rejects.toMatchObject(fatal), patience);
    await expect(under().log.publish(topic, [{ key: 'k', value: Buffer.alloc(2_000_000) }])).rejects.toMatchObject(fatal);
    await expect(under().log.publish(topic, [{ key: 'k', value: null, partition: 3 }])).rejects.toMatchObject(fatal);
    await expect(under().log.publish(topic, numbered(1))).resolves.toHaveLength(1);
  });

  it('ensures a topic twice, and never with other partitions', async () => {
    const topic = await newTopic();
    await under().other.ensureTopics([topic]);
    await expect(under().other.ensureTopics([{ ...topic, partitions: 4 }])).rejects.toMatchObject({ kind: 'fatal' });
  });

  it('tells which log it is', async () => {
    const first = await under().log.describe();
    expect(first.clusterId.length).toBeGreaterThan(10);
    expect(await under().other.describe()).toEqual(first);
  });
}

export function reading({ under, newTopic, subscribe, numbered }: Part): void {
  // Longer because it is a list of promises, read one by one.
  it('gives a new group everything, or only what comes after it', async () => {
    const topic = await newTopic(1);
    await under().log.publish(topic, numbered(3));
    const all = await subscribe({ topics: [topic] });
    const late = await subscribe({ topics: [topic], from: 'latest' });
    await vi.waitFor(() => expect(all.records).toHaveLength(3), patience);
    await late.subscription.ready;
    await vi.waitFor(() => expect(late.subscription.lastHeardMs()).toBeDefined(), patience);
    await under().log.publish(topic, numbered(2, 3));
    await vi.waitFor(() => expect(late.records.length).toBeGreaterThan(0), patience);
    await vi.waitFor(() => expect(all.values()).toEqual(numbers(5)), patience);
    expect(late.values()).toEqual(['3', '4']);
  });

  it('replays from the start after a seek', async () => {
    const topic = await newTopic(1);
    await under().log.publish(topic, numbered(5));
    const { subscription, values } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(values()).toEqual(numbers(5)), patience);
    subscription.seek(topic.name, 0, 0n);
    await vi.waitFor(() => expect(values()).toEqual([...numbers(5), ...numbers(5)]), patience);
  });

  it('hands nothing over before onAssigned is done, and begins where it sought, whatever was committed', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    await under().log.publish(topic, numbered(5));
    const first = await subscribe({ topics: [topic], group });
    await vi.waitFor(() => expect(first.values()).toEqual(numbers(5)), patience);
    await first.subscription.stop();
    let assigned = false;
    const early: string[] = [];
    const seen: string[] = [];
    const second = await subscribe({
      topics: [topic],
      group,
      onAssigned: async (partitions, control) => {
        expect(partitions).toEqual([{ topic: topic.name, partition: 0 }]);
        control.seek(topic.name, 0, 2n);
        await under().log.publish(topic, numbered(1, 5));
        // Longer than a fetch takes: the fetched records must be dropped.
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        assigned = true;
      },
      handler: (batch) => {
        (assigned ? seen : early).push(...batch.records.map(text));
        return Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(seen).toEqual(['2', '3', '4', '5']), patience);
    await second.subscription.ready;
    expect(early).toEqual([]);
  });

  it('obeys a seek from the handler instead of committing', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    await under().log.publish(topic, numbered(4));
    const seen: string[] = [];
    let back = true;
    await subscribe({
      topics: [topic],
      group,
      handler: (batch, control) => {
        seen.push(...batch.records.map(text));
        if (back) control.seek(topic.name, 0, 1n);
        back = false;
        return Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(seen).toEqual([...numbers(4), ...numbers(3, 1)]), patience);
  });

  it('hands over at most 2,000 records of at most 500 keys at once and says when the end was reached', async () => {
    const topic = await newTopic(1);
    const count = 3_600;
    const keyOf = (n: number): string => (n < 1_200 ? `key ${n}` : 'one key');
    for (let from = 0; from < count; from += 400)
      await under().log.publish(
        topic,
        numbered(400, from).map((record, index) => ({ ...record, key: keyOf(from + index) })),
      );
    const { batches, values } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(values()).toEqual(numbers(count)), patience);
    const reached = batches.map(({ records, highWatermark }) => records.at(-1)!.offset + 1n === highWatermark);
    expect(batches.filter(({ records }) => records.length > 2_000 || new Set(records.map(({ key }) => key)).size > 500)).toEqual([]);
    expect(reached.slice(0, -1)).toEqual(batches.slice(0, -1).map(() => false));
    expect(reached.at(-1)).toBe(true);
    const nowMs = under().monotonicMs();
    for (const { fetchStartedMs } of batches) expect(fetchStartedMs).toBeLessThanOrEqual(nowMs);
    expect(nowMs - batches.at(-1)!.fetchStartedMs).toBeLessThan(20_000);
  });

  it('finds offsets by time and bounds', async () => {
    const topic = await newTopic(2);
    const [first] = await under().log.publish(topic, [{ key: 'k', value: Buffer.from('0'), partition: 0 }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await under().log.publish(topic, [{ key: 'k', value: Buffer.from('1'), partition: 0 }]);
    const { records } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(records).toHaveLength(2), patience);
    expect(first?.offset).toBe(0n);
    const at = records[1]!.timestampMs;
    expect(await under().log.offsetsByTime(topic, at)).toEqual(
      new Map([
        [0, 1n],
        [1, 0n],
      ]),
    );
    expect(await under().log.offsetsByTime(topic, 0)).toEqual(
      new Map([
        [0, 0n],
        [1, 0n],
      ]),
    );
    expect(await under().log.offsetsByTime(topic, at + 60_000)).toEqual(
      new Map([
        [0, 2n],
        [1, 0n],
      ]),
    );
    expect(await under().log.bounds(topic)).toEqual(
      new Map([
        [0, { first: 0n, next: 2n }],
        [1, { first: 0n, next: 0n }],
      ]),
    );
  });

  it('pauses and resumes a partition', async () => {
    const topic = await newTopic(2);
    const { subscription, values } = await subscribe({ topics: [topic] });
    await subscription.ready;
    subscription.pause([{ topic: topic.name, partition: 0 }]);
    await under().log.publish(topic, [{ key: 'k', value: Buffer.from('held'), partition: 0 }]);
    await under().log.publish(topic, [{ key: 'k', value: Buffer.from('free'), partition: 1 }]);
    await vi.waitFor(() => expect(values()).toContain('free'), patience);
    expect(values()).toEqual(['free']);
    subscription.resume([{ topic: topic.name, partition: 0 }]);
    await vi.waitFor(() => expect(values()).toEqual(['free', 'held']), patience);
  });
}
