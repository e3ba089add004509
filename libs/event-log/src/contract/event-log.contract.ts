/**
 * The contract of every event log, whatever is behind it. It runs against the embedded log in process and against real Kafka. Faults that only a real
 * broker can have (a lost answer, a killed member) stand beside the Kafka adapter.
 */
import type { TopicSpec } from '@cloakroom/contracts';
import type { LogRecord, OutgoingRecord, RecordBatch, SubscribeOptions, Subscription } from '../event-log.ts';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { failing, silence } from './event-log.failures.contract.ts';
import { groups } from './event-log.groups.contract.ts';
import { publishing, reading } from './event-log.reading.contract.ts';
import { text, unique } from './event-log.kit.contract.ts';
import type { EventLogUnderTest, Part } from './event-log.kit.contract.ts';

export type { EventLogUnderTest } from './event-log.kit.contract.ts';

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
    describe('publishing', () => {
      publishing(part);
    });
    describe('reading', () => {
      reading(part);
    });
    describe('groups', () => {
      groups(part);
    });
    describe('failing handlers', () => {
      failing(part);
    });
    describe('silence', () => {
      silence(part);
    });
  });
}
