/** Replaces kafkajs with a broker that is slow at the wrong moments. A real broker is slow there only now and then. */
import type { TopicSpec } from '@cloakroom/contracts';
import { expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { apiKeys, type createClient } from './event-log.kafka.client.ts';
import { KafkaPublisher, publishTimeoutMs } from './event-log.kafka.producer.ts';

const slow = { connectMs: 0, prepareMs: 0, written: [] as string[] };
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const connectSlowly = ((_options, _retries, onSent) => {
  let destroyed = false;
  const producer = {
    connect: () => after(slow.connectMs),
    // Works as kafkajs does: first it asks which broker leads the partition, then it passes the request to the socket.
    send: async ({ messages }: { messages: { value: string; partition: number }[] }) => {
      await after(slow.prepareMs);
      if (destroyed) throw new Error('this Kafka client was discarded');
      onSent?.({ apiKey: apiKeys.produce } as Parameters<typeof onSent>[0]);
      slow.written.push(...messages.map(({ value }) => String(value)));
      return [{ partition: messages[0]!.partition, baseOffset: '0' }];
    },
    disconnect: () => Promise.resolve(),
  };
  return { kafka: { producer: () => producer }, destroy: () => void (destroyed = true) } as unknown as ReturnType<typeof createClient>;
}) satisfies typeof createClient;

const topic: TopicSpec = { name: 'slow', partitions: 1, cleanup: 'delete', retentionMs: -1 };
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const open = () => new KafkaPublisher({ brokers: ['127.0.0.1:9'], clientId: 'test', log, clock: systemClock }, connectSlowly);
const publish = (publisher: KafkaPublisher, value: string) => publisher.publish(topic, [{ key: 'k', value: Buffer.from(value) }]);

it('says that the outcome is unknown when the time is over while a send is about to begin', async () => {
  Object.assign(slow, { connectMs: publishTimeoutMs - 1_500, prepareMs: 1_700, written: [] });
  const publisher = open();
  await expect(publish(publisher, 'late')).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: true });
  // The send was on its way. A publish refused for certain would be in the log all the same.
  await vi.waitFor(() => expect(slow.written).toEqual(['late']), { timeout: 20_000 });
  await publisher.close();
});

it('says that nothing was written when the time is over before a send took it', async () => {
  Object.assign(slow, { connectMs: publishTimeoutMs + 300, prepareMs: 0, written: [] });
  const publisher = open();
  await expect(publish(publisher, 'waited')).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
  await publisher.close();
  expect(slow.written).toEqual([]);
});

it('says that nothing was written when a send was given up before it began', async () => {
  Object.assign(slow, { connectMs: 0, prepareMs: 2_300, written: [] });
  const publisher = open();
  await expect(publish(publisher, 'given up')).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
  await publisher.close();
  expect(slow.written).toEqual([]);
});
