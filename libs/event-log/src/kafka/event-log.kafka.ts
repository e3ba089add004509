/** The event log on Apache Kafka. Only this file and event-log.kafka.*.ts know kafkajs; see docs/decisions/0003-kafkajs-behind-a-port.md. */
import { deadLetterTopic, type TopicSpec } from '@cloakroom/contracts';
import type { Admin } from 'kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import { brokerAnswer, createClient, toEventLogError, within } from './event-log.kafka.client.ts';
import type { KafkaClient, KafkaOptions } from './event-log.kafka.client.ts';
import { KafkaSubscription } from './event-log.kafka.consumer.ts';
import { KafkaPublisher } from './event-log.kafka.producer.ts';
import { publishInSpans } from '../event-log.traces.ts';
import { EventLogError } from '../event-log.ts';
import type {
  EventLog,
  LogRecord,
  OutgoingRecord,
  PartitionLag,
  Position,
  RecordHeaders,
  SubscribeOptions,
  Subscription,
} from '../event-log.ts';

/** A question to the broker. Asked at start and by probes, never while a person waits. */
const askTimeoutMs = 5_000;
/** The same for /readyz, which probes ask every few seconds. */
const describeTimeoutMs = 2_000;
/** Topics at a first start: 24 partitions take a busy broker about a second. */
const topicsTimeoutMs = 15_000;
const leaderPollMs = 100;
const retries = 4;
const maxRetryTimeMs = 500;

interface Asker {
  readonly client: KafkaClient;
  readonly admin: Admin;
  readonly connected: Promise<void>;
}

export class KafkaEventLog implements EventLog {
  readonly #options: KafkaOptions;
  readonly #newClient: typeof createClient;
  readonly #publisher: KafkaPublisher;
  readonly #subscriptions = new Set<KafkaSubscription>();
  readonly #specs = new Map<string, TopicSpec>();
  #asker: Asker | undefined;
  #closed = false;

  constructor(options: KafkaOptions, newClient: typeof createClient = createClient) {
    this.#options = options;
    this.#newClient = newClient;
    this.#publisher = new KafkaPublisher(options);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    const end = this.#options.clock.monotonicMs() + topicsTimeoutMs;
    const created = new Set<string>();
    for (;;) {
      try {
        await this.#ask('ensuring topics', (admin) => createAndCheck(admin, specs, this.#options, created).catch(rethrowKnownLater));
        for (const spec of specs) this.#specs.set(spec.name, spec);
        return;
      } catch (error) {
        if (error instanceof EventLogError && error.kind !== 'retriable') throw error;
        if (this.#options.clock.monotonicMs() > end) throw error;
        await delay(leaderPollMs);
      }
    }
  }

  publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> {
    return publishInSpans(topic, records, (stamped) => this.#publisher.publish(topic, stamped));
  }

  subscribe(options: SubscribeOptions): Promise<Subscription> {
    if (this.#closed) return Promise.reject(new EventLogError('fatal', 'the event log is closed', { outcomeUnknown: false }));
    for (const topic of options.topics) this.#specs.set(topic.name, topic);
    const subscription = new KafkaSubscription(this.#options, options, {
      publishDeadLetter: (record, headers) => this.#publishDeadLetter(record, headers),
      left: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return Promise.resolve(subscription);
  }

  offsetsByTime(topic: TopicSpec, timestampMs: number): Promise<Map<number, bigint>> {
    return this.#ask(`offsets of ${topic.name}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic.name, timestampMs);
      return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
    });
  }

  bounds(topic: TopicSpec): Promise<Map<number, { readonly first: bigint; readonly next: bigint }>> {
    return this.#askUntilKnown(`bounds of ${topic.name}`, async (admin) => {
      const offsets = await topicOffsets(admin, topic.name);
      return new Map(offsets.map(({ partition, low, high }) => [partition, { first: BigInt(low), next: BigInt(high) }]));
    });
  }

