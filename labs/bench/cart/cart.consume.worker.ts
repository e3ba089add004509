/** Reads a topic from its first record to its last with kafkajs and does nothing with the records. No reader can be faster. */
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { obey } from '../measuring/load.process.ts';

export interface ConsumeOrder {
  readonly broker: string;
  readonly topic: string;
  readonly records: number;
  /** The same value as the shop's own consumer. */
  readonly concurrentPartitions: number;
}

export interface Consumed {
  readonly perSecond: number;
}

obey<ConsumeOrder, Consumed>(async ({ broker, topic, records, concurrentPartitions }, begins) => {
  const kafka = new kafkajs.Kafka({ clientId: 'bare', brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `bare-${randomUUID()}`, minBytes: 1, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let [seen, firstCount, firstMs] = [0, 0, 0];
  const done = Promise.withResolvers<number>();
  await consumer.run({
    partitionsConsumedConcurrently: concurrentPartitions,
    eachBatch: ({ batch }) => {
      if (seen === 0) {
        begins();
        [firstCount, firstMs] = [batch.messages.length, performance.now()];
      }
      seen += batch.messages.length;
      if (seen >= records) done.resolve(performance.now());
      return Promise.resolve();
    },
  });
  const endMs = await done.promise;
  await consumer.disconnect();
  return { perSecond: ((records - firstCount) * 1000) / (endMs - firstMs) };
});
