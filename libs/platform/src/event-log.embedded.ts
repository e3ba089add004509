/**
 * The event log in this process's memory, mirrored to a file: the same semantics as Kafka for one process, under the same contract suite.
 *
 * Declared differences: all services of the process share this one object; no replication; committed offsets reach the file once a second
 * and at close, so a killed process is handed some records again (at-least-once, as always); compacted topics keep every record.
 */
import { randomUUID } from 'node:crypto';
import { deadLetterTopic, partitionOf } from '@cloakroom/contracts';
import type { TopicSpec } from '@cloakroom/contracts';
import type { Clock } from './clock.ts';
import { EmbeddedGroup, EmbeddedMember, keyOf } from './event-log.embedded.group.ts';
import type { Shelf } from './event-log.embedded.group.ts';
import { openJournal, readJournal, rewriteJournal } from './event-log.embedded.journal.ts';
import type { Journal, JournalEntry } from './event-log.embedded.journal.ts';
import { EventLogError, assertPublishable } from './event-log.ts';
import type {
  EventLog,
  EventLogReporter,
  LogRecord,
  OutgoingRecord,
  PartitionLag,
  Position,
  RecordHeaders,
  SubscribeOptions,
  Subscription,
  TopicPartition,
} from './event-log.ts';

export interface EmbeddedOptions {
  /** Absent: nothing survives the process (tests). */
  readonly file?: string;
  readonly log: EventLogReporter;
  readonly clock: Clock;
}

/** How old a committed offset in the file may be: a process killed within it hands some records over again. */
const commitFlushMs = 1_000;
/** Offsets of groups that nobody used for so long are forgotten at open (Kafka: offsets.retention.minutes, 7 days). */
const offsetsRetentionMs = 7 * 24 * 60 * 60 * 1000;
/** Retention is looked at when a partition has grown by so many records: dropping one by one would copy the array each time. */
const retentionStride = 1_000;
/** The file is rewritten at open when so much of it is dead; not while running. */
const deadShareMax = 0.5;

interface Partition {
  /** Offset of `records[0]`. */
  first: bigint;
  records: LogRecord[];
}

interface Topic {
  readonly spec: TopicSpec;
  readonly partitions: Partition[];
}

export class EmbeddedEventLog implements EventLog {
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, EmbeddedGroup>();
  readonly #offsets = new Map<string, Map<string, { offset: bigint; atMs: number } & TopicPartition>>();
  readonly #uncommitted = new Map<string, JournalEntry>();
  readonly #members = new Set<EmbeddedMember>();
  readonly #clock: Clock;
  readonly #log: EventLogReporter;
  readonly #journal: Journal | undefined;
  readonly #flush: NodeJS.Timeout;
  readonly #id = randomUUID();
  #interrupted = false;
  #closed = false;

  constructor({ file, log, clock }: EmbeddedOptions) {
    this.#log = log;
    this.#clock = clock;
    if (file !== undefined) this.#journal = this.#open(file);
    this.#flush = setInterval(() => this.#flushCommits(), commitFlushMs);
    this.#flush.unref();
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return settle(() => {
      for (const spec of specs) {
        const known = this.#topics.get(spec.name);
        if (known !== undefined && known.spec.partitions !== spec.partitions) {
          throw fatal(`topic ${spec.name} has ${known.spec.partitions} partitions, not ${spec.partitions}`);
        }
        if (known !== undefined) continue;
        this.#write([{ kind: 'topic', spec }]);
        this.#topics.set(spec.name, newTopic(spec));
      }
    });
  }

  publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> {
    return settle(() => {
      this.#assertOpen();
      if (this.#interrupted) throw new EventLogError('retriable', 'the event log does not answer', { outcomeUnknown: false });
      const { partitions } = this.#topic(topic.name);
      assertPublishable(topic, records);
      const nextOf = partitions.map(nextOffset);
      const timestampMs = this.#clock.nowMs();
      const appended = records.map((record): LogRecord => {
        const partition = record.partition ?? partitionOf(record.key, topic);
        const offset = nextOf[partition]!;
        nextOf[partition] = offset + 1n;
        const { key, headers = {} } = record;
        // Copied, as a wire would: the caller may reuse its buffer.
        const value = record.value === null ? null : Buffer.from(record.value);
        return { topic: topic.name, partition, offset, key, value, headers, timestampMs };
      });
      this.#write(appended.map((record) => ({ kind: 'record', record })));
      for (const record of appended) {
        const partition = partitions[record.partition]!;
        partition.records.push(record);
        if (partition.records.length % retentionStride === 0) this.#retain(topic, partition);
      }
      this.#wake();
      return appended.map(({ partition, offset }) => ({ topic: topic.name, partition, offset }));
    });
  }

  subscribe(options: SubscribeOptions): Promise<Subscription> {
    return settle(() => {
      this.#assertOpen();
      for (const topic of options.topics) this.#topic(topic.name);
      const group = this.#groups.get(options.group) ?? new EmbeddedGroup(options.group);
      this.#groups.set(options.group, group);
      const member = new EmbeddedMember(group, options, this.#shelf());
      this.#members.add(member);
      void group.join(member);
      return member;
    });
  }

  offsetsByTime(topic: TopicSpec, timestampMs: number): Promise<Map<number, bigint>> {
    return settle(() => {
      const offsets = this.#topic(topic.name).partitions.map((partition): bigint => {
        const found = partition.records.find((record) => record.timestampMs >= timestampMs);
        return found?.offset ?? nextOffset(partition);
      });
      return new Map(offsets.entries());
    });
  }

  bounds(topic: TopicSpec): Promise<Map<number, { readonly first: bigint; readonly next: bigint }>> {
    return settle(
      () =>
        new Map(
          this.#topic(topic.name)
            .partitions.map((of) => ({ first: of.first, next: nextOffset(of) }))
            .entries(),
        ),
    );
  }

