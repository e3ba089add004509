/** The embedded log's state in memory. It changes by entries alone, so that reading the file gives the same state. */
import type { TopicSpec } from '@cloakroom/contracts';
import { EventLogError } from './event-log.ts';
import type { LogRecord, TopicPartition } from './event-log.ts';

export type LogEntry =
  | { readonly kind: 'topic'; readonly spec: TopicSpec }
  /** The partition begins here: earlier records are past their retention. */
  | ({ readonly kind: 'start'; readonly offset: bigint } & TopicPartition)
  | { readonly kind: 'record'; readonly record: LogRecord }
  | ({ readonly kind: 'commit'; readonly group: string; readonly offset: bigint; readonly atMs: number } & TopicPartition);

/** Retention is checked when a partition has grown by this many records: dropping one by one would copy the array each time. */
const retentionStride = 1_000;
/** Offsets of groups unused for this long are forgotten (Kafka: offsets.retention.minutes, 7 days). */
export const offsetsRetentionMs = 7 * 24 * 60 * 60 * 1000;

export interface Partition {
  /** Offset of `records[0]`. */
  first: bigint;
  readonly records: LogRecord[];
}

interface Topic {
  readonly spec: TopicSpec;
  readonly partitions: readonly Partition[];
}

type Commit = LogEntry & { readonly kind: 'commit' };

export class EmbeddedState {
  readonly #topics = new Map<string, Topic>();
  readonly #commits = new Map<string, Commit>();

  find(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw fatal(`there is no topic ${name}: ensure it first`);
    return topic;
  }

  partition(topic: string, partition: number): Partition {
    const found = this.topic(topic).partitions[partition];
    if (found === undefined) throw fatal(`topic ${topic} has no partition ${partition}`);
    return found;
  }

  committed(group: string, { topic, partition }: TopicPartition): bigint | undefined {
    return this.#commits.get(commitKey(group, topic, partition))?.offset;
  }

  /** @param nowMs absent while a file is read: `expire` follows */
  apply(entry: LogEntry, nowMs?: number): void {
    if (entry.kind === 'topic') {
      const partitions = Array.from({ length: entry.spec.partitions }, (): Partition => ({ first: 0n, records: [] }));
      this.#topics.set(entry.spec.name, { spec: entry.spec, partitions });
    } else if (entry.kind === 'record') {
      const { spec, partitions } = this.topic(entry.record.topic);
      const partition = partitions[entry.record.partition]!;
      partition.records.push(entry.record);
      if (nowMs !== undefined && partition.records.length % retentionStride === 0) dropExpired(spec, partition, nowMs);
    } else if (entry.kind === 'start') {
      this.partition(entry.topic, entry.partition).first = entry.offset;
    } else {
      this.#commits.set(commitKey(entry.group, entry.topic, entry.partition), entry);
    }
  }

  /**
   * Drops records past their retention, and groups that committed nothing for long.
   * @returns the new starts of the partitions that lost records
   */
  expire(nowMs: number): LogEntry[] {
    for (const [key, { atMs }] of this.#commits) if (atMs < nowMs - offsetsRetentionMs) this.#commits.delete(key);
    return [...this.#topics.values()].flatMap(({ spec, partitions }) =>
      [...partitions.entries()].flatMap(([partition, of]): LogEntry[] => {
        const { first } = of;
        dropExpired(spec, of, nowMs);
        return of.first === first ? [] : [{ kind: 'start', topic: spec.name, partition, offset: of.first }];
      }),
    );
  }
}

export const nextOffset = (partition: Partition): bigint => partition.first + BigInt(partition.records.length);

export const fatal = (message: string): EventLogError => new EventLogError('fatal', message, { outcomeUnknown: false });

const commitKey = (group: string, topic: string, partition: number): string => `${group}\n${topic}\n${partition}`;

function dropExpired({ cleanup, retentionMs }: TopicSpec, partition: Partition, nowMs: number): void {
  if (cleanup !== 'delete' || retentionMs < 0) return;
  const kept = partition.records.findIndex((record) => record.timestampMs >= nowMs - retentionMs);
  const expired = kept < 0 ? partition.records.length : kept;
  partition.records.splice(0, expired);
  partition.first += BigInt(expired);
}
