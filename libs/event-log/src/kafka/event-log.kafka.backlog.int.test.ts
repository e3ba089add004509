import { randomBytes } from 'node:crypto';
import type { TopicSpec } from '@cloakroom/contracts';
import { systemClock } from '@cloakroom/platform';
import { expect, it, vi } from 'vitest';
import { openEventLog } from '../event-log.open.ts';
import type { OutgoingRecord } from '../event-log.ts';

const broker = process.env['TEST_KAFKA_BROKERS'] ?? '127.0.0.1:9092';
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const unique = (prefix: string) => `${prefix}-${randomBytes(6).toString('hex')}`;
const long = { timeout: 120_000, interval: 20 };

it('a long backlog of one topic does not hold up the other topic of the group', async () => {
  const events = await openEventLog({ kind: 'kafka', brokers: [broker], clientId: 'two-topics', log, clock: systemClock });
  const [own, copy] = ['own', 'copy'].map((prefix): TopicSpec => ({
    name: unique(prefix),
    partitions: 24,
    cleanup: 'delete',
    retentionMs: 3_600_000,
  })) as [TopicSpec, TopicSpec];
  await events.ensureTopics([own, copy]);
  const value = randomBytes(60_000);
  // A broker with other work may need several attempts.
  const publish = (topic: TopicSpec, records: OutgoingRecord[]) => vi.waitFor(() => events.publish(topic, records), long);
  // 20 MB, in small batches as MirrorMaker writes them. A fetch brings 10.
  for (let n = 0; n < 56; n++)
    await publish(
      copy,
      Array.from({ length: 6 }, (_, at) => ({ key: 'k', value, partition: (n % 4) * 6 + at })),
    );
  const partitions = Array.from({ length: 24 }, (_, partition) => partition);
  await publish(
    own,
    partitions.map((partition) => ({ key: 'k', value: Buffer.from('new'), partition })),
  );
  const waiting = new Set(partitions);
  let bytesBefore = 0;
  const subscription = await events.subscribe({
    group: unique('group'),
    topics: [own, copy],
    from: 'earliest',
    handler: ({ topic, partition, records }) => {
      if (topic === own.name) waiting.delete(partition);
      else if (waiting.size > 0) bytesBefore += records.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
      return Promise.resolve();
    },
  });
  await vi.waitFor(() => expect([...waiting]).toEqual([]), long);
  expect(bytesBefore).toBeLessThan(4_000_000);
  await subscription.stop();
  await events.close();
}, 300_000);
