/**
 * Keeps the view at the end of the log. The view's watermark says where to read, and never the group's committed offset. So after a
 * rebalance, a crash between apply and commit, or a rolled-back or wiped Redis, the projector seeks every partition to its watermark and
 * continues.
 *
 * A view can also be lost while no record arrives. So once a second the projector compares the place of each partition that it holds with
 * the place that it left. It also does so at once after a reconnect, or when a read finds the place missing.
 *
 * In a shop of several regions the copies of the other logs are read in the same group. A member that has partition p of one log has it of all
 * (event-log.kafka.assigner.ts). Their batches take turns, since each moves the one place of the partition.
 */
import {
  type BatchControl,
  heldBack,
  type LogRecord,
  type RecordBatch,
  RetryLater,
  type Subscription,
  type TopicPartition,
  traceIdOfRecord,
} from '@cloakroom/event-log';
import { deadLetters, realignments } from '../metrics.ts';
import { CarriedCarts } from './carried-carts.ts';
import { markIncomplete } from './dead-letters.ts';
import { LogEnds } from './log-ends.ts';
import type { CartParts } from '../cart.dependencies.ts';
import type { Place } from './cart.view.ts';
import { projectBatch } from './project-batch.ts';
import { pause, silence, Standstill } from './projector.trouble.ts';
import { forgetPartition, noteApplied, noteWaiting } from './projector.lag.ts';
import { lookAtPartitions, settlePartitions } from './rebuild.ts';
import { Room } from './room.ts';
import { sweepPartition } from './snapshots.ts';
import { Turns } from './turns.ts';
import { copiedFrom, isAt, logsOf, nextIn } from './two-logs.ts';

export interface Projector {
  /** Resolves when this process has its first share, each partition at its place. Earlier records are then applied or on their way. */
  readonly ready: Promise<void>;
  /** Milliseconds since a broker last answered; Infinity before the first answer. */
  heardAgoMs(): number;
  /** How many of this region's log are held here; 0 is right where the group has more members than partitions. */
  partitionCount(): number;
  /** Where the log ends, whichever process holds the partition. */
  readonly ends: Pick<LogEnds, 'standing' | 'now'>;
  /** A sentence about the partitions that have not moved for `stuckAfterMs`; undefined when all is well. */
  stuck(): string | undefined;
  /** Called when a read found a partition without a place. */
  realignSoon(): void;
  stop(): Promise<void>;
}

export const projectorGroup = 'cart-projector';
/** How soon a wiped view heals without an event. A check costs 24 GETs. */
const checkIntervalMs = 1_000;
/** Often enough: retention is counted in days. */
const sweepIntervalMs = 10 * 60_000;
/** Between attempts to settle while the view or the log is down. */
const settleRetryMs = 500;

export async function startProjector(parts: CartParts, group: string = projectorGroup): Promise<Projector> {
  return new PartitionProjector(parts, group).start();
}

class PartitionProjector implements Projector {
  readonly #parts: CartParts;
  readonly #group: string;
  /** Where this process left each partition that it holds. */
  readonly #leftAt = new Map<number, Place>();
  /** Partitions that must not be read until they are settled. */
  readonly #unsettled = new Set<number>();
  readonly #turns = new Turns();
  readonly #carried = new CarriedCarts();
  readonly #room = new Room();
  readonly #standstill: Standstill;
  readonly ends: LogEnds;
  #logId = '';
  #subscription: Subscription | undefined;
  #control: BatchControl | undefined;
  #settling: Promise<void> | undefined;
  /** Not the promise itself: that settles a turn later, and a partition that arrives in that turn would never be settled. */
  #settlingNow = false;
  #checking: Promise<void> | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly #stopped = new AbortController();

  constructor(parts: CartParts, group: string) {
    this.#parts = parts;
    this.#group = group;
    this.ends = new LogEnds(parts);
    this.#standstill = new Standstill(() => parts.clock.monotonicMs());
  }

