/**
 * Consumer groups of the embedded log: members in one process share the partitions, eagerly rebalanced as in Kafka. Subtlety: a rebalance first stops
 * every member and waits for the handlers in progress, so no two members hold a partition. A member that does not finish in time is cut off as Kafka
 * would, and its commit is refused because its assignment is over.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@cloakroom/platform';
import { deliver, pause, retryLaterDelayMs } from './event-log.delivery.ts';
import type { Delivery } from './event-log.delivery.ts';
import type { EventLogReporter, RecordBatch, SubscribeOptions, Subscription, TopicPartition } from './event-log.ts';

/** Kafka bounds its fetches by bytes; this bounds them by records. A view update is tested with this many. */
export const batchRecordsMax = 500;
/** How long a rebalance waits for a handler in progress (Kafka adapter: rebalanceTimeout). */
const rebalanceWaitMs = 10_000;

/** The part of the log that a member uses. */
export interface Shelf {
  readonly clock: Clock;
  readonly log: EventLogReporter;
  /** undefined when there is nothing at or after `from` now. */
  read(topic: string, partition: number, from: bigint, recordsMax: number): RecordBatch | undefined;
  bounds(topic: string, partition: number): { readonly first: bigint; readonly next: bigint };
  /** Whether the log answers at all (`interrupt` makes it silent). */
  heard(): boolean;
  publishDeadLetter: Delivery['publishDeadLetter'];
  committed(group: string, partition: TopicPartition): bigint | undefined;
  commit(group: string, partition: TopicPartition, offset: bigint): void;
  left(member: EmbeddedMember): void;
}

export class EmbeddedGroup {
  readonly #members: EmbeddedMember[] = [];
  #changing: Promise<void> = Promise.resolve();

  join(member: EmbeddedMember): Promise<void> {
    this.#members.push(member);
    return this.#rebalance();
  }

  async leave(member: EmbeddedMember): Promise<void> {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    await member.revoke();
    void this.#rebalance();
  }

  wake(): void {
    for (const member of this.#members) member.wake();
  }

  #rebalance(): Promise<void> {
    // Rebalances run one at a time: a change during a rebalance causes another one after it.
    this.#changing = this.#changing.then(async () => {
      const members = [...this.#members];
      await Promise.all(members.map((member) => member.revoke()));
      // A member that left meanwhile gets nothing; a rebalance for its leaving is already queued.
      const present = members.filter((member) => this.#members.includes(member));
      for (const [member, partitions] of shares(present)) member.assign(partitions);
    });
    return this.#changing;
  }
}

/** Round robin over each topic's members, as kafkajs' assigner does. */
function shares(members: readonly EmbeddedMember[]): Map<EmbeddedMember, TopicPartition[]> {
  const result = new Map(members.map((member): [EmbeddedMember, TopicPartition[]] => [member, []]));
  const topics = new Map(members.flatMap((member) => member.options.topics.map((topic) => [topic.name, topic])));
  for (const topic of topics.values()) {
    const readers = members.filter((member) => member.options.topics.some(({ name }) => name === topic.name));
    for (let partition = 0; partition < topic.partitions; partition++) {
      result.get(readers[partition % readers.length]!)!.push({ topic: topic.name, partition });
    }
  }
  return result;
}

/** One assigned partition and the loop that reads it. */
interface Pump extends TopicPartition {
  position: bigint;
  /** Grows with each seek, so that a batch taken before it commits nothing. */
  seeks: number;
}

export class EmbeddedMember implements Subscription {
  readonly options: SubscribeOptions;
  readonly ready: Promise<void>;
  readonly #shelf: Shelf;
  readonly #group: EmbeddedGroup;
  readonly #ready = Promise.withResolvers<void>();
  readonly #paused = new Set<string>();
  #pumps = new Map<string, Pump>();
  #lost = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #wakeUp = Promise.withResolvers<void>();
  #heardMs: number | undefined;

  constructor(group: EmbeddedGroup, options: SubscribeOptions, shelf: Shelf) {
    this.#group = group;
    this.options = options;
    this.#shelf = shelf;
    this.ready = this.#ready.promise;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.add(keyOf(partition));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#paused.delete(keyOf(partition));
    this.wake();
  }

  seek(topic: string, partition: number, offset: bigint): void {
    const pump = this.#pumps.get(keyOf({ topic, partition }));
    if (pump === undefined) return;
    pump.position = offset;
    pump.seeks++;
    this.wake();
  }

