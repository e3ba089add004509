/**
 * One member of a Kafka consumer group, for as long as the subscription lives. kafkajs consumers come and go under it.
 *
 * Subtleties kept here:
 * - A crash that kafkajs will not repair, or silence, ends a consumer. A new one follows with a bounded delay, for ever.
 * - Freshness is counted from answered fetches (event-log.kafka.freshness.ts).
 * - A generation's right to commit ends with it: batches that it still handles are not committed under the next one.
 */
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { aborted, deliver, pause as wait, type Delivery } from '../event-log.delivery.ts';
import { settingsFor } from './event-log.kafka.assigner.ts';
import { Generation, batchesOf, keyOf, withHeartbeats } from './event-log.kafka.generation.ts';
import { createClient, requestTimeoutMs, within, type KafkaClient, type KafkaOptions } from './event-log.kafka.client.ts';
import { commitNow, Commits } from './event-log.kafka.commits.ts';
import { Freshness } from './event-log.kafka.freshness.ts';
import type { RecordBatch, SubscribeOptions, Subscription, TopicPartition } from '../event-log.ts';

/** A killed member's partitions idle this long. The broker's minimum and three heartbeats fit into it. */
const sessionTimeoutMs = 6_000;
const heartbeatMs = 2_000;
/** How long a rebalance waits for a member whose handler is at work. */
const rebalanceTimeoutMs = 10_000;
/** An idle fetch returns after this: the grain of `lastHeardMs`. */
const fetchWaitMs = 500;
/** For each topic. All of it, so that a handler can write together what one fetch brought, which kafkajs holds in memory anyway: 10 MB of a broker. */
const concurrentPartitions = 24;
const retries = 8;
const maxRetryTimeMs = 1_000;
/** Restart of a crashed consumer: soon, and at least every second, so that it notices a broker's return. Each restart tries for seconds itself. */
const restartDelayFirstMs = 250;
const restartDelayMaxMs = 1_000;
/** No answer for this long and no handler at work: kafkajs is stuck, or the broker is paused. A new consumer cannot be worse. */
const silenceMaxMs = 20_000;
/** A join takes less. kafkajs forgets a join that a new coordinator refused, and fetches on as the old member: no batch would ever be handled again. */
const unassignedMaxMs = 2 * rebalanceTimeoutMs;
/** The process has 8 s to stop (runProcess): a handler in progress gets most of it. */
const stopTimeoutMs = 6_000;

/** The part of the log that a member uses. */
export interface Owner {
  readonly publishDeadLetter: Delivery['publishDeadLetter'];
  readonly left: () => void;
}

interface Run {
  readonly client: KafkaClient;
  readonly consumer: Consumer;
  readonly over: PromiseWithResolvers<string>;
  readonly joined: Promise<unknown>;
}

export class KafkaSubscription implements Subscription {
  readonly ready: Promise<void>;
  readonly #options: SubscribeOptions;
  readonly #kafka: KafkaOptions;
  readonly #owner: Owner;
  readonly #newClient: typeof createClient;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  readonly #paused = new Map<string, TopicPartition>();
  readonly #freshness: Freshness;
  readonly #supervised: Promise<void>;
  #activeMs: number;
  /** When this member was last seen to have a share, or began. */
  #assignedMs: number;
  #handling = 0;
  #down = false;
  #run: Run | undefined;
  #stopped: Promise<void> | undefined;
  #generation = Generation.none;
  #commits = Commits.none;

  constructor(kafka: KafkaOptions, options: SubscribeOptions, owner: Owner, newClient = createClient) {
    this.#kafka = kafka;
    this.#options = options;
    this.#owner = owner;
    this.#newClient = newClient;
    this.ready = this.#ready.promise;
    this.#freshness = new Freshness(
      () => kafka.clock.monotonicMs(),
      () => this.#handling === 0,
    );
    this.#activeMs = this.#assignedMs = kafka.clock.monotonicMs();
    this.#supervised = this.#supervise();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.set(keyOf(partition), partition);
    this.#applyPauses();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(keyOf(partition));
    if (this.#generation.live) this.#run?.consumer.resume(partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
  }

