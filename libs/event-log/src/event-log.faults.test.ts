/** Faults at the log. They are everybody's: records of all people share a partition. */
import type { TopicSpec } from '@cloakroom/contracts';
import { armFaults, createLogger, systemClock, type Trouble } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { EmbeddedEventLog } from './event-log.embedded.ts';
import { heldBack } from './event-log.faults.ts';
import { EventLogError, type LogRecord } from './event-log.ts';

const topic: TopicSpec = { name: 'faults.test', partitions: 1, cleanup: 'delete', retentionMs: -1 };
const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
const record = { key: 'k', value: Buffer.from('v') };

const log = new EmbeddedEventLog({ log: createLogger('test', 'silent'), clock: systemClock });
afterEach(() => armFaults(undefined));

const everywhere = (at: string, trouble: Partial<Trouble>): void =>
  armFaults((_point, asked) => Promise.resolve(asked === at ? { ...none, ...trouble } : undefined));
const written = async (): Promise<bigint> => (await log.bounds(topic)).get(0)?.next ?? 0n;

it('a publish that fails by a fault has written nothing, and may be repeated', async () => {
  await log.ensureTopics([topic]);
  const before = await written();
  everywhere(topic.name, { fails: true });
  const failure: unknown = await log.publish(topic, [record]).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EventLogError);
  expect(failure).toMatchObject({ kind: 'retriable', outcomeUnknown: false });
  expect(await written()).toBe(before);
  armFaults(undefined);
  await log.publish(topic, [record]);
  expect(await written()).toBe(before + 1n);
});

it('a slow publish writes late, and one of another topic at once', async () => {
  await log.ensureTopics([topic]);
  const other = { ...topic, name: 'faults.other' };
  await log.ensureTopics([other]);
  everywhere(topic.name, { delayMs: 300 });
  const order: string[] = [];
  await Promise.all([topic, other].map((of) => log.publish(of, [record]).then(() => order.push(of.name))));
  expect(order).toEqual(['faults.other', 'faults.test']);
});

it('a reader that is held back gets nothing, and everything in order when it is over', async () => {
  const own = { ...topic, name: 'faults.held' };
  await log.ensureTopics([own]);
  everywhere('reader', { holds: true });
  const [tried, read]: [LogRecord[], string[]] = [[], []];
  const subscription = await log.subscribe({
    group: 'held',
    topics: [own],
    from: 'earliest',
    handler: async (batch, control) => {
      tried.push(...batch.records);
      if (await heldBack('projector', 'reader', batch, control)) return;
      read.push(...batch.records.map(({ value }) => String(value)));
    },
  });
  for (const value of ['1', '2', '3']) await log.publish(own, [{ key: 'k', value: Buffer.from(value) }]);
  // The second attempt proves that the first one was put back.
  await vi.waitFor(() => expect(tried.length).toBeGreaterThan(3), { timeout: 5_000 });
  expect(read).toEqual([]);
  armFaults(undefined);
  await vi.waitFor(() => expect(read).toEqual(['1', '2', '3']), { timeout: 5_000 });
  await subscription.stop();
});
