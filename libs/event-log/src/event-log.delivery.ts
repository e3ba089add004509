/**
 * Hands a batch to its handler, the same for every adapter: at least once, in order, never stuck for ever on one record. Distributed subtleties: a
 * failing record must not block its partition (poison), yet a failing dependency must not empty the partition into the dead-letter topic. Every wait
 * in this file keeps the member's place in its group by heartbeats.
 */
import { recordHeaders } from '@cloakroom/contracts';
import { setTimeout as delay } from 'node:timers/promises';
import { deadLetters, groupLabel, noteDelivery } from './event-log.metrics.ts';
import { inBatchSpan, operation, traceIdOfRecord } from './event-log.traces.ts';
import { EventLogError, RetryLater } from './event-log.ts';
import type { BatchControl, EventLogReporter, LogRecord, Position, RecordBatch, RecordHeaders, SubscribeOptions } from './event-log.ts';

/** Attempts on a batch before its records are tried alone: enough to outlive a reconnect, few enough for the session time-out. */
export const attemptsDefault = 5;
/** First delay between attempts; it doubles. With 5 attempts: 50 + 100 + 200 + 400 ms. */
const firstDelayMs = 50;
/** All delays of one batch together, whatever `attempts` says: a third of the session time-out (6 s). */
const delaySumMaxMs = 2_000;
/** Pause before refetching records whose handler blamed a dependency. Not longer, because in Kafka it holds back the member's other partitions. */
export const retryLaterDelayMs = 500;

export interface Delivery {
  readonly options: Pick<SubscribeOptions, 'handler' | 'attempts' | 'onDeadLetter' | 'group'>;
  readonly control: BatchControl;
  readonly log: EventLogReporter;
  /** Aborted when the partition was lost or the subscription stops: no further record is handed over. */
  readonly signal: AbortSignal;
  /** Keeps the place in the group. Throws when it is lost. */
  heartbeat(): Promise<void>;
  /** Whether a caller sought on this partition since the batch was taken. */
  sought(): boolean;
  publishDeadLetter(record: LogRecord, headers: RecordHeaders): Promise<Position>;
}

/**
 * Hands a batch over.
 * @returns the offset up to which records are done (exclusive); the batch's first offset when nothing is
 * @throws what `heartbeat` throws
 */
export async function deliver(batch: RecordBatch, delivery: Delivery): Promise<bigint> {
  const lag = noteDelivery(delivery.options.group, batch, delivery.signal);
  const done = await deliverRecords(batch, delivery);
  lag.reached(done);
  return done;
}

async function deliverRecords(batch: RecordBatch, delivery: Delivery): Promise<bigint> {
  const first = batch.records[0]!.offset;
  const end = batch.records.at(-1)!.offset + 1n;
  const failure = await attempt(batch, delivery, delivery.options.attempts ?? attemptsDefault);
  if (failure === undefined) return end;
  if (failure.stop) return first;
  let done = first;
  for (const record of batch.records) {
    if (delivery.signal.aborted || delivery.sought()) return done;
    // A single record has had all its attempts. Each of several records gets one alone, which tells the poison from its neighbours.
    const alone = batch.records.length === 1 ? failure : await attempt({ ...batch, records: [record] }, delivery, 1);
    if (alone?.stop === true) return done;
    if (alone !== undefined && !(await bury(record, alone.reason, delivery))) return done;
    done = record.offset + 1n;
    await delivery.heartbeat();
  }
  return done;
}

/** `stop`: a dependency or a revocation is at fault, not the records. They must be handed over again. */
interface Failure {
  readonly reason: string;
  readonly stop: boolean;
}

async function attempt(batch: RecordBatch, delivery: Delivery, attempts: number): Promise<Failure | undefined> {
  const { log, options, signal } = delivery;
  for (let n = 1; ; n++) {
    if (signal.aborted) return { reason: 'revoked', stop: true };
    try {
      const attributes = { ...operation('process', 'process'), 'messaging.consumer.group.name': groupLabel(options.group) };
      await inBatchSpan(`process ${batch.topic}`, batch, attributes, (seen) => options.handler(seen, delivery.control));
      return undefined;
    } catch (error) {
      const where = { group: options.group, topic: batch.topic, partition: batch.partition, offset: String(batch.records[0]!.offset) };
      if (isRetryLater(error)) {
        log.warn({ ...where, err: error }, 'the handler asks to retry later');
        await pause(retryLaterDelayMs, signal);
        await delivery.heartbeat();
        return { reason: reasonOf(error), stop: true };
      }
      log.warn({ ...where, records: batch.records.length, attempt: n, attempts, err: error }, 'the handler failed on a batch');
      if (n >= attempts) return { reason: reasonOf(error), stop: false };
      await pause(Math.min(firstDelayMs * 2 ** (n - 1), delaySumMaxMs / attempts), signal);
      await delivery.heartbeat();
    }
  }
}

/** @returns false when the dead letter could not be written: then the record stays where it is, and the partition waits for the log */
async function bury(record: LogRecord, reason: string, delivery: Delivery): Promise<boolean> {
  const { log, options } = delivery;
  const { topic, partition, offset } = record;
  const where = { group: options.group, topic, partition, offset: String(offset), reason, trace_id: traceIdOfRecord(record) };
  try {
    const position = await delivery.publishDeadLetter(record, deadLetterHeaders(record, reason));
    deadLetters.inc({ group: groupLabel(options.group), topic: record.topic });
    log.error({ ...where, deadLetterOffset: String(position.offset) }, 'a record went to the dead-letter topic');
    await options.onDeadLetter?.(record, reason, position);
    return true;
  } catch (error) {
    // A consumer of onDeadLetter (it marks a cart incomplete) must not miss it, so the record is buried again: at least once.
    log.error({ ...where, err: error }, 'a dead letter could not be written or announced; the partition waits');
    await pause(retryLaterDelayMs, delivery.signal);
    await delivery.heartbeat();
    return false;
  }
}

/** Header values are bounded, so that the dead letter of a record that just fits still fits. */
const reasonLengthMax = 200;

function deadLetterHeaders(record: LogRecord, reason: string): RecordHeaders {
  return {
    ...record.headers,
    [recordHeaders.originTopic]: Buffer.from(record.topic),
    [recordHeaders.originPartition]: Buffer.from(String(record.partition)),
    [recordHeaders.originOffset]: Buffer.from(String(record.offset)),
    [recordHeaders.originReason]: Buffer.from(reason),
  };
}

function isRetryLater(error: unknown): boolean {
  return error instanceof RetryLater || (error instanceof EventLogError && error.kind === 'retriable');
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, reasonLengthMax);
}

/** Resolves early, without an error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Resolves when the signal aborts, or at once where it has. */
export const aborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('stopped');
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
