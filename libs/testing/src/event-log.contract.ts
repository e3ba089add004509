/**
 * What every event log must keep, whatever is behind it. Run against the embedded log in process and against real Kafka.
 * Faults that only a real broker can have (a lost answer, a killed member) stand beside the Kafka adapter.
 */
import { randomBytes } from 'node:crypto';
import { deadLetterTopic, partitionOf, recordHeaders } from '@cloakroom/contracts';
import type { TopicSpec } from '@cloakroom/contracts';
import { RetryLater } from '@cloakroom/platform';
import type { EventLog, LogRecord, OutgoingRecord, RecordBatch, SubscribeOptions, Subscription } from '@cloakroom/platform';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

export interface EventLogUnderTest {
  readonly log: EventLog;
  /** A second, independent client of the same log; the same object where all share one. */
  readonly other: EventLog;
  monotonicMs(): number;
  /** Makes the log answer nobody (a paused broker), until `speak`. */
  silence(): void;
  speak(): void;
  close(): Promise<void>;
}

/** Rebalances in a real group take seconds. */
const patience = { timeout: 20_000, interval: 20 };
/** Longer than the session time-out of 6 s. */
const slowHandlerMs = 7_000;
const publishBoundMs = 2_500;
/** For timers on a machine with two busy cores. */
const toleranceMs = 400;

