/**
 * Puts buried records back at the end of their log, once whatever made them unreadable is mended. Late is safe: events commute. At least once,
 * so is twice: dots count once. The projector clears the cart's mark when it applies the record.
 */
import { deadLetterTopic, recordHeaders } from '@cloakroom/contracts';
import type { Clock, EventLog, Logger, LogRecord, OutgoingRecord, RecordHeaders } from '@cloakroom/platform';
import { originOf } from './dead-letters.ts';
import type { CartTopics } from './parts.ts';

/** Members of one group: two operators at once share the work. Its committed offsets tell what was put back already. */
const redriveGroup = 'cart-redrive';
/** No more progress for so long: the log is away. */
const silenceMaxMs = 10_000;
const checkIntervalMs = 100;

export interface RedriveParts {
  readonly eventLog: EventLog;
  readonly topics: Pick<CartTopics, 'events'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly group?: string;
}

/** Puts back what was buried before the call and not yet put back. @returns how many records */
export async function redrive({ eventLog, topics, clock, log, group = redriveGroup }: RedriveParts): Promise<number> {
  const buried = deadLetterTopic(topics.events);
  await eventLog.ensureTopics([buried]);
  const ends = new Map([...(await eventLog.bounds(buried))].map(([partition, { next }]) => [partition, next]));
  let waiting = (await eventLog.lag(group, buried)).reduce((sum, { records }) => sum + records, 0n);
  if (waiting === 0n) return 0;
  let count = 0;
  let progressMs = clock.monotonicMs();
  const subscription = await eventLog.subscribe({
    group,
    topics: [buried],
    from: 'earliest',
    handler: async ({ partition, records }, control) => {
      const end = ends.get(partition) ?? 0n;
      // What this call itself gets buried again waits for the next one.
      const old = records.filter(({ offset }) => offset < end);
      const again = old.flatMap((record) => toRecord(record, topics, log));
      if (again.length > 0) await eventLog.publish(topics.events, again);
      if (old.length < records.length) control.seek(buried.name, partition, end);
      count += again.length;
      waiting -= BigInt(old.length);
      progressMs = clock.monotonicMs();
    },
  });
  try {
    while (waiting > 0n) {
      if (clock.monotonicMs() - progressMs > silenceMaxMs) throw new Error('the dead letters cannot be read: the log is silent');
      await new Promise((resolve) => setTimeout(resolve, checkIntervalMs));
    }
  } finally {
    await subscription.stop();
  }
  return count;
}

function toRecord(record: LogRecord, topics: Pick<CartTopics, 'events'>, log: Logger): OutgoingRecord[] {
  const offset = originOf(record, topics.events);
  if (offset === undefined || record.value === null) {
    log.error({ partition: record.partition, offset: String(record.offset) }, 'a dead letter without an origin is left where it is');
    return [];
  }
  const origin: readonly string[] = [
    recordHeaders.originTopic,
    recordHeaders.originPartition,
    recordHeaders.originOffset,
    recordHeaders.originReason,
  ];
  const kept = Object.entries(record.headers).filter(([name]) => !origin.includes(name));
  const headers: RecordHeaders = { ...Object.fromEntries(kept), [recordHeaders.redriveOf]: Buffer.from(String(offset)) };
  return [{ key: record.key, value: record.value, headers, partition: record.partition }];
}