  seek(topic: string, partition: number, offset: bigint): void {
    // kafkajs would keep the seek of a partition that is not ours, and apply it much later, when the partition comes back.
    if (!this.#generation.has({ topic, partition })) return;
    this.#run?.consumer.seek({ topic, partition, offset: String(offset) });
  }

  assigned(): readonly TopicPartition[] {
    return this.#generation.live ? this.#generation.partitions : [];
  }

  lastHeardMs(): number | undefined {
    return this.#freshness.heardMs;
  }

  unassignedMs(): number {
    const nowMs = this.#kafka.clock.monotonicMs();
    if (this.#generation.live) this.#assignedMs = nowMs;
    return nowMs - this.#assignedMs;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#run !== undefined) await this.#end(this.#run, stopTimeoutMs);
    await this.#supervised;
    this.#owner.left();
    this.#ready.resolve();
  }

  async #supervise(): Promise<void> {
    const { log, clock } = this.#kafka;
    let delayMs = restartDelayFirstMs;
    while (!this.#stopping.signal.aborted) {
      const startedMs = clock.monotonicMs();
      const run = this.#begin(startedMs);
      this.#run = run;
      const watchdog = setInterval(() => this.#watch(run, startedMs), silenceMaxMs / 4);
      const reason = await Promise.race([run.over.promise, aborted(this.#stopping.signal)]);
      clearInterval(watchdog);
      if (this.#stopping.signal.aborted) return;
      this.#lose();
      await this.#end(run, rebalanceTimeoutMs);
      delayMs = clock.monotonicMs() - startedMs > silenceMaxMs ? restartDelayFirstMs : Math.min(delayMs * 2, restartDelayMaxMs);
      // Reported once an outage: later failures say the same.
      log[this.#down ? 'debug' : 'warn']({ group: this.#options.group, reason, delayMs }, 'a consumer ended; another one follows');
      this.#down = true;
      await wait(delayMs, this.#stopping.signal);
    }
  }

  #begin(nowMs: number): Run {
    const { group, topics, from } = this.#options;
    const over: Run['over'] = Promise.withResolvers();
    this.#freshness.newClient();
    this.#activeMs = nowMs;
    const client = this.#newClient(this.#kafka, { retries, maxRetryTimeMs }, (request) => this.#freshness.sent(request));
    const consumer = client.kafka.consumer({
      groupId: group,
      ...settingsFor(topics.length),
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: fetchWaitMs,
      minBytes: 1,
      allowAutoTopicCreation: false,
      retry: { retries, initialRetryTime: 100, maxRetryTime: maxRetryTimeMs, restartOnFailure: () => Promise.resolve(false) },
    });
    const { events } = consumer;
    consumer.on(events.REQUEST, ({ payload }) => {
      this.#activeMs = this.#kafka.clock.monotonicMs();
      this.#freshness.answered(payload);
    });
    consumer.on(events.GROUP_JOIN, ({ payload }) => this.#assign(payload.memberAssignment));
    consumer.on(events.REBALANCING, () => this.#lose());
    consumer.on(events.CRASH, ({ payload }) => over.resolve(payload.error.message));
    const joined = (async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning: from === 'earliest' });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrentPartitions * topics.length,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    })();
    joined.catch((error: unknown) => over.resolve(error instanceof Error ? error.message : String(error)));
    return { client, consumer, over, joined };
  }

  /** Leaves the group where it can, within the time. Then this consumer is gone, whatever kafkajs still tries. */
  async #end(run: Run, timeoutMs: number): Promise<void> {
    await within(this.#commits.settled(), requestTimeoutMs, 'committing').catch(() => undefined);
    this.#generation.close();
    // A member that is still joining would be left behind in the group as a ghost until its session ends.
    await within(run.joined, timeoutMs / 2, 'joining').catch(() => undefined);
    await within(run.consumer.disconnect(), timeoutMs, 'leaving the group').catch((error: unknown) => {
      this.#kafka.log.debug({ group: this.#options.group, err: error }, 'a consumer could not leave its group in order');
    });
    run.client.destroy();
    this.#lose();
  }

  #watch({ over }: Run, startedMs: number): void {
    const nowMs = this.#kafka.clock.monotonicMs();
    const unassignedMs = Math.min(this.unassignedMs(), nowMs - startedMs);
    if (this.#handling > 0) return;
    if (nowMs - this.#activeMs > silenceMaxMs) over.resolve(`no answer in ${silenceMaxMs} ms`);
    if (unassignedMs > unassignedMaxMs) over.resolve(`no assignment in ${unassignedMaxMs} ms`);
  }

  #assign(assignment: Record<string, number[]>): void {
    this.#lose();
    this.#freshness.newAssignment();
    if (this.#down) this.#kafka.log.info({ group: this.#options.group }, 'the consumer joined its group again');
    this.#down = false;
    const partitions = Object.entries(assignment).flatMap(([topic, of]) => of.map((partition) => ({ topic, partition })));
    this.#generation = new Generation(partitions, (signal) => this.#announce(partitions, signal));
    const run = this.#run;
    this.#commits = new Commits(
      (offsets) => run?.consumer.commitOffsets(offsets) ?? Promise.resolve(),
      this.#generation.signal,
      this.#kafka.log,
    );
    this.#applyPauses();
    void this.#generation.announced.then(() => this.#ready.resolve());
  }

  #announce(partitions: readonly TopicPartition[], lost: AbortSignal): Promise<void> {
    const { group, onAssigned } = this.#options;
    return Generation.retrying(
      lost,
      () => onAssigned?.(partitions, this),
      (error) => {
        this.#kafka.log.warn({ group, err: error }, 'onAssigned failed; trying again');
      },
    );
  }

  #lose(): void {
    const lost = this.#generation;
    this.unassignedMs();
    this.#generation = Generation.none;
    lost.close();
    if (lost.partitions.length === 0) return;
    try {
      this.#options.onRevoked?.(lost.partitions);
    } catch (error) {
      this.#kafka.log.error({ group: this.#options.group, err: error }, 'onRevoked failed');
    }
  }

  #applyPauses(): void {
    const ours = [...this.#paused.values()].filter((partition) => this.#generation.has(partition));
    if (ours.length > 0) this.#run?.consumer.pause(ours.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const generation = this.#generation;
    const of = { topic: payload.batch.topic, partition: payload.batch.partition };
    if (!generation.has(of)) return;
    // Read before handling: while a batch of a fetch is in hand, kafkajs starts no other fetch at its broker.
    const fetchStartedMs = this.#freshness.batchFetchedMs;
    this.#handling++;
    try {
      await withHeartbeats(payload.heartbeat, heartbeatMs, generation, async (heartbeat) => {
        await generation.announced;
        for (const batch of batchesOf(payload.batch, fetchStartedMs)) {
          if (!payload.isRunning() || generation.over || payload.isStale() || this.#paused.has(keyOf(of))) return;
          if (!(await this.#handle(batch, payload, generation, heartbeat))) return;
        }
      });
    } finally {
      this.#handling--;
    }
  }

  /** @returns whether the whole batch is done */
  async #handle(batch: RecordBatch, payload: EachBatchPayload, generation: Generation, heartbeat: () => Promise<void>): Promise<boolean> {
    const { topic, partition } = batch;
    const done = await deliver(batch, {
      options: this.#options,
      control: this,
      log: this.#kafka.log,
      signal: generation.signal,
      heartbeat,
      sought: () => payload.isStale(),
      publishDeadLetter: this.#owner.publishDeadLetter,
    });
    // Under a new generation the broker would accept a commit for another member's partition. A generation that only heard of a rebalance may still
    // commit: the broker refuses a late commit, and an accepted one spares the next member the repetition.
    if (payload.isStale() || this.#generation !== generation) return false;
    if (done > batch.records[0]!.offset) {
      payload.resolveOffset(String(done - 1n));
      this.#commits.add({ topic, partition, offset: String(done) });
      // The last commit of a generation: kafkajs' own commit sends nothing while it stops.
      if (generation.over) await commitNow(this.#commits, payload);
    }
    return done > batch.records.at(-1)!.offset;
  }
}