const unique = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`;

export function eventLogContract(name: string, setUp: () => Promise<EventLogUnderTest>): void {
  describe(`event log contract: ${name}`, { timeout: 60_000 }, () => {
    let under: EventLogUnderTest;
    let running: Subscription[] = [];

    beforeAll(async () => {
      under = await setUp();
    });
    afterEach(async () => {
      await Promise.all(running.map((subscription) => subscription.stop()));
      running = [];
    });
    afterAll(() => under.close());

    async function newTopic(partitions = 3, extra: Partial<TopicSpec> = {}): Promise<TopicSpec> {
      const topic: TopicSpec = { name: unique('contract'), partitions, cleanup: 'delete', retentionMs: 3_600_000, ...extra };
      await under.log.ensureTopics([topic]);
      return topic;
    }

    async function subscribe(options: Partial<SubscribeOptions> & Pick<SubscribeOptions, 'topics'>, log = under.log) {
      const records: LogRecord[] = [];
      const batches: RecordBatch[] = [];
      const subscription = await log.subscribe({
        group: unique('group'),
        from: 'earliest',
        handler: (batch) => {
          batches.push(batch);
          records.push(...batch.records);
          return Promise.resolve();
        },
        ...options,
      });
      running.push(subscription);
      return { subscription, records, batches, values: () => records.map(text) };
    }

    const numbered = (count: number, from = 0): OutgoingRecord[] =>
      Array.from({ length: count }, (_, i) => ({ key: `key-${i % 5}`, value: Buffer.from(String(from + i)) }));

    const part: Part = { under: () => under, newTopic, subscribe, numbered };
    describe('publishing', () => publishing(part));
    describe('reading', () => reading(part));
    describe('groups', () => groups(part));
    describe('failing handlers', () => failing(part));
    describe('silence', () => silence(part));
  });
}

interface Part {
  under(): EventLogUnderTest;
  newTopic(partitions?: number, extra?: Partial<TopicSpec>): Promise<TopicSpec>;
  subscribe(
    options: Partial<SubscribeOptions> & Pick<SubscribeOptions, 'topics'>,
    log?: EventLog,
  ): Promise<{ subscription: Subscription; records: LogRecord[]; batches: RecordBatch[]; values(): string[] }>;
  numbered(count: number, from?: number): OutgoingRecord[];
}

const text = (record: LogRecord): string => String(record.value);
const byNumber = (values: readonly string[]): string[] => values.toSorted((a, b) => Number(a) - Number(b));
const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(from + i));

function publishing({ under, newTopic, subscribe, numbered }: Part): void {
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
    await expect(under().log.publish(unknown, numbered(1))).rejects.toMatchObject(fatal);
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

function reading({ under, newTopic, subscribe, numbered }: Part): void {
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
        // Longer than a fetch takes: what it returned must be dropped.
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

  it('hands over at most 500 records at once and says when the end was reached', async () => {
    const topic = await newTopic(1);
    for (let n = 0; n < 1_200; n += 400) await under().log.publish(topic, numbered(400, n));
    const { batches, values } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(values()).toEqual(numbers(1_200)), patience);
    const reached = batches.map(({ records, highWatermark }) => records.at(-1)!.offset + 1n === highWatermark);
    expect(batches.every(({ records }) => records.length <= 500)).toBe(true);
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

function groups({ under, newTopic, subscribe, numbered }: Part): void {
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
    expect(one.records.map(({ partition }) => partition).toSorted()).toEqual(partitionsOf(one.subscription).toSorted());
    await two.subscription.stop();
    expect(two.subscription.assigned()).toEqual([]);
    await vi.waitFor(() => expect(partitionsOf(one.subscription)).toHaveLength(4), patience);
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

  it('waits for the handler in progress when it stops', async () => {
    const topic = await newTopic(1);
    let finished = false;
    let begun = false;
    const { subscription } = await subscribe({
      topics: [topic],
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
  });
}

function failing({ under, newTopic, subscribe, numbered }: Part): void {
  it('buries a poisonous record with its origin, tells of it, and goes on', async () => {
    const topic = await newTopic(1);
    const group = unique('group');
    await under().log.publish(topic, numbered(5));
    const handled: string[] = [];
    let attempts = 0;
    const buried: unknown[] = [];
    const { subscription } = await subscribe({
      topics: [topic],
      group,
      attempts: 3,
      handler: (batch) => {
        if (batch.records.some((record) => text(record) === '2')) {
          attempts++;
          throw new TypeError('poison');
        }
        handled.push(...batch.records.map(text));
        return Promise.resolve();
      },
      onDeadLetter: (record, reason, position) => {
        buried.push([text(record), reason, position]);
        return Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(handled).toEqual(['0', '1', '3', '4']), patience);
    expect(attempts).toBeGreaterThanOrEqual(3);
    expect(attempts).toBeLessThanOrEqual(4);
    const target = deadLetterTopic(topic);
    expect(buried).toEqual([['2', 'TypeError: poison', { topic: target.name, partition: 0, offset: 0n }]]);
    const { records } = await subscribe({ topics: [target] });
    await vi.waitFor(() => expect(records).toHaveLength(1), patience);
    const header = (name: string) => String(records[0]?.headers[name]);
    expect(text(records[0]!)).toBe('2');
    expect(records[0]?.key).toBe('key-2');
    expect(header(recordHeaders.originTopic)).toBe(topic.name);
    expect(header(recordHeaders.originPartition)).toBe('0');
    expect(header(recordHeaders.originOffset)).toBe('2');
    expect(header(recordHeaders.originReason)).toBe('TypeError: poison');
    await vi.waitFor(async () => expect((await under().log.lag(group, topic))[0]?.records).toBe(0n), patience);
    await under().log.publish(topic, numbered(1, 5));
    await vi.waitFor(() => expect(handled.at(-1)).toBe('5'), patience);
    expect(subscription.assigned()).toHaveLength(1);
  });

  it('never buries a record whose handler blames a dependency', async () => {
    const topic = await newTopic(1);
    await under().log.publish(topic, numbered(3));
    let down = 4;
    let buried = 0;
    const handled: string[] = [];
    await subscribe({
      topics: [topic],
      attempts: 1,
      handler: (batch) => {
        if (down-- > 0) throw new RetryLater('the view does not answer');
        handled.push(...batch.records.map(text));
        return Promise.resolve();
      },
      onDeadLetter: () => {
        buried++;
        return Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(handled).toEqual(numbers(3)), patience);
    expect(buried).toBe(0);
  });

  it('holds up no other partition for a failing one', async () => {
    const topic = await newTopic(2);
    const handled: string[] = [];
    await subscribe({
      topics: [topic],
      handler: (batch) => {
        if (batch.partition === 0) throw new RetryLater('never');
        handled.push(...batch.records.map(text));
        return Promise.resolve();
      },
    });
    await under().log.publish(topic, [{ key: 'k', value: Buffer.from('stuck'), partition: 0 }]);
    for (let n = 0; n < 3; n++) {
      await under().log.publish(topic, [{ key: 'k', value: Buffer.from(String(n)), partition: 1 }]);
      await vi.waitFor(() => expect(handled).toEqual(numbers(n + 1)), patience);
    }
  });

  it('tries onAssigned again until it succeeds, and hands nothing over before', async () => {
    const topic = await newTopic(1);
    await under().log.publish(topic, numbered(2));
    let calls = 0;
    const { values } = await subscribe({
      topics: [topic],
      onAssigned: () => {
        calls++;
        return calls < 3 ? Promise.reject(new Error('the view does not answer')) : Promise.resolve();
      },
    });
    await vi.waitFor(() => expect(values()).toEqual(numbers(2)), patience);
    expect(calls).toBe(3);
  });
}

function silence({ under, newTopic, subscribe, numbered }: Part): void {
  it('hears an idle topic all the time, and nothing from a silent log', async () => {
    const topic = await newTopic(1);
    const { subscription } = await subscribe({ topics: [topic] });
    const age = () => under().monotonicMs() - (subscription.lastHeardMs() ?? Number.NEGATIVE_INFINITY);
    await subscription.ready;
    await vi.waitFor(() => expect(age()).toBeLessThan(1_200), patience);
    const before = subscription.lastHeardMs()!;
    await vi.waitFor(() => expect(subscription.lastHeardMs()).toBeGreaterThan(before), patience);
    under().silence();
    try {
      await vi.waitFor(() => expect(age()).toBeGreaterThan(3_000), patience);
    } finally {
      under().speak();
    }
    await vi.waitFor(() => expect(age()).toBeLessThan(1_200), { timeout: 40_000 });
  });

  it('rejects a publish in time while the log is silent, and takes the next one afterwards', async () => {
    const topic = await newTopic(1);
    await under().log.publish(topic, numbered(1));
    under().silence();
    try {
      const beganMs = under().monotonicMs();
      const outcomes = await Promise.allSettled([0, 1, 2].map((n) => under().log.publish(topic, numbered(1, 10 + n))));
      expect(under().monotonicMs() - beganMs).toBeLessThan(publishBoundMs + toleranceMs);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'EventLogError', kind: 'retriable' } });
      // A new connection to a silent broker opens, and answers nothing.
      const againMs = under().monotonicMs();
      await expect(under().log.publish(topic, numbered(1, 20))).rejects.toMatchObject({ kind: 'retriable' });
      expect(under().monotonicMs() - againMs).toBeLessThan(publishBoundMs + toleranceMs);
    } finally {
      under().speak();
    }
    await vi.waitFor(() => under().log.publish(topic, numbered(1, 30)), patience);
    const { values } = await subscribe({ topics: [topic] });
    await vi.waitFor(() => expect(values()).toEqual(expect.arrayContaining(['0', '30'])), patience);
  });

  it('goes on reading after a silence', async () => {
    const topic = await newTopic(2);
    const { subscription, values } = await subscribe({ topics: [topic] });
    await subscription.ready;
    await under().log.publish(topic, numbered(4));
    await vi.waitFor(() => expect(byNumber(values())).toEqual(numbers(4)), patience);
    under().silence();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    under().speak();
    await vi.waitFor(() => under().log.publish(topic, numbered(4, 4)), patience);
    await vi.waitFor(() => expect(values()).toEqual(expect.arrayContaining(numbers(8))), { timeout: 40_000 });
  });
}