  lag(group: string, topic: TopicSpec): Promise<PartitionLag[]> {
    return this.#askUntilKnown(`lag of ${group}`, async (admin) => {
      const [offsets, committed] = await Promise.all([
        topicOffsets(admin, topic.name),
        admin.fetchOffsets({ groupId: group, topics: [topic.name] }),
      ]);
      const at = new Map(committed.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, BigInt(offset)])));
      return offsets.map(({ partition, low, high }) => {
        const next = at.get(partition) ?? -1n;
        return { topic: topic.name, partition, records: BigInt(high) - (next < 0n ? BigInt(low) : next) };
      });
    });
  }

  async describe(): Promise<{ readonly kind: 'kafka'; readonly clusterId: string }> {
    const { clusterId } = await this.#ask('describing the cluster', (admin) => admin.describeCluster(), describeTimeoutMs);
    return { kind: 'kafka', clusterId };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
    await this.#publisher.close();
    if (this.#asker !== undefined) this.#discard(this.#asker);
  }

  async #publishDeadLetter(record: LogRecord, headers: RecordHeaders): Promise<Position> {
    const target = deadLetterTopic(this.#specs.get(record.topic)!);
    if (!this.#specs.has(target.name)) await this.ensureTopics([target]);
    const [position] = await this.publish(target, [{ key: record.key, value: record.value, headers, partition: record.partition }]);
    return position!;
  }

  /**
   * Asks again for a topic that another process is creating. Each try uses a new client, since kafkajs remembers for minutes that it found no
   * partition.
   */
  async #askUntilKnown<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    const end = this.#options.clock.monotonicMs() + askTimeoutMs;
    for (;;) {
      try {
        return await this.#ask(what, question);
      } catch (error) {
        if (!(error instanceof PartitionsUnknown) || this.#options.clock.monotonicMs() > end) throw error;
        await delay(leaderPollMs);
      }
    }
  }

  async #ask<T>(what: string, question: (admin: Admin) => Promise<T>, timeoutMs = askTimeoutMs): Promise<T> {
    if (this.#closed) throw new EventLogError('fatal', 'the event log is closed', { outcomeUnknown: false });
    const asker = (this.#asker ??= this.#openAsker());
    try {
      return await within(
        asker.connected.then(() => question(asker.admin)),
        timeoutMs,
        what,
      );
    } catch (error) {
      // After a failure kafkajs keeps a broken connection, and asks for missing topics in every later request.
      if (!(error instanceof EventLogError && error.kind === 'fatal')) this.#discard(asker);
      throw toEventLogError(error, what, false);
    }
  }

  #openAsker(): Asker {
    const client = this.#newClient(this.#options, { retries, maxRetryTimeMs });
    const admin = client.kafka.admin({ retry: { retries, initialRetryTime: 50, maxRetryTime: maxRetryTimeMs } });
    return { client, admin, connected: admin.connect() };
  }

  #discard(asker: Asker): void {
    if (this.#asker === asker) this.#asker = undefined;
    asker.client.destroy();
  }
}

class PartitionsUnknown extends EventLogError {}

/** kafkajs throws a TypeError over its own empty answer, when the broker has told it of no partition yet. */
async function topicOffsets(admin: Admin, topic: string) {
  try {
    return await admin.fetchTopicOffsets(topic);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new PartitionsUnknown('retriable', `no partition of ${topic} is known yet`, { outcomeUnknown: false });
  }
}

/**
 * An unknown topic was created, and not every broker knows it yet. Or another question of the same client asked for it: kafkajs then asks for it in
 * every request.
 */
function rethrowKnownLater(error: unknown): never {
  if (brokerAnswer(error) === 'UNKNOWN_TOPIC_OR_PARTITION')
    throw new EventLogError('retriable', 'a topic is not known yet', { outcomeUnknown: false, cause: error });
  throw error;
}

/**
 * Throws retriably until every partition of every topic has a leader.
 * @param created filled with the topics made here, across attempts
 */
async function createAndCheck(
  admin: Admin,
  specs: readonly TopicSpec[],
  { replicationFactor, log }: KafkaOptions,
  created: Set<string>,
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = specs.filter(({ name }) => !existing.has(name));
  for (const { name } of missing) created.add(name);
  if (missing.length > 0) await create(admin, missing, replicationFactor);
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) });
  for (const spec of specs) {
    const partitions = topics.find(({ name }) => name === spec.name)?.partitions ?? [];
    if (partitions.some(({ leader, partitionErrorCode }) => leader < 0 || partitionErrorCode !== 0) || partitions.length === 0) {
      throw new EventLogError('retriable', `topic ${spec.name} has no leader yet`, { outcomeUnknown: false });
    }
    if (partitions.length !== spec.partitions) {
      throw new EventLogError('fatal', `topic ${spec.name} has ${partitions.length} partitions, not ${spec.partitions}`, {
        outcomeUnknown: false,
      });
    }
    // The topic was made when the cluster was smaller, or by another tool. It works, and loses records with a broker.
    const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
    if (copies < (replicationFactor ?? 1))
      log.warn({ topic: spec.name, copies, replicationFactor }, 'a topic has fewer copies than it should');
  }
  // Metadata names a leader before that broker knows of it. Until then the broker refuses all clients.
  await Promise.all([...created].map((topic) => topicOffsets(admin, topic)));
}

async function create(admin: Admin, specs: readonly TopicSpec[], replicationFactor: number | undefined): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: false,
      topics: specs.map((spec) => ({
        topic: spec.name,
        numPartitions: spec.partitions,
        ...(replicationFactor !== undefined && { replicationFactor }),
        configEntries: [
          { name: 'cleanup.policy', value: spec.cleanup },
          // The broker's clock: one for all producers, so that offsetsByTime never skips a record of a producer whose clock is behind.
          { name: 'message.timestamp.type', value: spec.stampedBy === 'origin' ? 'CreateTime' : 'LogAppendTime' },
          // All copies but one: a broker may fail, and every acknowledged record has another copy. Below three copies one failed broker would stop
          // all writes.
          ...(replicationFactor !== undefined && replicationFactor >= 3
            ? [{ name: 'min.insync.replicas', value: String(replicationFactor - 1) }]
            : []),
          ...(spec.cleanup === 'delete' ? [{ name: 'retention.ms', value: String(spec.retentionMs) }] : []),
        ],
      })),
    });
  } catch (error) {
    // Another process was faster. The check that follows tells whether it made the same topic.
    const answers = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
    if (!answers.every((answer) => brokerAnswer(answer) === 'TOPIC_ALREADY_EXISTS')) throw error;
  }
}
