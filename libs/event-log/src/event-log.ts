/**
 * The event log port: an ordered, partitioned, at-least-once log. Two adapters (Kafka, embedded) share one contract suite. Only event-log.kafka.ts
 * knows kafkajs, so that another client can replace it there alone.
 */
import type { TopicSpec } from '@cloakroom/contracts';
import type { TraceContext } from '@cloakroom/platform';

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export type RecordHeaders = Readonly<Record<string, Buffer>>;

export interface OutgoingRecord {
  /** UTF-8; decides the partition by murmur2 (contracts `partitionOf`) unless `partition` is given. */
  readonly key: string;
  /** null is a tombstone on a compacted topic. */
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders;
  readonly partition?: number;
}

export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
  /** Milliseconds since 1970, as the log stamped it. */
  readonly timestampMs: number;
}

export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** In offset order, never empty. */
  readonly records: readonly LogRecord[];
  /** The offset of the next record that the partition will get, as the broker reported it in this fetch. */
  readonly highWatermark: bigint;
  /** Local monotonic time at which the fetch for this batch was sent: the broker's knowledge is at least this fresh. */
  readonly fetchStartedMs: number;
  /** The span in which it is handled. Undefined while telemetry is off, or where no request caused any record. */
  readonly trace?: TraceContext;
}

export interface SubscribeOptions {
  /** Members of one group share the partitions. A fresh random name reads everything alone. */
  readonly group: string;
  readonly topics: readonly TopicSpec[];
  /** Where a group without a committed offset starts. */
  readonly from: 'earliest' | 'latest';
  /**
   * Called for one batch of a partition at a time; batches of different partitions may overlap. Must finish well within the session time-out (6 s).
   * Returning commits the batch's last offset, unless the handler called seek. A throw is retried a bounded number of times, with heartbeats. After
   * that every record of the batch is handed over alone. A record that still fails goes to `<topic>.dlq` with its origin in the headers, then to
   * `onDeadLetter`, and the partition moves on. Throwing `RetryLater`, or an EventLogError of kind retriable, blames a dependency and not the record:
   * retried for ever, never dead-lettered.
   */
  readonly handler: (batch: RecordBatch, control: BatchControl) => Promise<void>;
  /**
   * Partitions gained. Runs before their first batch; may seek. Throwing is retried until it succeeds or the partitions are lost.
   * Rebalancing is eager: every change of the group revokes all partitions and assigns anew, from the committed offsets.
   */
  readonly onAssigned?: (partitions: readonly TopicPartition[], control: BatchControl) => Promise<void>;
  /** Partitions lost; another member may already be reading them. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void;
  /** A record went to the dead-letter topic. */
  readonly onDeadLetter?: (record: LogRecord, reason: string, position: Position) => Promise<void>;
  /** Attempts before the dead letter; 1 or more. Default 5, with growing delay, below 2 s in all. */
  readonly attempts?: number;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface BatchControl {
  /** The next record to hand over. */
  seek(topic: string, partition: number, offset: bigint): void;
}

export interface Subscription {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(topic: string, partition: number, offset: bigint): void;
  assigned(): readonly TopicPartition[];
  /**
   * Local monotonic start of the newest fetch that a broker answered, empty answers included. Undefined before the first. Its age shows how long the
   * log has been silent.
   */
  lastHeardMs(): number | undefined;
  /** How long this member has had no share of the partitions, in milliseconds. An empty share is one: a group may have more members than partitions. */
  unassignedMs(): number;
  /** Resolves when this member has its first assignment. */
  readonly ready: Promise<void>;
  /** Lets the handler in progress finish, then leaves the group. */
  stop(): Promise<void>;
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly records: bigint;
}

/**
 * retriable: no record was written, or one may have been. Repeating is safe for records that carry their own identity.
 * fatal: repeating cannot help (unknown topic, too large). fenced: a newer producer took over.
 */
export type EventLogErrorKind = 'retriable' | 'fatal' | 'fenced';

export class EventLogError extends Error {
  override readonly name = 'EventLogError';
  readonly kind: EventLogErrorKind;
  /** Whether the record may have been written although this failed. */
  readonly outcomeUnknown: boolean;
  constructor(kind: EventLogErrorKind, message: string, options: { outcomeUnknown: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.outcomeUnknown = options.outcomeUnknown;
  }
}

/** All keys, values and headers of one publish. Below a broker's limit for one batch (1 MiB), so a too large publish fails here, and alone. */
export const publishBytesMax = 900_000;

/** Half of that, because the log itself adds trace headers. */
const partBytesMax = publishBytesMax / 2;

/** Bytes of key, value and headers. */
export function sizeOf(record: OutgoingRecord): number {
  const headers = Object.entries(record.headers ?? {}).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + value.length, 0);
  return Buffer.byteLength(record.key) + (record.value?.length ?? 0) + headers;
}

/**
 * @throws EventLogError fatal, when the records are too large for one publish, or a partition does not exist
 */
export function assertPublishable(topic: TopicSpec, records: readonly OutgoingRecord[]): void {
  const fatal = (message: string): EventLogError => new EventLogError('fatal', message, { outcomeUnknown: false });
  const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
  if (bytes > publishBytesMax) throw fatal(`${bytes} bytes are more than one publish takes (${publishBytesMax})`);
  for (const { partition } of records) {
    if (partition !== undefined && !(partition >= 0 && partition < topic.partitions))
      throw fatal(`topic ${topic.name} has no partition ${partition}`);
  }
}

/**
 * For a caller that has, or may have, more records than one publish takes. It makes as many publishes as needed, one by one, records in their order.
 * @throws EventLogError of the publish that failed; earlier ones stay published, so a caller's repetition must change nothing
 */
export async function publishInParts(log: Pick<EventLog, 'publish'>, topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<void> {
  let part: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = sizeOf(record);
    if (part.length > 0 && bytes + size > partBytesMax) {
      await log.publish(topic, part);
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) await log.publish(topic, part);
}

/** Thrown by a handler whose dependency (a store, another log) is down. The records are in order, and will be handed over again. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
}

/** Receives the log's reports of its own trouble. A pino logger fits. */
export interface EventLogReporter {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EventLog {
  /** Creates missing topics and waits until every partition has a leader. It never changes an existing topic with other partitions: it fails. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  /**
   * Appends with acks=all; resolves with one position a record, in order.
   * @throws EventLogError within `publishTimeoutMs` (default 2,500) at the latest
   */
  publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** For each partition the first offset whose timestamp is at or after `timestampMs`; the partition's end where there is none. */
  offsetsByTime(topic: TopicSpec, timestampMs: number): Promise<Map<number, bigint>>;
  /** First and next offset of each partition. */
  bounds(topic: TopicSpec): Promise<Map<number, { readonly first: bigint; readonly next: bigint }>>;
  lag(group: string, topic: TopicSpec): Promise<PartitionLag[]>;
  /** For /readyz: which log this is. */
  describe(): Promise<{ readonly kind: 'kafka' | 'embedded'; readonly clusterId: string }>;
  close(): Promise<void>;
}
