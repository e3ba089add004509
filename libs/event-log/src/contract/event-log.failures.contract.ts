/** The event log's contract: handlers that fail, and a log that falls silent. */
import { deadLetterTopic, recordHeaders } from '@cloakroom/contracts';
import { RetryLater } from '../event-log.ts';
import { expect, it, vi } from 'vitest';
import { watchCrowd } from '@cloakroom/testing';
import { byNumber, numbers, patience, text, unique } from './event-log.kit.contract.ts';
import type { Part } from './event-log.kit.contract.ts';

const publishBoundMs = 2_500;
/** For timers on a machine with two busy cores. */
const toleranceMs = 400;

export function failing({ under, newTopic, subscribe, numbered }: Part): void {
  // Longer because it is a list of promises, read one by one.
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

export function silence({ under, newTopic, subscribe, numbered }: Part): void {
  // Longer because it is a list of promises, read one by one.
  it('hears an idle topic all the time, and nothing from a silent log', async () => {
    const topic = await newTopic(1);
    const { subscription } = await subscribe({ topics: [topic] });
    const age = () => under().monotonicMs() - (subscription.lastHeardMs() ?? Number.NEGATIVE_INFINITY);
    await subscription.ready;
    await vi.waitFor(() => expect(age()).toBeLessThan(1_200), patience);
    const before = subscription.lastHeardMs()!;
    await vi.waitFor(() => expect(subscription.lastHeardMs()).toBeGreaterThan(before), patience);
    await under().silence();
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
    await under().silence();
    try {
      const crowd = watchCrowd();
      const beganMs = under().monotonicMs();
      const outcomes = await Promise.allSettled([0, 1, 2].map((n) => under().log.publish(topic, numbered(1, 10 + n))));
      expect(under().monotonicMs() - beganMs).toBeLessThan(publishBoundMs + crowd.roomMs(toleranceMs));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'EventLogError', kind: 'retriable' } });
      // A new connection to a silent broker opens, and gets no answer.
      const againMs = under().monotonicMs();
      await expect(under().log.publish(topic, numbered(1, 20))).rejects.toMatchObject({ kind: 'retriable' });
      expect(under().monotonicMs() - againMs).toBeLessThan(publishBoundMs + crowd.roomMs(toleranceMs));
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
    await under().silence();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    under().speak();
    await vi.waitFor(() => under().log.publish(topic, numbered(4, 4)), patience);
    await vi.waitFor(() => expect(values()).toEqual(expect.arrayContaining(numbers(8))), { timeout: 40_000 });
  });
}
