/** A topic that another process makes just now: kafkajs then ends in a TypeError of its own. */
import type { TopicSpec } from '@cloakroom/contracts';
import { beforeEach, expect, it } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import type { createClient } from './event-log.kafka.client.ts';
import { KafkaEventLog } from './event-log.kafka.ts';

/** The answers of the opened clients, in order. The last answer repeats. */
let answers: (() => Promise<unknown>)[];
let opened: number;

const newClient = (() => ({
  kafka: {
    admin: () => ({
      connect: () => Promise.resolve(),
      fetchTopicOffsets: answers[Math.min(opened++, answers.length - 1)],
      fetchOffsets: () => Promise.resolve([]),
    }),
  },
  destroy: () => undefined,
})) as unknown as typeof createClient;

/** Another question of the client asked for a topic that is not there. */
const poisoned = (() => {
  let clients = 0;
  return {
    kafka: {
      admin: () => {
        const isPoisoned = clients++ === 0;
        return {
          connect: () => Promise.resolve(),
          listTopics: () =>
            isPoisoned ? Promise.reject(Object.assign(new Error(), { type: 'UNKNOWN_TOPIC_OR_PARTITION' })) : Promise.resolve([topic.name]),
          fetchTopicMetadata: () =>
            Promise.resolve({ topics: [{ name: topic.name, partitions: [{ leader: 1, partitionErrorCode: 0, replicas: [1] }] }] }),
        };
      },
    },
    destroy: () => undefined,
  };
}) as unknown as () => ReturnType<typeof createClient>;

const topic: TopicSpec = { name: 'session.revocations', partitions: 1, cleanup: 'delete', retentionMs: -1 };
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
let nowMs: number;
const unknown = () => Promise.reject(new TypeError("Cannot destructure property 'partitions' of 'high.pop(...)' as it is undefined."));
const known = () => Promise.resolve([{ partition: 0, offset: '7', low: '2', high: '7' }]);
const open = (create = newClient) =>
  new KafkaEventLog({ brokers: ['nowhere:1'], clientId: 'test', log, clock: { ...systemClock, monotonicMs: () => nowMs } }, create);

beforeEach(() => {
  opened = 0;
  nowMs = 0;
});

it('bounds and lag of a topic that is just being made are asked again by a new client, and told', async () => {
  answers = [unknown, unknown, known];
  expect(await open().bounds(topic)).toEqual(new Map([[0, { first: 2n, next: 7n }]]));
  expect(opened).toBe(3);
  opened = 0;
  expect(await open().lag('group', topic)).toEqual([{ topic: topic.name, partition: 0, records: 5n }]);
});

it('a topic that stays unknown is said in words, after 5 s at most', async () => {
  answers = [
    () => {
      nowMs += 2_000;
      return unknown();
    },
  ];
  await expect(open().bounds(topic)).rejects.toMatchObject({
    kind: 'retriable',
    message: /no partition of session\.revocations is known yet/,
  });
  expect(opened).toBe(3);
});

it('topics are ensured by a new client where another question had asked the first one for a topic that is not there', async () => {
  const client = poisoned();
  await expect(open(() => client).ensureTopics([topic])).resolves.toBeUndefined();
});
