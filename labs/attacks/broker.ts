/** An attacker who reaches the broker. It reads and writes any topic, as Kafka allows without rules about its clients. */
import { randomUUID } from 'node:crypto';
import { partitionOf, recordHeaders, topics, type TopicSpec } from '@cloakroom/contracts';
import { openEventLog, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { expect } from '../../e2e/kit/device.ts';
import { kafkaBrokers } from '../../e2e/kit/stack.ts';

export async function withBroker<T>(use: (log: EventLog) => Promise<T>): Promise<T> {
  const log = createLogger('e2e', 'silent');
  const eventLog = await openEventLog({ kind: 'kafka', brokers: kafkaBrokers, clientId: `thief-${randomUUID()}`, log, clock: systemClock });
  try {
    return await use(eventLog);
  } finally {
    await eventLog.close();
  }
}

/** Every record that is in the topic now. */
export async function readAll(eventLog: EventLog, topic: TopicSpec): Promise<LogRecord[]> {
  const ends = await eventLog.bounds(topic);
  const next = new Map<number, bigint>();
  const records: LogRecord[] = [];
  const subscription = await eventLog.subscribe({
    group: `thief-${randomUUID()}`,
    topics: [topic],
    from: 'earliest',
    handler: (batch) => {
      records.push(...batch.records);
      next.set(batch.partition, batch.records.at(-1)!.offset + 1n);
      return Promise.resolve();
    },
  });
  const isRead = () => [...ends].every(([partition, end]) => end.first === end.next || (next.get(partition) ?? 0n) >= end.next);
  await expect.poll(isRead, { timeout: 30_000, message: `${topic.name} is read` }).toBe(true);
  await subscription.stop();
  return records;
}

export const signatureOf = (record: LogRecord): string => record.headers[recordHeaders.signature]?.toString('latin1') ?? '';

export const partitionOfPerson = (userId: string): number => partitionOf(userId, topics.identityEvents);