  get ready(): Promise<void> {
    if (this.#subscription === undefined) return Promise.reject(new Error('not started'));
    return this.#subscription.ready.then(() => this.#settling);
  }

  async start(): Promise<this> {
    const { eventLog, topics, view } = this.#parts;
    this.#subscription = await eventLog.subscribe({
      group: this.#group,
      topics: logsOf(topics),
      from: 'earliest',
      // Any error of the handler besides RetryLater is the record's fault, so a second attempt would fail as well.
      attempts: 1,
      handler: (batch, control) => this.#take(batch, control),
      onAssigned: (partitions, control) => this.#onAssigned(partitions, control),
      onRevoked: (partitions) => this.#onRevoked(partitions),
      onDeadLetter: (record, reason) => this.#onDeadLetter(record, reason),
    });
    this.ends.start();
    view.onReturn(() => this.realignSoon());
    this.#timers = [setInterval(() => this.realignSoon(), checkIntervalMs), setInterval(() => void this.#sweep(), sweepIntervalMs)];
    for (const timer of this.#timers) timer.unref();
    return this;
  }

  heardAgoMs(): number {
    // A member without partitions fetches nothing. It hears the log where it asks for its ends.
    const heardMs = this.partitionCount() > 0 ? this.#subscription?.lastHeardMs() : this.ends.heardMs();
    return heardMs === undefined ? Number.POSITIVE_INFINITY : this.#parts.clock.monotonicMs() - heardMs;
  }

  partitionCount(): number {
    return this.#subscription?.assigned().filter((of) => this.#isOwn(of)).length ?? 0;
  }

  stuck(): string | undefined {
    return silence(this.#group, this.#subscription, this.heardAgoMs()) ?? this.#standstill.words();
  }

  realignSoon(): void {
    if (this.#stopped.signal.aborted) return;
    this.#checking ??= this.#check()
      // The view is down. Its return starts the next check, and so does the timer.
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, 'the view could not be checked'))
      .finally(() => (this.#checking = undefined));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.ends.stop();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#subscription?.stop();
    await this.#checking;
    await this.#settling;
  }

  async #take(batch: RecordBatch, control: BatchControl): Promise<void> {
    if (this.#isOwn(batch)) noteWaiting(batch.partition, { end: batch.highWatermark, oldestMs: batch.records[0]!.timestampMs });
    this.#standstill.waits(batch);
    if (await heldBack('projector', 'cart', batch, control)) return;
    return this.#turns.take(batch.partition, () => this.#project(batch, control));
  }

  async #project(batch: RecordBatch, control: BatchControl): Promise<void> {
    if (this.#unsettled.has(batch.partition)) return this.#hold(batch, control);
    try {
      const projected = await this.#room.within(batch, () => projectBatch(this.#parts, this.#logId, batch, this.#carried));
      if (projected.outcome === 'applied') return this.#leave(batch, projected.place, batch.records.at(-1)!.timestampMs);
    } catch (error) {
      this.#standstill.blame(error);
      throw error;
    }
    realignments.inc({ how: 'sought' });
    this.#settle([batch.partition]);
    return this.#hold(batch, control);
  }

  #isOwn({ topic }: Pick<TopicPartition, 'topic'>): boolean {
    return topic === this.#parts.topics.events.name;
  }

  /** Leaves the batch unread and uncommitted until its partition is settled. */
  #hold(batch: RecordBatch, control: BatchControl): void {
    if (this.#subscription === undefined) throw new RetryLater('the partition is being settled');
    this.#subscription.pause([batch]);
    control.seek(batch.topic, batch.partition, batch.records[0]!.offset);
    // The partition may have been settled between the first look and the pause. Then only this resumes it.
    if (!this.#unsettled.has(batch.partition)) this.#subscription.resume([batch]);
  }

  async #onAssigned(assigned: readonly TopicPartition[], control: BatchControl): Promise<void> {
    this.#control = control;
    const partitions = [...new Set(assigned.map(({ partition }) => partition))];
    // All are held back before the first batch. Each is read on once it is found settled.
    for (const partition of partitions) this.#unsettled.add(partition);
    for (const of of assigned) this.#standstill.waits(of);
    const { logId, found } = await lookAtPartitions(this.#parts, partitions).catch((error: unknown) => {
      this.#standstill.blame(error);
      throw error;
    });
    this.#logId = logId;
    const broken: number[] = [];
    for (const [partition, { place, end, isSettled }] of found) {
      // This process has not seen the waiting records yet, so their age counts from now.
      if (end !== undefined) noteWaiting(partition, { end, oldestMs: this.#parts.clock.nowMs(), next: place?.next ?? 0n });
      if (place === undefined || !isSettled) broken.push(partition);
      else this.#readFrom(partition, place);
    }
    if (broken.length > 0) this.#settle(broken);
  }

  #onRevoked(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      for (const { name: topic } of logsOf(this.#parts.topics)) this.#standstill.moved({ topic, partition });
      this.#leftAt.delete(partition);
      this.#carried.drop(partition);
      forgetPartition(partition);
      this.#unsettled.delete(partition);
    }
  }

