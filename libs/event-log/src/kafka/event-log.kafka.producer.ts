/**
 * Publishes to Kafka without losing acknowledged records.
 *
 * Subtlety: kafkajs' idempotent producer rolls its sequence numbers back when a response is lost, and a concurrent send then reuses them. The broker
 * takes the other record for the duplicate: acknowledged and lost (seen). So at most ONE send is in flight here, behind a queue that batches the
 * waiting records, which restores the throughput. A producer whose send finally failed is thrown away with its producer id. With more than one
 * broker, a send that fails at one of them may be repeated at another: duplicates, never loss.
 */
import { partitionOf, type TopicSpec } from '@cloakroom/contracts';
import kafkajs from 'kafkajs';
import type { Message, Producer, RecordMetadata } from 'kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import { apiKeys, brokerAnswer, createClient, requestTimeoutMs, toEventLogError, within } from './event-log.kafka.client.ts';
import type { KafkaClient, KafkaOptions } from './event-log.kafka.client.ts';
import { EventLogError, assertPublishable, sizeOf } from '../event-log.ts';
import type { OutgoingRecord, Position } from '../event-log.ts';

/** The whole of a publish, waiting included. The gateway's budget for a cart command is longer; a person waits no longer. */
export const publishTimeoutMs = 2_500;
/** One send with its repetition. It is less than a publish, so that records behind a hanging send still have a chance. */
const sendTimeoutMs = 2_000;
/** As many as fit into a send: after a restart a broker says "not the leader" for seconds. A lost answer costs one of them a second. */
const retries = 10;
const maxRetryTimeMs = 200;
/** The queue while the broker hangs: at most 2.5 s of the largest load meant for one process (4,000 records a second). */
const queueRecordsMax = 10_000;
const queueBytesMax = 16 * 1024 * 1024;
/** One send: below the broker's limit of 1 MiB for a partition's batch, even if all goes to one partition. */
const sendRecordsMax = 1_000;
const sendBytesMax = 900_000;
/** Between attempts to connect, while a record waits. */
const reconnectDelayMs = 100;

interface Waiting {
  readonly topic: TopicSpec;
  readonly messages: readonly (Message & { readonly partition: number })[];
  readonly bytes: number;
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: EventLogError) => void;
  readonly timer: NodeJS.Timeout;
  settled: boolean;
}

interface Live {
  readonly client: KafkaClient;
  readonly producer: Producer;
  /** Produce requests passed to a socket since the send began. */
  produced: number;
}

export class KafkaPublisher {
  readonly #options: KafkaOptions;
  readonly #newClient: typeof createClient;
  readonly #queue: Waiting[] = [];
  #queuedRecords = 0;
  #queuedBytes = 0;
  #sending: readonly Waiting[] = [];
  #live: Live | undefined;
  #pumping = false;
  #down = false;
  #closed = false;

  /** @param newClient tests put a slow broker's client here */
  constructor(options: KafkaOptions, newClient: typeof createClient = createClient) {
    this.#options = options;
    this.#newClient = newClient;
  }

