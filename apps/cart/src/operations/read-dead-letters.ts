/** Reads a dead-letter topic from end to end, and puts its records back into their own topics. */
import { randomUUID } from 'node:crypto';
import { recordHeaders, type TopicSpec } from '@cloakroom/contracts';
import { RetryLater, type EventLog, type LogRecord, type OutgoingRecord, type RecordHeaders } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';

/** Without progress for this long, the log or the view counts as down. */
const silenceMaxMs = 10_000;
const checkIntervalMs = 100;

export interface DeadLetter {
  readonly cartId: string;
  readonly partition: number;
  /** The other region whose log it is of; undefined for this region's own. */
  readonly region?: string | undefined;
  /** Its offset in its own log; undefined when its headers do not say. */
  readonly origin: bigint | undefined;
  readonly outcome: Outcome;
}

/** `done`: an earlier run has put it back, and its cart no longer waits for it. `left`: it stays a dead letter, and its cart incomplete. */
export type Outcome = { readonly is: 'put_back' } | { readonly is: 'done' } | { readonly is: 'left'; readonly why: string };

export interface Redriven {
  readonly putBack: number;
  readonly done: number;
  readonly left: number;
}

/** Reads the dead letters that were written before the call. @throws when log or view are down for too long; records put back by then stay so */
export async function readDeadLetters(
  { eventLog, clock }: { readonly eventLog: EventLog; readonly clock: Clock },
  buried: TopicSpec,
  take: (partition: number, records: readonly LogRecord[]) => Promise<readonly DeadLetter[]>,
): Promise<Redriven> {
  await eventLog.ensureTopics([buried]);
  // A record that is buried again because of this call waits for the next call.
  const ends = new Map(
    [...(await eventLog.bounds(buried))].filter(([, { first, next }]) => next > first).map(([of, { next }]) => [of, next]),
  );
  const counts = { put_back: 0, done: 0, left: 0 };
  let progressMs = clock.monotonicMs();
  let trouble: unknown;
  if (ends.size > 0) {
    const subscription = await eventLog.subscribe({
      // A new group: each call reads alone, and from the beginning.
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
          // A dead letter must never become a dead letter again, whatever the error.
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

/** The record as it was before it became a dead letter. */
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
