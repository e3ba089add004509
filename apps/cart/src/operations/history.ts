/**
 * Reads every event of one cart, oldest first, and applies each by the rules of the projector. It reads only the log, and touches neither
 * the view nor the position of another reader. A history begins where the log does: it lacks the events that retention has taken.
 *
 * In a shop of several regions it reads the copies of the other logs too, and orders events by the time at which their own log took them. The view
 * may have heard them in another order. The cart at the end is the same.
 */
import { randomUUID } from 'node:crypto';
import { partitionOf } from '@cloakroom/contracts';
import { traceOfRecord, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { applyOrMark, newCart } from '../projection/apply-record.ts';
import { copiedFrom, homeOf, logsOf } from '../projection/two-logs.ts';
import { evolve, type CartEvent } from '../model/cart.ts';
import { decodeEvent, UndecodableRecord, type CartRecord } from '../model/codec.ts';
import type { CartTopics } from '../cart.dependencies.ts';

/** Without a record and without the end for this long, the log counts as down. */
const silenceMaxMs = 10_000;
const checkIntervalMs = 100;

export interface HistoryParts {
  readonly eventLog: EventLog;
  readonly topics: Pick<CartTopics, 'events' | 'mirrors'>;
  readonly clock: Clock;
}

export interface Step {
  /** The other region whose log took it; undefined for this region's own. */
  readonly region: string | undefined;
  /** In the log that took it. */
  readonly offset: bigint;
  /** When the log took it. */
  readonly atMs: number;
  /** Undefined when this build cannot read it. */
  readonly event: CartEvent | undefined;
  /** Why this build cannot read it. */
  readonly unreadable: string | undefined;
  /** False for a repeat, and for a command that was dead before it arrived. */
  readonly changed: boolean;
  readonly after: CartRecord;
  readonly traceparent: string | undefined;
}

export interface HistoryEnd {
  readonly partition: number;
  /** The first offset that this region's log still has. */
  readonly first: bigint;
  /** Other regions whose copy has lost its beginning. */
  readonly lacking: readonly string[];
  readonly steps: number;
}

/** One log, as far as it was read. */
interface Reading {
  readonly topic: string;
  readonly region: string | undefined;
  readonly first: bigint;
  /** Where the log ended at the call. */
  readonly end: bigint;
  /** The offset of the next record. */
  next: bigint;
  /** Records of the cart that are not taken yet. */
  readonly waiting: LogRecord[];
}

/** @throws when a log cannot be read up to the end that it had at the call */
export async function readHistory(parts: HistoryParts, cartId: string, take: (step: Step) => void): Promise<HistoryEnd> {
  const { eventLog, topics, clock } = parts;
  const partition = partitionOf(cartId, topics.events);
  const bounds = new Map(await Promise.all(logsOf(topics).map(async (log) => [log.name, await eventLog.bounds(log)] as const)));
  const readings = [...bounds].map(([topic, of]): Reading => {
    const { first, next: end } = of.get(partition) ?? { first: 0n, next: 0n };
    return { topic, region: copiedFrom(topics, topic), first, end, next: first, waiting: [] };
  });
  let steps = 0;
  const isRead = () => readings.every(({ next, end }) => next >= end);
  const ended = (): HistoryEnd => ({
    partition,
    first: readings[0]!.first,
    lacking: readings.flatMap(({ region, first }) => (region !== undefined && first > 0n ? [region] : [])),
    steps,
  });
  if (isRead()) return ended();
  let cart = newCart(cartId);
  let progressMs = clock.monotonicMs();
  const subscription = await eventLog.subscribe({
    // A new group: this reads alone, and leaves no member for which another would have to wait.
    group: `cart-history-${randomUUID()}`,
    topics: logsOf(topics),
    from: 'earliest',
    onAssigned: (assigned, control) => {
      // The other partitions hold no event of this cart.
      for (const other of assigned)
        if (other.partition !== partition) control.seek(other.topic, other.partition, bounds.get(other.topic)!.get(other.partition)!.next);
      return Promise.resolve();
    },
    handler: (batch) => {
      progressMs = clock.monotonicMs();
      const reading = readings.find(({ topic }) => topic === batch.topic)!;
      if (batch.partition !== partition) return Promise.resolve();
      for (const record of batch.records) {
        if (record.offset < reading.next || record.offset >= reading.end) continue;
        reading.next = record.offset + 1n;
        if (record.key === cartId) reading.waiting.push(record);
      }
      for (const { record, region } of inOrder(readings)) {
        const step = stepOf(cart, record, region);
        cart = step.after;
        steps += 1;
        take(step);
      }
      return Promise.resolve();
    },
  });
  try {
    while (!isRead()) {
      if (clock.monotonicMs() - progressMs > silenceMaxMs) throw new Error('the log is silent: the history is not whole');
      await new Promise((resolve) => setTimeout(resolve, checkIntervalMs));
    }
  } finally {
    await subscription.stop();
  }
  return ended();
}

/**
 * Takes the waiting records by their times. Those of one log keep their order, whatever the clock of its broker did. A log of which more is to be read
 * may still have an earlier record, so the others wait for it.
 */
function* inOrder(readings: readonly Reading[]): Generator<{ readonly record: LogRecord; readonly region: string | undefined }> {
  while (readings.every(({ waiting, next, end }) => waiting.length > 0 || next >= end)) {
    const [earliest] = readings
      .filter(({ waiting }) => waiting.length > 0)
      .sort((a, b) => a.waiting[0]!.timestampMs - b.waiting[0]!.timestampMs);
    if (earliest === undefined) return;
    yield { record: earliest.waiting.shift()!, region: earliest.region };
  }
}

function stepOf(before: CartRecord, record: LogRecord, region: string | undefined): Step {
  const after = applyOrMark(before, record, evolve, undefined, region);
  const { event, unreadable } = read(record);
  const { traceparent } = traceOfRecord(record);
  return {
    region,
    offset: (region === undefined ? undefined : homeOf(record, region)?.offset) ?? record.offset,
    atMs: record.timestampMs,
    event,
    unreadable,
    changed: after.state !== before.state,
    after,
    traceparent: traceparent ?? undefined,
  };
}

function read(record: LogRecord): Pick<Step, 'event' | 'unreadable'> {
  try {
    return { event: decodeEvent(record), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof UndecodableRecord)) throw error;
    return { event: undefined, unreadable: error.message };
  }
}