  async #onDeadLetter(record: LogRecord, reason: string): Promise<void> {
    deadLetters.inc();
    this.#carried.drop(record.partition);
    const place = await this.#turns.take(record.partition, () => markIncomplete(this.#parts, record));
    this.#parts.log.error(
      { partition: record.partition, offset: String(record.offset), reason, trace_id: traceIdOfRecord(record) },
      'a cart is incomplete until its record is redriven',
    );
    if (place === undefined) this.#settle([record.partition]);
    else this.#leave(record, place);
  }

  /** @param newestMs when the log took the newest applied record */
  #leave(of: TopicPartition, place: Place, newestMs?: number): void {
    this.#leftAt.set(of.partition, place);
    this.#standstill.moved(of);
    if (this.#isOwn(of)) noteApplied(of.partition, place.next, newestMs);
  }

  /** Reads each log of the partition on at its position. */
  #readFrom(partition: number, place: Place): void {
    const logs = logsOf(this.#parts.topics).map(({ name: topic }) => ({ topic, partition }));
    for (const log of logs) {
      this.#leave(log, place);
      const next = nextIn(place, copiedFrom(this.#parts.topics, log.topic));
      if (next !== undefined) this.#control?.seek(log.topic, partition, next);
    }
    this.#unsettled.delete(partition);
    this.#subscription?.resume(logs);
  }

  /** Settles in the background, because a rebuild may take longer than a handler may. */
  #settle(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#unsettled.add(partition);
      this.#carried.drop(partition);
      this.#standstill.waits({ topic: this.#parts.topics.events.name, partition });
    }
    if (this.#settlingNow) return;
    this.#settlingNow = true;
    this.#settling = this.#settleAll();
  }

  async #settleAll(): Promise<void> {
    const { log } = this.#parts;
    while (this.#unsettled.size > 0 && !this.#stopped.signal.aborted) {
      const partitions = [...this.#unsettled];
      try {
        const settled = await settlePartitions(this.#parts, this.#logId, this.#group, partitions);
        // A partition that was revoked meanwhile belongs to another process.
        for (const [partition, place] of settled) if (this.#unsettled.has(partition)) this.#readFrom(partition, place);
        if (settled.size > 0) continue;
      } catch (error) {
        this.#standstill.blame(error);
        log.warn({ err: error, partitions }, 'the view cannot be settled yet');
      }
      await pause(settleRetryMs, this.#stopped.signal);
    }
    this.#settlingNow = false;
  }

  async #check(): Promise<void> {
    const left = new Map(this.#leftAt);
    if (left.size === 0) return;
    const places = await this.#parts.view.places([...left.keys()]);
    const moved = [...left].filter(([partition, place]) => {
      // A partition that was read or sought meanwhile has been compared by that.
      const untouched = this.#leftAt.get(partition) === place && !this.#turns.isTaken(partition) && !this.#unsettled.has(partition);
      return untouched && !isAt(places.get(partition), place);
    });
    if (moved.length === 0) return;
    this.#parts.log.warn({ partitions: moved.map(([partition]) => partition) }, 'the view is not where it was left');
    realignments.inc({ how: 'checked' }, moved.length);
    this.#settle(moved.map(([partition]) => partition));
  }

  async #sweep(): Promise<void> {
    for (const partition of this.#leftAt.keys()) {
      try {
        await this.#carried.without(partition, () => sweepPartition(this.#parts, partition));
      } catch (error) {
        this.#parts.log.warn({ err: error, partition }, 'snapshots before retention could not be written');
      }
    }
  }
}
