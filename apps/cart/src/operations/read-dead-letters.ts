/** Reading a dead-letter topic from end to end, and putting its records back where they came from. */
import { randomUUID } from 'node:crypto';
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import { RetryLater, type EventLog, type LogRecord, type OutgoingRecord, type RecordHeaders } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';

/** No more progress for so long: the log or the view is away. */
const silenceMaxMs = 10_000;
const checkIntervalMs = 100;

export interface Letter {
  readonly cartId: string;
  readonly partition: number;
  /** Where it was in its log; undefined when its headers do not say. */
  readonly origin: bigint | undefined;
  readonly outcome: Outcome;
}

/** `done`: its cart waits for it no longer, an earlier run put it back. `left`: it stays in the dead-letter topic, and its cart incomplete. */
export type Outcome = { readonly is: 'put_back' } | { readonly is: 'done' } | { readonly is: 'left'; readonly why: string };

export interface Redriven {
  readonly putBack: number;
  readonly done: number;
  readonly left: number;
}

/** Looks at what was buried before the call. @throws when log or view are away for too long; what was put back by then stays so */
export async function readLetters(
  { eventLog, clock }: { readonly eventLog: EventLog; readonly clock: Clock },
  buried: TopicSpec,
  take: (partition: number, records: readonly LogRecord[]) => Promise<readonly Letter[]>,
): Promise<Redriven> {
  await eventLog.ensureTopics([buried]);
  // What this call itself gets buried again waits for the next one.
  const ends = new Map(
    [...(await eventLog.bounds(buried))].filter(([, { first, next }]) => next > first).map(([of, { next }]) => [of, next]),
  );
  const counts = { put_back: 0, done: 0, left: 0 };
  let progressMs = clock.monotonicMs();
  let trouble: unknown;
  if (ends.size > 0) {
    const subscription = await eventLog.subscribe({
      // Alone and from the beginning, each time.
      group: `cart-redrive-${randomUUID()}`,
      topics: [buried],
      from: 'earliest',
      handler: async ({ partition, records }) => {
        try {
          const end = ends.get(partition);
          if (end === undefined) return;
          const old = records.filter(({ offset }) => offset < end);
          if (old.length > 0) for (const { outcome } of await take(partition, old)) counts[outcome.is] += 1;
          progressMs = clock.monotonicMs();
          if (records.at(-1)!.offset + 1n >= end) ends.delete(partition);
        } catch (error) {
          trouble = error;
          // No dead letter of a dead letter, whatever it was.
          throw new RetryLater('the redrive cannot go on', { cause: error });
        }
      },
    });
    try {
      while (ends.size > 0) {
        if (clock.monotonicMs() - progressMs > silenceMaxMs)
          throw new Error('the redrive cannot go on', { cause: trouble ?? 'the log is silent' });
        await new Promise((resolve) => setTimeout(resolve, checkIntervalMs));
      }
    } finally {
      await subscription.stop();
    }
  }
  return { putBack: counts.put_back, done: counts.done, left: counts.left };
}

/** As it was before its burial. */
export function toRecord(record: LogRecord, origin: bigint): OutgoingRecord {
  const ofBurial: readonly string[] = [
    recordHeaders.originTopic,
    recordHeaders.originPartition,
    recordHeaders.originOffset,
    recordHeaders.originReason,
  ];
  const kept = Object.entries(record.headers).filter(([name]) => !ofBurial.includes(name));
  const headers: RecordHeaders = { ...Object.fromEntries(kept), [recordHeaders.redriveOf]: Buffer.from(String(origin)) };
  return { key: record.key, value: record.value, headers, partition: record.partition };
}