  assigned(): readonly TopicPartition[] {
    return [...this.#pumps.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  lastHeardMs(): number | undefined {
    // Memory answers at once, so asking counts as an answered fetch.
    if (this.#pumps.size > 0 && this.#shelf.heard()) this.#heardMs = this.#shelf.clock.monotonicMs();
    return this.#heardMs;
  }

  /** A group in memory gives a member its share in the call that takes it in. */
  unassignedMs(): number {
    return 0;
  }

  async stop(): Promise<void> {
    await this.#group.leave(this);
    this.#shelf.left(this);
    this.#ready.resolve();
  }

  wake(): void {
    this.#wakeUp.resolve();
    this.#wakeUp = Promise.withResolvers<void>();
  }

  /** Takes every partition away. Resolves when the handlers in progress are done, or are given up. */
  async revoke(): Promise<void> {
    this.#lost.abort();
    this.wake();
    const waited = new AbortController();
    const late = pause(rebalanceWaitMs, waited.signal).then(() => !waited.signal.aborted);
    if (await Promise.race([late, this.#running.then(() => false)])) {
      this.#shelf.log.error(
        { group: this.options.group },
        'a handler did not finish within the rebalance time; its partitions go to others',
      );
    }
    waited.abort();
    const lost = this.assigned();
    this.#pumps = new Map();
    if (lost.length > 0) this.options.onRevoked?.(lost);
  }

  assign(partitions: readonly TopicPartition[]): void {
    const lost = new AbortController();
    this.#lost = lost;
    this.#pumps = new Map(partitions.map((of) => [keyOf(of), { ...of, position: this.#startOf(of), seeks: 0 }]));
    this.#running = this.#run(partitions, lost.signal);
  }

  #startOf(of: TopicPartition): bigint {
    const bounds = this.#shelf.bounds(of.topic, of.partition);
    const from = this.#shelf.committed(this.options.group, of);
    // Kafka's reset policy: an offset that no longer exists falls back to a new group's beginning.
    if (from !== undefined && from >= bounds.first && from <= bounds.next) return from;
    return this.options.from === 'earliest' ? bounds.first : bounds.next;
  }

  async #run(partitions: readonly TopicPartition[], lost: AbortSignal): Promise<void> {
    while (!lost.aborted) {
      try {
        await this.options.onAssigned?.(partitions, this);
        break;
      } catch (error) {
        this.#shelf.log.warn({ group: this.options.group, err: error }, 'onAssigned failed; trying again');
        await pause(retryLaterDelayMs, lost);
      }
    }
    this.#ready.resolve();
    await Promise.all([...this.#pumps.values()].map((pump) => this.#pump(pump, lost)));
  }

  async #pump(pump: Pump, lost: AbortSignal): Promise<void> {
    while (!lost.aborted) {
      const wakeUp = this.#wakeUp.promise;
      const idle = this.#paused.has(keyOf(pump)) || !this.#shelf.heard();
      const found = idle ? undefined : this.#shelf.read(pump.topic, pump.partition, pump.position, batchRecordsMax);
      if (found === undefined) {
        await wakeUp;
        continue;
      }
      try {
        await this.#handle(pump, found, lost);
      } catch (error) {
        this.#shelf.log.error({ group: this.options.group, topic: pump.topic, partition: pump.partition, err: error }, 'a delivery failed');
        await pause(retryLaterDelayMs, lost);
      }
      // A long backlog must not keep timers and sockets waiting.
      await nextTurn();
    }
  }

  async #handle(pump: Pump, batch: RecordBatch, lost: AbortSignal): Promise<void> {
    const seeksBefore = pump.seeks;
    const sought = (): boolean => pump.seeks !== seeksBefore;
    const done = await deliver(batch, {
      options: this.options,
      control: this,
      log: this.#shelf.log,
      signal: lost,
      heartbeat: () => Promise.resolve(),
      sought,
      publishDeadLetter: this.#shelf.publishDeadLetter,
    });
    // The rebalance gave up on this handler, so another member owns the partition now (a fenced commit in Kafka).
    if (this.#pumps.get(keyOf(pump)) !== pump || sought()) return;
    pump.position = done;
    if (done > batch.records[0]!.offset) this.#shelf.commit(this.options.group, pump, done);
  }
}

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