  lag(group: string, topic: TopicSpec): Promise<PartitionLag[]> {
    return settle(() =>
      this.#topic(topic.name).partitions.map((of, partition) => {
        const committed = this.#offsets.get(group)?.get(keyOf({ topic: topic.name, partition }))?.offset ?? of.first;
        return { topic: topic.name, partition, records: nextOffset(of) - committed };
      }),
    );
  }

  describe(): Promise<{ readonly kind: 'embedded'; readonly clusterId: string }> {
    return Promise.resolve({ kind: 'embedded', clusterId: this.#id });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#members].map((member) => member.stop()));
    clearInterval(this.#flush);
    this.#flushCommits();
    this.#journal?.close();
  }

  /** For tests and labs: from now on the log answers nobody, as a paused broker. */
  interrupt(): void {
    this.#interrupted = true;
  }

  restore(): void {
    this.#interrupted = false;
    this.#wake();
  }

  #shelf(): Shelf {
    return {
      clock: this.#clock,
      log: this.#log,
      heard: () => !this.#interrupted,
      bounds: (topic, partition) => {
        const of = this.#partition(topic, partition);
        return { first: of.first, next: nextOffset(of) };
      },
      read: (topic, partition, from, recordsMax) => {
        const of = this.#partition(topic, partition);
        // Below the retained part: go on with what is left.
        const at = Number((from < of.first ? of.first : from) - of.first);
        const records = of.records.slice(at, at + recordsMax);
        if (records.length === 0) return undefined;
        return { batch: { topic, partition, records, highWatermark: nextOffset(of), fetchStartedMs: this.#clock.monotonicMs() } };
      },
      committed: (group, partition) => this.#offsets.get(group)?.get(keyOf(partition))?.offset,
      commit: (group, partition, offset) => this.#commit(group, partition, offset),
      publishDeadLetter: (record, headers) => this.#publishDeadLetter(record, headers),
    };
  }

  async #publishDeadLetter(record: LogRecord, headers: RecordHeaders): Promise<Position> {
    const target = deadLetterTopic(this.#topic(record.topic).spec);
    await this.ensureTopics([target]);
    const [position] = await this.publish(target, [{ key: record.key, value: record.value, headers, partition: record.partition }]);
    return position!;
  }

  #commit(group: string, { topic, partition }: TopicPartition, offset: bigint, atMs = this.#clock.nowMs()): void {
    const offsets = this.#offsets.get(group) ?? new Map<string, { offset: bigint; atMs: number } & TopicPartition>();
    this.#offsets.set(group, offsets);
    offsets.set(keyOf({ topic, partition }), { topic, partition, offset, atMs });
    this.#uncommitted.set(`${group}/${keyOf({ topic, partition })}`, { kind: 'commit', group, topic, partition, offset, atMs });
  }

  #flushCommits(): void {
    const entries = [...this.#uncommitted.values()];
    if (entries.length === 0) return;
    this.#uncommitted.clear();
    try {
      this.#journal?.append(entries);
    } catch (error) {
      // Nothing is lost by it but progress: the next commit of the partition says more.
      this.#log.error({ err: error }, 'committed offsets could not be written');
    }
  }

  #write(entries: readonly JournalEntry[]): void {
    this.#assertOpen();
    try {
      this.#journal?.append(entries);
    } catch (error) {
      throw new EventLogError('retriable', 'the event log could not be written', { outcomeUnknown: false, cause: error });
    }
  }

  #wake(): void {
    for (const group of this.#groups.values()) group.wake();
  }

  #retain({ cleanup, retentionMs }: TopicSpec, partition: Partition): void {
    if (cleanup === 'delete' && retentionMs >= 0) dropExpired(partition, this.#clock.nowMs() - retentionMs);
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw fatal(`there is no topic ${name}: ensure it first`);
    return topic;
  }

  #partition(topic: string, partition: number): Partition {
    const found = this.#topic(topic).partitions[partition];
    if (found === undefined) throw fatal(`topic ${topic} has no partition ${partition}`);
    return found;
  }

  #assertOpen(): void {
    if (this.#closed) throw fatal('the event log is closed');
  }

  #open(file: string): Journal {
    const { entries, bytes } = readJournal(file, this.#log);
    for (const entry of entries) this.#replay(entry);
    this.#uncommitted.clear();
    for (const { spec, partitions } of this.#topics.values()) for (const partition of partitions) this.#retain(spec, partition);
    if (bytes > 0 && this.#deadShare(entries.length) > deadShareMax) rewriteJournal(file, this.#live());
    return openJournal(file, this.#log);
  }

  #replay(entry: JournalEntry): void {
    if (entry.kind === 'topic') {
      this.#topics.set(entry.spec.name, newTopic(entry.spec));
    } else if (entry.kind === 'record') {
      this.#partition(entry.record.topic, entry.record.partition).records.push(entry.record);
    } else if (entry.kind === 'start') {
      const partition = this.#partition(entry.topic, entry.partition);
      partition.first = entry.offset;
    } else if (entry.atMs > this.#clock.nowMs() - offsetsRetentionMs) {
      this.#commit(entry.group, entry, entry.offset, entry.atMs);
    }
  }

  #deadShare(entries: number): number {
    let live = 0;
    for (const _ of this.#live()) live++;
    return 1 - live / Math.max(entries, 1);
  }

  *#live(): Generator<JournalEntry> {
    for (const [topic, { spec, partitions }] of this.#topics) {
      yield { kind: 'topic', spec };
      for (const [partition, of] of partitions.entries()) {
        if (of.first > 0n) yield { kind: 'start', topic, partition, offset: of.first };
        for (const record of of.records) yield { kind: 'record', record };
      }
    }
    for (const [group, offsets] of this.#offsets) {
      for (const { topic, partition, offset, atMs } of offsets.values()) yield { kind: 'commit', group, topic, partition, offset, atMs };
    }
  }
}

const newTopic = (spec: TopicSpec): Topic => ({
  spec,
  partitions: Array.from({ length: spec.partitions }, () => ({ first: 0n, records: [] })),
});

const nextOffset = (partition: Partition): bigint => partition.first + BigInt(partition.records.length);

function dropExpired(partition: Partition, beforeMs: number): void {
  const kept = partition.records.findIndex((record) => record.timestampMs >= beforeMs);
  const expired = kept < 0 ? partition.records.length : kept;
  partition.records.splice(0, expired);
  partition.first += BigInt(expired);
}

const fatal = (message: string): EventLogError => new EventLogError('fatal', message, { outcomeUnknown: false });

/** The port is asynchronous; so are its failures. */
function settle<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