  /** @throws EventLogError within `publishTimeoutMs` */
  async publish(topic: TopicSpec, records: readonly OutgoingRecord[]): Promise<Position[]> {
    assertPublishable(topic, records);
    if (this.#closed) throw new EventLogError('fatal', 'the event log is closed', { outcomeUnknown: false });
    if (records.length === 0) return [];
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    if (this.#queuedRecords + records.length > queueRecordsMax || this.#queuedBytes + bytes > queueBytesMax) {
      throw new EventLogError('retriable', `${this.#queuedRecords} records wait already`, { outcomeUnknown: false });
    }
    const messages = records.map((record) => ({
      key: record.key,
      value: record.value,
      headers: { ...record.headers },
      partition: record.partition ?? partitionOf(record.key, topic),
    }));
    return new Promise<Position[]>((resolve, reject) => {
      const waiting: Waiting = {
        topic,
        messages,
        bytes,
        resolve,
        reject,
        settled: false,
        timer: setTimeout(() => this.#expire(waiting), publishTimeoutMs),
      };
      this.#queue.push(waiting);
      this.#queuedRecords += messages.length;
      this.#queuedBytes += bytes;
      this.#pump();
    });
  }

  /** Sends the waiting records, within its time, then disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#pumping) await delay(20);
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    await within(live.producer.disconnect(), requestTimeoutMs, 'disconnecting the producer').catch(() => undefined);
    live.client.destroy();
  }

  #expire(waiting: Waiting): void {
    // A send on its way cannot be called back, and may be written a moment later. This holds even when nothing was passed to a socket yet.
    const outcomeUnknown = this.#sending.includes(waiting);
    const error = new EventLogError('retriable', `not acknowledged within ${publishTimeoutMs} ms`, { outcomeUnknown });
    this.#fail(waiting, error);
    const at = this.#queue.indexOf(waiting);
    if (at >= 0) this.#unqueue(at);
  }

  #unqueue(at: number): void {
    const [waiting] = this.#queue.splice(at, 1);
    this.#queuedRecords -= waiting!.messages.length;
    this.#queuedBytes -= waiting!.bytes;
  }

  #fail(waiting: Waiting, error: EventLogError): void {
    if (waiting.settled) return;
    waiting.settled = true;
    clearTimeout(waiting.timer);
    waiting.reject(error);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#drain().finally(() => {
      this.#pumping = false;
      if (this.#queue.length > 0) this.#pump();
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      this.#live ??= await this.#connect();
      if (this.#live === undefined) await delay(reconnectDelayMs);
      else if (this.#queue.length > 0) await this.#send(this.#live, this.#take());
    }
  }

  async #connect(): Promise<Live | undefined> {
    const client = this.#newClient(this.#options, { retries, maxRetryTimeMs }, ({ apiKey }) => {
      if (apiKey === apiKeys.produce && this.#live?.client === client) this.#live.produced++;
    });
    const producer = client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: { retries, initialRetryTime: 50, maxRetryTime: maxRetryTimeMs },
    });
    try {
      await within(producer.connect(), publishTimeoutMs, 'connecting to Kafka');
      return { client, producer, produced: 0 };
    } catch (error) {
      client.destroy();
      this.#outage(error);
      return undefined;
    }
  }

  /** Takes all waiting records of one topic, oldest first, so that an error of another topic does not touch them. */
  #take(): Waiting[] {
    const first = this.#queue[0]!;
    const taken: Waiting[] = [];
    let records = 0;
    let bytes = 0;
    for (let at = 0; at < this.#queue.length;) {
      const waiting = this.#queue[at]!;
      const fits = taken.length === 0 || (records + waiting.messages.length <= sendRecordsMax && bytes + waiting.bytes <= sendBytesMax);
      if (waiting.topic.name !== first.topic.name) {
        at++;
        continue;
      }
      if (!fits) break;
      taken.push(waiting);
      records += waiting.messages.length;
      bytes += waiting.bytes;
      this.#unqueue(at);
    }
    return taken;
  }

  async #send(live: Live, batch: readonly Waiting[]): Promise<void> {
    const { topic } = batch[0]!;
    const messages = batch.flatMap((waiting) => waiting.messages);
    this.#sending = batch;
    live.produced = 0;
    try {
      const sent = live.producer.send({ topic: topic.name, acks: -1, timeout: requestTimeoutMs, messages });
      acknowledge(topic, batch, await within(sent, sendTimeoutMs, `publishing to ${topic.name}`));
      if (this.#down) this.#options.log.info({}, 'Kafka takes records again');
      this.#down = false;
    } catch (error) {
      // A single answered refusal for one partition is the only failure that proves nothing was written.
      const refused =
        live.produced === 1 && brokerAnswer(error) !== undefined && new Set(messages.map(({ partition }) => partition)).size === 1;
      const failure = toEventLogError(
        error instanceof EventLogError ? new Error(error.message) : error,
        `publishing to ${topic.name}`,
        live.produced > 0 && !refused,
      );
      for (const waiting of batch) this.#fail(waiting, failure);
      // A sequence number was rolled back during this send, so this producer id must never send again.
      this.#live = undefined;
      live.client.destroy();
      this.#outage(error);
    } finally {
      this.#sending = [];
    }
  }

  #outage(error: unknown): void {
    this.#options.log[this.#down ? 'debug' : 'warn']({ err: error }, 'Kafka does not take records; the producer is made anew');
    this.#down = true;
  }
}

/** A partition's records have consecutive offsets in the order in which they were sent. */
function acknowledge(topic: TopicSpec, batch: readonly Waiting[], answers: readonly RecordMetadata[]): void {
  const next = new Map(answers.map(({ partition, baseOffset }): [number, bigint] => [partition, BigInt(baseOffset ?? -1)]));
  for (const waiting of batch) {
    const positions = waiting.messages.map(({ partition }): Position => {
      const offset = next.get(partition);
      if (offset === undefined || offset < 0n) throw new Error(`Kafka acknowledged no offset for ${topic.name}/${partition}`);
      next.set(partition, offset + 1n);
      return { topic: topic.name, partition, offset };
    });
    if (waiting.settled) continue;
    waiting.settled = true;
    clearTimeout(waiting.timer);
    waiting.resolve(positions);
  }
}
