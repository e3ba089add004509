/** The watch on a real Kafka. The test plays MirrorMaker: it writes the notes. */
import { randomBytes } from 'node:crypto';
import type { TopicSpec } from '@cloakroom/contracts';
import { openEventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { expect, it, vi } from 'vitest';
import { notesOf, watchMirror } from './mirror-lag.ts';

const patience = { timeout: 30_000, interval: 50 };

it('tells what a copy lacks, from before there is a topic until the copy has everything', async () => {
  const log = createLogger('mirror-lag-test', 'silent');
  const brokers = (process.env['TEST_KAFKA_BROKERS'] ?? '').split(',');
  const eventLog = await openEventLog({ kind: 'kafka', brokers, clientId: 'mirror-lag-test', log, clock: systemClock });
  const origin = `t${randomBytes(6).toString('hex')}`;
  const copied: TopicSpec = { name: `${origin}.events`, partitions: 2, cleanup: 'delete', retentionMs: 3_600_000 };
  const failures: unknown[] = [];
  const watch = watchMirror({ origin, topics: [copied], from: eventLog, target: eventLog, failed: (error) => failures.push(error) });
  const note = (partition: number, offset: number) =>
    eventLog.publish(notesOf(origin), [
      {
        key: JSON.stringify(['MirrorSourceConnector', { cluster: origin, partition, topic: copied.name }]),
        value: Buffer.from(JSON.stringify({ offset })),
      },
    ]);
  const lacks = (records: number) => vi.waitFor(() => expect(watch.lag()?.records).toBe(records), patience);
  try {
    await eventLog.ensureTopics([copied, notesOf(origin)]);
    const record = (partition: number) => ({ key: 'k', value: Buffer.from('v'), partition });
    await eventLog.publish(copied, [record(0), record(0), record(1)]);
    await lacks(3);
    await note(0, 0);
    await lacks(2);
    await Promise.all([note(0, 1), note(1, 0)]);
    await lacks(0);
    expect(watch.lag()?.ms).toBe(0);
  } finally {
    watch.stop();
    await eventLog.close();
  }
});
