/**
 * One assignment of a group member, from the join to the next loss. It covers the gate before the first batch, heartbeats beside a slow handler, and
 * the conversion of kafkajs' batches to ours.
 */
import type { Batch, KafkaMessage } from 'kafkajs';
import { pause, retryLaterDelayMs } from '../event-log.delivery.ts';
import { brokerAnswer } from './event-log.kafka.client.ts';
import type { LogRecord, RecordBatch, TopicPartition } from '../event-log.ts';

/** kafkajs hands over up to 1 MB at once. A reader that is behind writes each key's value once a batch, so many records of few keys go together. */
const batchRecordsMax = 2_000;
/** This bounds the write too. */
const batchKeysMax = 500;
/** A handler that hangs longer keeps its partition from all members. Without heartbeats it loses the partition one session time-out later. */
const handlerTimeMaxMs = 30_000;

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export class Generation {
  static readonly none = new Generation([], () => Promise.resolve());
  readonly partitions: readonly TopicPartition[];
  /** onAssigned is done; no batch comes before it. */
  readonly announced: Promise<void>;
  readonly #keys: ReadonlySet<string>;
  readonly #over = new AbortController();

  constructor(partitions: readonly TopicPartition[], announce: (lost: AbortSignal) => Promise<void>) {
    this.partitions = partitions;
    this.#keys = new Set(partitions.map(keyOf));
    // This generation must be in place first: onAssigned seeks, and a seek checks who owns the partition.
    this.announced = Promise.resolve().then(() => announce(this.#over.signal));
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  get live(): boolean {
    return !this.over && this !== Generation.none;
  }

  has(partition: TopicPartition): boolean {
    return this.#keys.has(keyOf(partition));
  }

  close(): void {
    if (this !== Generation.none) this.#over.abort();
  }

  /** Until it succeeds or the partitions are lost; never rejects. */
  static async retrying(lost: AbortSignal, work: () => Promise<void> | undefined, onFailure: (error: unknown) => void): Promise<void> {
    while (!lost.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        onFailure(error);
        await pause(retryLaterDelayMs, lost);
      }
    }
  }
}

/** Answers to a heartbeat after which kafkajs joins anew. Any other error is trouble of the connection, and the session may outlive it. */
const rejoinAnswers = new Set(['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

/**
 * Sends heartbeats beside the work, so that a handler slower than the session keeps its place. kafkajs sends them only between messages.
 * @throws the broker's refusal of a heartbeat, after the work has ended: the member has to join again
 */
export async function withHeartbeats(
  heartbeat: () => Promise<void>,
  everyMs: number,
  generation: Generation,
  work: (heartbeat: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const lost: unknown[] = [];
  const beat = async (): Promise<void> => {
    if (lost.length === 0) {
      await heartbeat().catch((error: unknown) => {
        if (rejoinAnswers.has(brokerAnswer(error) ?? '')) lost.push(error);
      });
    }
    if (lost.length === 0) return;
    generation.close();
    throw lost[0];
  };
  let beats = Math.ceil(handlerTimeMaxMs / everyMs) * 2;
  // Twice as often as kafkajs would: it skips a beat that comes early, and 3 s without one is half a session.
  const timer = setInterval(() => {
    if (beats-- > 0) beat().catch(() => undefined);
  }, everyMs / 2);
  try {
    await work(beat);
  } finally {
    clearInterval(timer);
  }
  if (lost.length > 0) throw lost[0];
}

export function* batchesOf(batch: Batch, fetchStartedMs: number): Generator<RecordBatch> {
  const { topic, partition } = batch;
  const highWatermark = BigInt(batch.highWatermark);
  let records: LogRecord[] = [];
  const keys = new Set<string>();
  for (const message of batch.messages) {
    const record = recordOf(topic, partition, message);
    if (records.length === batchRecordsMax || (keys.size === batchKeysMax && !keys.has(record.key))) {
      yield { topic, partition, records, highWatermark, fetchStartedMs };
      records = [];
      keys.clear();
    }
    records.push(record);
    keys.add(record.key);
  }
  if (records.length > 0) yield { topic, partition, records, highWatermark, fetchStartedMs };
}

function recordOf(topic: string, partition: number, { offset, key, value, headers, timestamp }: KafkaMessage): LogRecord {
  const named = Object.entries(headers ?? {}).map(([name, header]): [string, Buffer] => {
    // The last value of a repeated header counts, as in Kafka's lastHeader.
    const one = Array.isArray(header) ? header.at(-1) : header;
    return [name, Buffer.isBuffer(one) ? one : Buffer.from(one ?? '')];
  });
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key: key?.toString() ?? '',
    value,
    headers: Object.fromEntries(named),
    timestampMs: Number(timestamp),
  };
}
