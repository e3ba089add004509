/**
 * Reads every event of one cart, oldest first, and applies each by the rules of the projector. It reads only the log, and touches neither
 * the view nor the position of another reader. A history begins where the log does: it lacks the events that retention has taken.
 */
import { randomUUID } from 'node:crypto';
import { partitionOf } from '@cloakroom/contracts';
import { traceOfRecord, type EventLog, type LogRecord } from '@cloakroom/event-log';
import { type Clock } from '@cloakroom/platform';
import { applyOrMark, newCart } from '../projection/apply-record.ts';
import { evolve, type CartEvent } from '../model/cart.ts';
import { decodeEvent, UndecodableRecord, type CartRecord } from '../model/codec.ts';
import type { CartTopics } from '../cart.dependencies.ts';

/** Without a record and without the end for this long, the log counts as down. */
const silenceMaxMs = 10_000;
const checkIntervalMs = 100;

export interface HistoryParts {
  readonly eventLog: EventLog;
  readonly topics: Pick<CartTopics, 'events'>;
  readonly clock: Clock;
}

export interface Step {
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
  /** The first offset that the log still has. */
  readonly first: bigint;
  readonly steps: number;
}

/** @throws when the log cannot be read up to the end that it had at the call */
export async function readHistory(parts: HistoryParts, cartId: string, take: (step: Step) => void): Promise<HistoryEnd> {
  const { eventLog, topics, clock } = parts;
  const partition = partitionOf(cartId, topics.events);
  const bounds = await eventLog.bounds(topics.events);
  const { first, next } = bounds.get(partition) ?? { first: 0n, next: 0n };
  let steps = 0;
  if (next === first) return { partition, first, steps };
  let cart = newCart(cartId);
  let at = first;
  let progressMs = clock.monotonicMs();
  const subscription = await eventLog.subscribe({
    // A new group: this reads alone, and leaves no member for which another would have to wait.
    group: `cart-history-${randomUUID()}`,
    topics: [topics.events],
    from: 'earliest',
    onAssigned: (assigned, control) => {
      // The other partitions hold no event of this cart.
      for (const other of assigned)
        if (other.partition !== partition) control.seek(other.topic, other.partition, bounds.get(other.partition)!.next);
      return Promise.resolve();
    },
    handler: (batch) => {
      progressMs = clock.monotonicMs();
      if (batch.partition !== partition) return Promise.resolve();
      for (const record of batch.records) {
        if (record.offset < at || record.offset >= next) continue;
        at = record.offset + 1n;
        if (record.key !== cartId) continue;
        const step = stepOf(cart, record);
        cart = step.after;
        steps += 1;
        take(step);
      }
      return Promise.resolve();
    },
  });
  try {
    while (at < next) {
      if (clock.monotonicMs() - progressMs > silenceMaxMs) throw new Error('the log is silent: the history is not whole');
      await new Promise((resolve) => setTimeout(resolve, checkIntervalMs));
    }
  } finally {
    await subscription.stop();
  }
  return { partition, first, steps };
}

function stepOf(before: CartRecord, record: LogRecord): Step {
  const after = applyOrMark(before, record, evolve);
  const { event, unreadable } = read(record);
  const { traceparent } = traceOfRecord(record);
  return {
    offset: record.offset,
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
