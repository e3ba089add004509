/**
 * The event log in this process's memory, written to a SQLite file: the same semantics as Kafka for one process, under the same contract suite.
 *
 * Declared differences: all services of the process share this one object; there is no replication; compacted topics keep every record. Committed
 * offsets reach the file once a second and at close, so a killed process gets some records again (at-least-once, as always).
 */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers';
import { deadLetterTopic, partitionOf, type TopicSpec } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import { EmbeddedGroup, EmbeddedMember } from './event-log.embedded.group.ts';
import type { Shelf } from './event-log.embedded.group.ts';
import { openLogFile } from './event-log.embedded.file.ts';
import type { LogFile } from './event-log.embedded.file.ts';
import { EmbeddedState, fatal, nextOffset, offsetsRetentionMs } from './event-log.embedded.state.ts';
import type { LogEntry, Partition } from './event-log.embedded.state.ts';
import { publishInSpans } from './event-log.traces.ts';
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
} from './event-log.ts';

export interface EmbeddedOptions {
  /** Without it no record survives the process (tests). */
  readonly file?: string;
  readonly log: EventLogReporter;
  readonly clock: Clock;
}

/** How old a committed offset in the file may be: a process killed within it hands some records over again. */
const commitFlushMs = 1_000;
/** Records of one transaction, unless one publish has more: some milliseconds in which no other work runs. The rest waits for the next turn. */
const transactionRecordsMax = 1_000;

/** A publish that waits for its transaction. Its records have no offset yet. */
interface Waiting {
  readonly records: readonly Omit<LogRecord, 'offset'>[];
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: Error) => void;
}

export class EmbeddedEventLog implements EventLog {
  readonly #state = new EmbeddedState();
  readonly #groups = new Map<string, EmbeddedGroup>();
  readonly #unwritten = new Map<string, LogEntry>();
  readonly #members = new Set<EmbeddedMember>();
  readonly #clock: Clock;
  readonly #log: EventLogReporter;
  readonly #file: LogFile | undefined;
  readonly #flush: NodeJS.Timeout;
  readonly #id = randomUUID();
  #waiting: Waiting[] = [];
  #interrupted = false;
  #closed = false;

  constructor({ file, log, clock }: EmbeddedOptions) {
    this.#log = log;
    this.#clock = clock;
    if (file !== undefined) this.#file = this.#open(file);
    this.#flush = setInterval(() => this.#flushCommits(), commitFlushMs);
    this.#flush.unref();
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return settle(() => {
      for (const spec of specs) {
        const known = this.#state.find(spec.name)?.spec;
        if (known === undefined) this.#addTopic(spec);
        else if (known.partitions !== spec.partitions)
          throw fatal(`topic ${spec.name} has ${known.partitions} partitions, not ${spec.partitions}`);
      }
    });
  }

  publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> {
    return publishInSpans(topic, records, (stamped) => this.#publish(topic, stamped));
  }

  async #publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> {
    if (this.#interrupted) throw new EventLogError('retriable', 'the event log does not answer', { outcomeUnknown: false });
    this.#assertOpen();
    this.#state.topic(topic.name);
    assertPublishable(topic, records);
    const timestampMs = this.#clock.nowMs();
    const stamped = records.map(({ key, value, headers = {}, partition = partitionOf(key, topic) }) => {
      // Copied, as a network would: the caller may reuse its buffer.
      return { topic: topic.name, partition, key, value: value === null ? null : Buffer.from(value), headers, timestampMs };
    });
    if (this.#file === undefined) return this.#write(stamped);
    const { promise, resolve, reject } = Promise.withResolvers<Position[]>();
    this.#waiting.push({ records: stamped, resolve, reject });
    // All publishes of one turn of the event loop share a transaction.
    if (this.#waiting.length === 1) setImmediate(() => this.#writeWaiting());
    return promise;
  }

  #writeWaiting(): void {
    let count = 0;
    const beyond = this.#waiting.findIndex(({ records }, index) => (count += records.length) > transactionRecordsMax && index > 0);
    const taken = this.#waiting.splice(0, beyond < 0 ? this.#waiting.length : beyond);
    if (this.#waiting.length > 0) setImmediate(() => this.#writeWaiting());
    try {
      const positions = this.#write(taken.flatMap(({ records }) => records));
      let at = 0;
      for (const { records, resolve } of taken) resolve(positions.slice(at, (at += records.length)));
    } catch (error) {
      for (const { reject } of taken) reject(error as Error);
    }
  }

  /** Appends all records or none. */
  #write(records: Waiting['records']): Position[] {
    const nextOf = new Map<Partition, bigint>();
    const appended = records.map((record): LogEntry & { readonly kind: 'record' } => {
      const of = this.#state.partition(record.topic, record.partition);
      const offset = nextOf.get(of) ?? nextOffset(of);
      nextOf.set(of, offset + 1n);
      return { kind: 'record', record: { ...record, offset } };
    });
    this.#append(appended);
    this.#wake();
    return appended.map(({ record: { topic, partition, offset } }) => ({ topic, partition, offset }));
  }

  subscribe(options: SubscribeOptions): Promise<Subscription> {
    return settle(() => {
      this.#assertOpen();
      for (const topic of options.topics) this.#state.topic(topic.name);
      const group = this.#groups.get(options.group) ?? new EmbeddedGroup();
      this.#groups.set(options.group, group);
      const member = new EmbeddedMember(group, options, this.#shelf());
      this.#members.add(member);
      void group.join(member);
      return member;
    });
  }

  offsetsByTime(topic: TopicSpec, timestampMs: number): Promise<Map<number, bigint>> {
    return settle(() => {
      const offsets = this.#state.topic(topic.name).partitions.map((partition): bigint => {
        const found = partition.records.find((record) => record.timestampMs >= timestampMs);
        return found?.offset ?? nextOffset(partition);
      });
      return new Map(offsets.entries());
    });
  }

  bounds(topic: TopicSpec): Promise<Map<number, { readonly first: bigint; readonly next: bigint }>> {
    return settle(() => {
      const bounds = this.#state.topic(topic.name).partitions.map((partition) => ({ first: partition.first, next: nextOffset(partition) }));
      return new Map(bounds.entries());
    });
  }

  lag(group: string, topic: TopicSpec): Promise<PartitionLag[]> {
    return settle(() =>
      this.#state.topic(topic.name).partitions.map((of, partition) => {
        const committed = this.#state.committed(group, { topic: topic.name, partition }) ?? of.first;
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
    while (this.#waiting.length > 0) this.#writeWaiting();
    this.#flushCommits();
    this.#file?.close();
  }

  /** For tests and labs: the log falls silent from now on, as a paused broker does. */
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
        const of = this.#state.partition(topic, partition);
        return { first: of.first, next: nextOffset(of) };
      },
      read: (topic, partition, from, recordsMax) => {
        const of = this.#state.partition(topic, partition);
        // The offset is below the retained part: go on with the oldest kept record.
        const at = Number((from < of.first ? of.first : from) - of.first);
        const records = of.records.slice(at, at + recordsMax);
        if (records.length === 0) return undefined;
        return { topic, partition, records, highWatermark: nextOffset(of), fetchStartedMs: this.#clock.monotonicMs() };
      },
      committed: (group, partition) => this.#state.committed(group, partition),
      commit: (group, { topic, partition }, offset) => {
        const entry = { kind: 'commit', group, topic, partition, offset, atMs: this.#clock.nowMs() } as const;
        this.#state.apply(entry, entry.atMs);
        this.#unwritten.set(`${group}\n${topic}\n${partition}`, entry);
      },
      publishDeadLetter: (record, headers) => this.#publishDeadLetter(record, headers),
      left: (member) => this.#members.delete(member),
    };
  }

  async #publishDeadLetter(record: LogRecord, headers: RecordHeaders): Promise<Position> {
    const target = deadLetterTopic(this.#state.topic(record.topic).spec);
    await this.ensureTopics([target]);
    const [position] = await this.publish(target, [{ key: record.key, value: record.value, headers, partition: record.partition }]);
    return position!;
  }

  #addTopic(spec: TopicSpec): void {
    this.#assertOpen();
    this.#append([{ kind: 'topic', spec }]);
  }

  #append(entries: readonly LogEntry[]): void {
    this.#file?.append(entries);
    const nowMs = this.#clock.nowMs();
    for (const entry of entries) this.#state.apply(entry, nowMs);
  }

  #flushCommits(): void {
    const entries = [...this.#unwritten.values()];
    if (entries.length === 0) return;
    this.#unwritten.clear();
    try {
      this.#file?.append(entries);
    } catch (error) {
      // A lost commit costs only progress: the partition's next commit covers it.
      this.#log.error({ err: error }, 'committed offsets could not be written');
    }
  }

  #wake(): void {
    for (const group of this.#groups.values()) group.wake();
  }

  #assertOpen(): void {
    if (this.#closed) throw fatal('the event log is closed');
  }

  #open(path: string): LogFile {
    const file = openLogFile(path, this.#log, (entry) => this.#state.apply(entry));
    const nowMs = this.#clock.nowMs();
    const starts = this.#state.expire(nowMs);
    try {
      if (starts.length > 0) file.append(starts);
      file.shrink(nowMs - offsetsRetentionMs);
    } catch (error) {
      // Records that could be read are served; the next open deletes them.
      this.#log.warn({ err: error }, 'records past their retention could not be deleted from the event log');
    }
    return file;
  }
}

/** The port is asynchronous, and so are its failures. */
function settle<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
