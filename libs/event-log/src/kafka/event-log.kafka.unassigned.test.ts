/** A join that kafkajs forgets: the broker had just taken the group over, refused the join, and then took the fetches of the old member. */
import type { TopicSpec } from '@cloakroom/contracts';
import { systemClock } from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { createClient } from './event-log.kafka.client.ts';
import { KafkaSubscription } from './event-log.kafka.consumer.ts';

const topic: TopicSpec = { name: 'cart.events', partitions: 2, cleanup: 'delete', retentionMs: -1 };
const silent = () => undefined;
const warned: unknown[] = [];
const log = { debug: silent, info: silent, warn: (told: unknown) => void warned.push(told), error: silent };

type Tell = (event: { readonly payload: object }) => void;

/** The consumers that were opened, each with what it was asked to tell. */
let opened: Record<string, Tell>[];

const newClient = (() => ({
  kafka: {
    consumer: () => {
      const told: Record<string, Tell> = {};
      opened.push(told);
      const done = () => Promise.resolve();
      return {
        events: { REQUEST: 'request', GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash' },
        on: (event: string, tell: Tell) => void (told[event] = tell),
        connect: done,
        subscribe: done,
        run: done,
        disconnect: done,
        pause: silent,
        commitOffsets: done,
      };
    },
  },
  destroy: silent,
})) as unknown as typeof createClient;

const assignment = { memberAssignment: { [topic.name]: [0, 1] } };

beforeEach(() => {
  opened = [];
  warned.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

/** Time passes, and the broker goes on answering fetches. */
async function passMs(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    opened.at(-1)!['request']!({ payload: { apiKey: 1, broker: 'b:1' } });
    await vi.advanceTimersByTimeAsync(500);
  }
}

function subscribe(): KafkaSubscription {
  const clock = { ...systemClock, monotonicMs: () => Date.now() };
  const owner = { publishDeadLetter: () => Promise.reject(new Error('none')), left: silent };
  const options = { group: 'g', topics: [topic], from: 'earliest', handler: () => Promise.resolve() } as const;
  return new KafkaSubscription({ brokers: ['nowhere:1'], clientId: 'test', log, clock }, options, owner, newClient);
}

it('a consumer that lost its partitions and is told of no others is replaced, though its fetches are answered', async () => {
  const subscription = subscribe();
  await vi.advanceTimersByTimeAsync(0);
  opened[0]!['join']!({ payload: assignment });
  await passMs(60_000);
  expect([opened.length, subscription.assigned().length], 'a member in peace is left alone').toEqual([1, 2]);
  expect(subscription.unassignedMs()).toBe(0);
  opened[0]!['rebalancing']!({ payload: {} });
  await passMs(15_000);
  expect([opened.length, subscription.assigned().length], 'a rebalance takes its time').toEqual([1, 0]);
  expect(subscription.unassignedMs()).toBe(15_000);
  await passMs(15_000);
  // The pause before the next consumer is no timer that can be played.
  await vi.waitFor(() => expect(opened.length).toBe(2), 5_000);
  expect(warned).toEqual([expect.objectContaining({ reason: 'no assignment in 20000 ms' })]);
  expect(subscription.unassignedMs(), 'a new consumer is still the same member').toBeGreaterThan(20_000);
  opened[1]!['join']!({ payload: assignment });
  expect(subscription.unassignedMs()).toBe(0);
  expect(subscription.assigned()).toHaveLength(2);
  await passMs(60_000);
  expect(opened.length).toBe(2);
  await subscription.stop();
});

it('a member that is given no partition, as the others have them all, is left alone', async () => {
  const subscription = subscribe();
  await vi.advanceTimersByTimeAsync(0);
  opened[0]!['join']!({ payload: { memberAssignment: {} } });
  await passMs(60_000);
  expect([opened.length, subscription.assigned().length, subscription.unassignedMs()]).toEqual([1, 0, 0]);
  await subscription.stop();
});
